import type { CellBits } from './cell-bits.js';

/** Faulty cells of one memory in any order, distinct or not, with their kinds (indices into FAULT_KINDS). */
export interface FaultList {
  /** The same cells as bitmaps, from which the lists are made when they are asked for. */
  readonly bits?: CellBits | undefined;
  readonly cells: Float64Array;
  readonly kinds: Uint8Array;
}

function isAscending(cells: Float64Array): boolean {
  for (let fault = 1; fault < cells.length; fault += 1) {
    if (!(cells[fault - 1] <= cells[fault])) return false;
  }
  return true;
}

/** The faults in ascending order of their cells; equal cells keep their order. */
export function sortFaults({ cells, kinds }: FaultList): FaultList {
  if (isAscending(cells)) return { cells, kinds };
  const order = Uint32Array.from(cells.keys()).sort((a, b) => cells[a] - cells[b]);
  return {
    cells: Float64Array.from(order, (fault) => cells[fault]),
    kinds: Uint8Array.from(order, (fault) => kinds[fault]),
  };
}

/**
 * All faults of several lists, sorted; of equal cells only the first, which comes from the first list.
 *
 * @param roomFor where the result is written, as long as all lists together
 */
export function mergeFaults(lists: readonly FaultList[], roomFor = newList): FaultList {
  if (lists.length === 1 && isAscending(lists[0].cells)) return lists[0];
  const [first = newList(0), ...others] = lists.map(sortFaults);
  // The shorter lists, check and spare cells, come last: of the first one there is one pass.
  const rest = others.reduceRight(
    (after, list) => mergeTwo(list, after, newList(list.cells.length + after.cells.length)),
    others.pop() ?? newList(0),
  );
  return mergeTwo(first, rest, roomFor(first.cells.length + rest.cells.length));
}

function newList(length: number): FaultList {
  return { cells: new Float64Array(length), kinds: new Uint8Array(length) };
}

/** Two sorted lists as one, in one pass: sorting 2 million cells anew takes ten times as long as drawing them. */
function mergeTwo(one: FaultList, other: FaultList, merged: FaultList): FaultList {
  const { cells, kinds } = merged;
  const [lengthOfOne, lengthOfOther] = [one.cells.length, other.cells.length];
  let last = -1;
  let [count, a, b] = [0, 0, 0];
  while (a < lengthOfOne && b < lengthOfOther) {
    const isFromOne = one.cells[a] <= other.cells[b];
    const cell = isFromOne ? one.cells[a] : other.cells[b];
    const kind = isFromOne ? one.kinds[a++] : other.kinds[b++];
    if (cell === last) continue;
    cells[count] = cell;
    kinds[count++] = kind;
    last = cell;
  }
  const left = a < lengthOfOne ? one : other;
  for (let fault = a < lengthOfOne ? a : b; fault < left.cells.length; fault += 1) {
    if (left.cells[fault] === last) continue;
    last = left.cells[fault];
    cells[count] = last;
    kinds[count++] = left.kinds[fault];
  }
  return { cells: cells.subarray(0, count), kinds: kinds.subarray(0, count) };
}
