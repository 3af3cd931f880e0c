/** Faulty cells of one memory in any order, distinct or not, with their kinds (indices into FAULT_KINDS). */
export interface FaultList {
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

/** All faults of several lists, sorted; of equal cells only the first, which comes from the first list. */
export function mergeFaults(lists: readonly FaultList[]): FaultList {
  if (lists.length === 1 && isAscending(lists[0].cells)) return lists[0];
  const length = lists.reduce((sum, { cells }) => sum + cells.length, 0);
  const joined = { cells: new Float64Array(length), kinds: new Uint8Array(length) };
  let end = 0;
  for (const { cells, kinds } of lists) {
    joined.cells.set(cells, end);
    joined.kinds.set(kinds, end);
    end += cells.length;
  }
  const { cells, kinds } = sortFaults(joined);
  const isFirst = (_: number, fault: number) => fault === 0 || cells[fault - 1] !== cells[fault];
  return {
    cells: cells.filter(isFirst),
    kinds: kinds.filter((_, fault) => isFirst(0, fault)),
  };
}
