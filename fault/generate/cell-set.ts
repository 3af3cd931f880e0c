import type { FaultBuffers } from './fault-buffers.js';
import { radixSort, unionOfCells } from './sorted-cells.js';

/** Cells of one memory that were drawn so far, each once. */
export interface CellSet {
  readonly size: number;
  /** Take in cells in any order, repetitions and members among them. The list may be overwritten. */
  add(cells: Uint32Array | Float64Array): void;
  /** The members, ascending; valid until the set is changed or asked again. */
  sorted(): Float64Array;
}

/**
 * A set that holds its members as a sorted list: for few of many cells.
 *
 * @param cells number of cells of the memory: all indices are below it
 */
export function sortedCellSet(cells: number, buffers: FaultBuffers): CellSet {
  let members: Float64Array = new Float64Array(0);
  let isInOther = false;
  return {
    get size() {
      return members.length;
    },
    add(drawn) {
      const sorted =
        drawn instanceof Uint32Array
          ? radixSort(drawn, cells - 1, buffers.sorting(drawn.length))
          : drawn.sort();
      const { cells: one, otherCells: other } = buffers;
      const target = isInOther ? one : other;
      members = unionOfCells(members, sorted, target(members.length + sorted.length));
      isInOther = !isInOther;
    },
    sorted: () => members,
  };
}

/**
 * A set that holds a bit of each cell: a pass over all cells is cheaper than sorting many.
 *
 * @param cells number of cells of the memory, at most 2³²
 */
export function bitmapCellSet(cells: number, buffers: FaultBuffers): CellSet {
  const words = buffers.bitmap(Math.ceil(cells / 32)).fill(0);
  let size = 0;
  return {
    get size() {
      return size;
    },
    add(drawn) {
      for (let place = 0; place < drawn.length; place += 1) {
        const cell = drawn[place];
        const before = words[cell >>> 5];
        const after = before | (1 << (cell & 31));
        if (after === before) continue;
        words[cell >>> 5] = after;
        size += 1;
      }
    },
    sorted() {
      const members = buffers.cells(size);
      let count = 0;
      for (let place = 0; place < words.length; place += 1) {
        for (let word = words[place]; word !== 0; word &= word - 1) {
          members[count] = place * 32 + 31 - Math.clz32(word & -word);
          count += 1;
        }
      }
      return members;
    },
  };
}
