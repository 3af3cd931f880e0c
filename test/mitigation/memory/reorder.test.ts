import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import {
  bitCost,
  channelCost,
  cheapestAssignment,
  type PlaceFaults,
  reorderChannels,
} from '../../../mitigation/index.js';
import { bitOf, type CellFault, faultsOf, weightSizes } from './support.js';

function permutations(size: number): number[][] {
  if (size === 0) return [[]];
  return permutations(size - 1).flatMap((shorter) =>
    Array.from({ length: size }, (_, place) => shorter.toSpliced(place, 0, size - 1)),
  );
}

function costOf(costs: ArrayLike<number>, assignment: ArrayLike<number>): number {
  return Array.from(assignment).reduce(
    (sum, column, row) => sum + costs[row * assignment.length + column],
    0,
  );
}

describe('the assignment problem', () => {
  const amounts = fc.oneof(fc.nat(5), fc.nat(2 ** 40), fc.constant(0));
  const matrices = fc.nat(7).chain((size) =>
    fc.array(amounts, { minLength: size * size, maxLength: size * size }).map((costs) => ({
      size,
      costs: Float64Array.from(costs),
    })),
  );

  property.prop([matrices], { numRuns: 100 })(
    'is solved as by trying all permutations of up to 7',
    ({ size, costs }) => {
      const assignment = cheapestAssignment(costs, size);
      expect([...assignment].sort()).toEqual(Array.from({ length: size }, (_, row) => row));
      const least = Math.min(...permutations(size).map((columns) => costOf(costs, columns)));
      expect(costOf(costs, assignment)).toBe(least);
    },
  );

  property.prop([fc.integer({ min: 1, max: 60 }), fc.nat(100)])(
    'of equal costs leaves all in their places',
    (size, cost) => {
      const assignment = cheapestAssignment(new Float64Array(size * size).fill(cost), size);
      expect([...assignment]).toEqual(Array.from({ length: size }, (_, row) => row));
    },
  );

  property.prop([fc.shuffledSubarray([...Array(40).keys()], { minLength: 40 })])(
    'finds the one permutation that costs nothing',
    (columns) => {
      const costs = new Float64Array(1600).map((_, at) => 1 + (at % 7));
      for (const [row, column] of columns.entries()) costs[row * 40 + column] = 0;
      expect([...cheapestAssignment(costs, 40)]).toEqual(columns);
    },
  );
});

const LANES = 3;
const kinds = fc.constantFrom<CellFault>('stuck-at-0', 'stuck-at-1', 'flip');
const faultyCells = fc.uniqueArray(fc.tuple(fc.nat(32 * LANES - 1), kinds), {
  selector: ([cell]) => cell,
  maxLength: 6,
});
const channels = fc.uint32Array({ minLength: LANES, maxLength: LANES });

/** The lanes with a faulty cell alone, as places are given. */
function placeOf(cells: readonly (readonly [number, CellFault])[]): PlaceFaults {
  const faults = faultsOf(cells, 32 * LANES);
  const lanes = Uint32Array.from(new Set(cells.map(([cell]) => cell >> 5)));
  const of = (masks: Uint32Array) => lanes.map((lane) => masks[lane]);
  return { lanes, and: of(faults.and), or: of(faults.or), xor: of(faults.xor) };
}

property.prop([channels, faultyCells, weightSizes])(
  'a channel in a place costs what its wrongly read bits do',
  (channel, cells, weightBits) => {
    let cost = 0;
    for (const [cell, fault] of cells) {
      const isWrong = fault === 'flip' || bitOf(channel, cell) !== (fault === 'stuck-at-1' ? 1 : 0);
      if (isWrong) cost += bitCost(cell % weightBits, weightBits);
    }
    expect(channelCost(channel, placeOf(cells), weightBits)).toBe(cost);
  },
);

property.prop(
  [
    fc.array(fc.tuple(channels, fc.oneof(faultyCells, fc.constant([]))), { maxLength: 6 }),
    weightSizes,
  ],
  { numRuns: 50 },
)('channels take the places in which they cost least in sum', (pairs, weightBits) => {
  const weights = pairs.map(([channel]) => channel);
  const places = pairs.map(([, cells]) => placeOf(cells));
  const costs = weights.flatMap((channel) =>
    places.map((place) => channelCost(channel, place, weightBits)),
  );
  const least = Math.min(...permutations(pairs.length).map((order) => costOf(costs, order)));
  const order = reorderChannels(weights, places, weightBits);
  expect(costOf(costs, order)).toBe(least);
});

test('without faulty cells every channel keeps its place', () => {
  const weights = Array.from({ length: 20 }, () => new Uint32Array(LANES));
  const places = weights.map(() => placeOf([]));
  expect([...reorderChannels(weights, places, 8)]).toEqual([...weights.keys()]);
});
