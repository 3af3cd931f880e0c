import { createRandomStream, InputError, PURPOSE, type RandomStream } from '../core/index.js';
import { type CellSet, createCellSet } from './cell-set.js';
import {
  type CellGeometry,
  cellCount,
  FAULT_KINDS,
  type FaultKind,
  type FaultMap,
} from './fault-map.js';
import { checkGeometry } from './geometry.js';

/** What the faulty cells of a map do; `stuck-at` is stuck-at-0 or stuck-at-1 with equal probability. */
export type UniformFaults = FaultKind | 'stuck-at';

/** One trial of faults that strike every cell with the same probability. */
export interface UniformFaultOptions {
  readonly geometry: CellGeometry;
  readonly faults: UniformFaults;
  readonly seed: number;
  readonly trial: number;
}

/**
 * Faults drawn uniformly, without replacement, from all cells of a memory.
 *
 * All maps of one (geometry, seed, trial) are prefixes of one random order of the cells, and the kind
 * belongs to the cell: a map at a higher rate holds every fault of a map at a lower one. The number
 * of faults is floor(rate · cells), plus one with the probability of the remainder.
 *
 * @param options.rate Share of the cells that are faulty, 0 … 1.
 * @throws InputError when the rate, geometry, seed or trial is out of range.
 */
export function uniformFaultMap(
  options: UniformFaultOptions & { readonly rate: number },
): FaultMap {
  return nestedUniformFaultMaps(options, [options.rate])[0];
}

/**
 * The maps that `uniformFaultMap` gives for several rates of one trial, for about the cost of the
 * largest; in the order of `rates`.
 */
export function nestedUniformFaultMaps(
  { geometry, faults, seed, trial }: UniformFaultOptions,
  rates: readonly number[],
): FaultMap[] {
  checkGeometry(geometry, 'The memory');
  const cells = cellCount(geometry);
  const remainder = createRandomStream(seed, trial, PURPOSE.faultCount).uniform(0);
  const counts = rates.map((rate) => faultCount(rate, cells, remainder));
  const order = createFaultOrder(
    cells,
    Math.max(0, ...counts),
    createRandomStream(seed, trial, PURPOSE.faultOrder),
  );
  const kinds = createRandomStream(seed, trial, PURPOSE.faultKind);
  const maps = new Array<FaultMap>(rates.length);
  const ascending = rates.map((_, index) => index).sort((a, b) => counts[a] - counts[b]);
  for (const index of ascending) {
    const faulty = order.prefix(counts[index]);
    maps[index] = {
      geometry,
      cells: faulty,
      kinds: kindsOf(faulty, faults, kinds),
      provenance: {
        source: 'generated',
        generator: 'uniform',
        seed,
        trial,
        rate: rates[index],
        faults,
      },
    };
  }
  return maps;
}

/** Number of faults: the same draw decides at every rate, so the count never falls as the rate grows. */
function faultCount(rate: number, cells: number, uniform: number): number {
  if (!(rate >= 0 && rate <= 1)) {
    throw new InputError(`The fault rate is ${rate}, but must be a number from 0 to 1.`);
  }
  const expected = rate * cells;
  const whole = Math.floor(expected);
  return uniform < expected - whole ? whole + 1 : whole;
}

function kindsOf(
  cells: Float64Array,
  faults: UniformFaults,
  stream: RandomStream,
): Uint8Array<ArrayBuffer> {
  const kinds = new Uint8Array(cells.length);
  if (faults !== 'stuck-at') return kinds.fill(FAULT_KINDS.indexOf(faults));
  const stuckAt = [FAULT_KINDS.indexOf('stuck-at-0'), FAULT_KINDS.indexOf('stuck-at-1')];
  for (let fault = 0; fault < cells.length; fault += 1) {
    kinds[fault] = stuckAt[stream.integerBelow(2, cells[fault])];
  }
  return kinds;
}

interface FaultOrder {
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
function createFaultOrder(cells: number, limit: number, stream: RandomStream): FaultOrder {
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
