import { createScratch } from '../../core/index.js';
import { FAULT_KINDS, type FaultMap } from '../../fault/index.js';

/** Where the faults of a map go: each cell, in rising order, to the one that `cellOf` tells, or away. */
export type MoveFaults = (
  map: FaultMap,
  cellOf: (cell: number) => number,
  number: number,
) => FaultMap;

/** A cell that is left out. */
export const LEFT_OUT = -1;

const KINDS = FAULT_KINDS.length;

/**
 * A function that moves the faults of a map.
 *
 * @returns `number` tells apart maps that are in use at once: each is valid until the next one with its number
 */
export function createFaultMover(): MoveFaults {
  const memories = Array.from({ length: 5 }, () => ({
    cells: createScratch((length) => new Float64Array(length)),
    kinds: createScratch((length) => new Uint8Array(length)),
  }));
  return (map, cellOf, number) => {
    const length = map.cells.length;
    const [cells, kinds] = [memories[number].cells(length), memories[number].kinds(length)];
    let count = 0;
    let last = LEFT_OUT;
    let isAscending = true;
    for (let fault = 0; fault < length; fault++) {
      const cell = cellOf(map.cells[fault]);
      if (cell === LEFT_OUT) continue;
      if (cell < last) isAscending = false;
      last = cell;
      cells[count] = cell;
      kinds[count++] = map.kinds[fault];
    }
    const moved = { cells: cells.subarray(0, count), kinds: kinds.subarray(0, count) };
    if (!isAscending) sortFaults(moved);
    return { ...map, ...moved };
  };
}

function sortFaults({ cells, kinds }: Pick<FaultMap, 'cells' | 'kinds'>): void {
  for (let fault = 0; fault < cells.length; fault++) {
    cells[fault] = KINDS * cells[fault] + kinds[fault];
  }
  cells.sort();
  for (let fault = 0; fault < cells.length; fault++) {
    const cell = Math.floor(cells[fault] / KINDS);
    kinds[fault] = cells[fault] - KINDS * cell;
    cells[fault] = cell;
  }
}
