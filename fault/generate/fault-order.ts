import { InputError, type RandomStream } from '../../core/index.js';
import { bitmapCellSet, sortedCellSet } from './cell-set.js';
import { createFaultBuffers } from './fault-buffers.js';
import { unionOfCells } from './sorted-cells.js';

/**
 * Number of faults of a rate: floor(rate · cells), plus one with the probability of the remainder. With
 * the same draw for every rate the number never falls as the rate grows.
 *
 * @param uniform The draw, 0 ≤ uniform < 1.
 * @throws InputError when the rate is not from 0 to 1.
 */
export function faultCount(rate: number, cells: number, uniform: number): number {
  requireRate(rate);
  const expected = rate * cells;
  const whole = Math.floor(expected);
  return uniform < expected - whole ? whole + 1 : whole;
}

/** @throws InputError when a rate is not from 0 to 1. */
export function requireRate(rate: number): void {
  if (!(rate >= 0 && rate <= 1)) {
    throw new InputError(`The fault rate is ${rate}, but must be a number from 0 to 1.`);
  }
}

export interface FaultOrder {
  /**
   * The first `count` cells of the order, ascending, valid until the next call; `count` never falls from call to call.
   */
  prefix(count: number): Float64Array;
}

/** One drawn cell among so many, or more, is worth a bitmap of the memory: 32 bytes a drawn cell at most. */
const BITMAP_SPACING = 256;

/** Draws that are made together: 256 KiB of indices. */
const DRAWS = 2 ** 16;

/**
 * A random order of all cells, walked from its start. The first half are cells drawn with
 * replacement, repetitions left out. Beyond half, where repetitions would soon prevail, the cells
 * not drawn yet follow in the order of a Fisher–Yates shuffle. Both parts are uniform, so the whole is.
 */
export function createFaultOrder(
  cells: number,
  stream: RandomStream,
  buffers = createFaultBuffers(),
): FaultOrder {
  const half = Math.floor(cells / 2);
  const small = cells <= 2 ** 32;
  /** The first part of the order as far as it was walked. */
  let drawn = sortedCellSet(cells, buffers);
  let isBitmap = false;
  let draws = 0;
  let remaining: Float64Array | undefined;
  /** The places of `remaining` that were shuffled. */
  let shuffled = 0;

  /** As many draws as cells are missing can give no cell too many; repetitions leave some for another round. */
  function drawUpTo(count: number): void {
    if (!isBitmap && small && count * BITMAP_SPACING >= cells) {
      const bitmap = bitmapCellSet(cells, buffers);
      bitmap.add(drawn.sorted());
      drawn = bitmap;
      isBitmap = true;
    }
    while (drawn.size < count) {
      const missing = count - drawn.size;
      const together = isBitmap ? Math.min(missing, DRAWS) : missing;
      const found = small ? buffers.draws(together) : new Float64Array(together);
      stream.integersBelow(cells, draws, found);
      drawn.add(found);
      draws += together;
    }
  }

  function shuffleUpTo(count: number): Float64Array {
    remaining ??= complement(drawn.sorted(), cells);
    for (; shuffled < count - half; shuffled += 1) {
      const other = shuffled + stream.integerBelow(remaining.length - shuffled, draws);
      const cell = remaining[other];
      remaining[other] = remaining[shuffled];
      remaining[shuffled] = cell;
      draws += 1;
    }
    return remaining.slice(0, shuffled).sort();
  }

  return {
    prefix(count) {
      drawUpTo(Math.min(count, half));
      return count > half ? unionOfCells(drawn.sorted(), shuffleUpTo(count)) : drawn.sorted();
    },
  };
}

/** The cells that are not in an ascending list, ascending. */
function complement(sorted: Float64Array, cells: number): Float64Array {
  const others = new Float64Array(cells - sorted.length);
  let [count, place] = [0, 0];
  for (let cell = 0; cell < cells; cell += 1) {
    if (sorted[place] === cell) {
      place += 1;
      continue;
    }
    others[count] = cell;
    count += 1;
  }
  return others;
}
