import { InputError, type RandomStream } from '../../core/index.js';
import { type CellSet, createCellSet } from './cell-set.js';

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
 *
 * @param limit The longest prefix that will be asked for.
 */
export function createFaultOrder(cells: number, limit: number, stream: RandomStream): FaultOrder {
  const half = Math.floor(cells / 2);
  const drawn = createCellSet(cells, limit);
  let draws = 0;
  let remaining: Float64Array | undefined;

  function drawUpTo(count: number): void {
    let index = draws;
    for (let missing = count - drawn.size; missing > 0; index += 1) {
      if (drawn.add(stream.integerBelow(cells, index))) missing -= 1;
    }
    draws = index;
  }

  function shuffleUpTo(count: number): void {
    remaining ??= complement(drawn, cells);
    for (let position = drawn.size - half; position < count - half; position += 1) {
      const other = position + stream.integerBelow(remaining.length - position, draws);
      const cell = remaining[other];
      remaining[other] = remaining[position];
      remaining[position] = cell;
      drawn.add(cell);
      draws += 1;
    }
  }

  return {
    prefix(count) {
      drawUpTo(Math.min(count, half));
      if (count > half) shuffleUpTo(count);
      return drawn.sorted();
    },
  };
}

/** The cells that are not in the set, ascending. */
function complement(set: CellSet, cells: number): Float64Array {
  const others = new Float64Array(cells - set.size);
  let count = 0;
  for (let cell = 0; cell < cells; cell += 1) {
    if (set.has(cell)) continue;
    others[count] = cell;
    count += 1;
  }
  return others;
}
