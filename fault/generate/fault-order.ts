import { InputError, type RandomStream } from '../../core/index.js';
import { sortedCells, unionOfCells } from './sorted-cells.js';

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
  /** The first `count` cells of the order, ascending; `count` never falls from call to call. */
  prefix(count: number): Float64Array<ArrayBuffer>;
}

/**
 * A random order of all cells, walked from its start. The first half are cells drawn with
 * replacement, repetitions left out. Beyond half, where repetitions would soon prevail, the cells
 * not drawn yet follow in the order of a Fisher–Yates shuffle. Both parts are uniform, so the whole is.
 */
export function createFaultOrder(cells: number, stream: RandomStream): FaultOrder {
  const half = Math.floor(cells / 2);
  /** The first part of the order as far as it was walked, ascending. */
  let drawn = new Float64Array(0);
  let draws = 0;
  let remaining: Float64Array | undefined;
  /** The places of `remaining` that were shuffled. */
  let shuffled = 0;

  /** As many draws as cells are missing can give no cell too many; repetitions leave some for another round. */
  function drawUpTo(count: number): void {
    while (drawn.length < count) {
      const missing = count - drawn.length;
      const first = draws;
      const found = sortedCells(missing, cells, (place) =>
        stream.integerBelow(cells, first + place),
      );
      drawn = unionOfCells(drawn, found);
      draws += missing;
    }
  }

  function shuffleUpTo(count: number): Float64Array {
    remaining ??= complement(drawn, cells);
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
      return count > half ? unionOfCells(drawn, shuffleUpTo(count)) : drawn.slice();
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
