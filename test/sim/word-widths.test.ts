import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { InputError } from '../../core/index.js';
import { cellAt, cellCount, faultMapOf, parseFaultModel } from '../../fault/index.js';
import {
  applyFaultMap,
  cellOfWeightBit,
  cellsOfWeight,
  countFaultyCells,
  findDataBits,
  memoryGeometry,
  NO_DATA_BIT,
  NO_SLOT,
  networkActivity,
  residentPlacement,
  slotCount,
  sramBytesOf,
  type WeightMemory,
  weightBitOfCell,
  weightHits,
  weightsOfCell,
  wordSlots,
} from '../../sim/index.js';
import { weightMemories } from '../../testing/index.js';
import { residentCasesIn, streamedCasesIn } from './placed-faults.js';
import { patchesByWalkingWeights } from './reference.js';

/** Widths that hold whole weights, and bits beside them; and those of which a weight takes several. */
const WIDTHS = {
  8: [1, 2, 4, 8, 9, 12, 16, 24, 31, 40, 48, 70],
  32: [1, 2, 4, 8, 16, 33, 40, 48, 63, 100],
} as const;

function memoriesFor(weightBits: 8 | 32, words = 1): fc.Arbitrary<WeightMemory> {
  return weightMemories(WIDTHS[weightBits]).filter(
    ({ banks, rows, columnMux, wordBits }) =>
      wordBits >= weightBits ||
      ((rows * columnMux) % (weightBits / wordBits) === 0 &&
        (banks * rows * columnMux) % (words * (weightBits / wordBits)) === 0),
  );
}

describe.each([8, 32] as const)('words of any width with weights of %i bits', (weightBits) => {
  const formats = fc.constant<8 | 32>(weightBits);

  test.prop([
    memoriesFor(weightBits).filter(
      ({ wordBits, columnMux }) =>
        wordBits >= weightBits || columnMux % (weightBits / wordBits) === 0,
    ),
    fc.uniqueArray(fc.nat(weightBits - 1), { minLength: 1 }),
  ])('a scope of bits is the cells that store them, and no unused cell', (memory, positions) => {
    const { columnMux } = memory;
    const geometry = memoryGeometry(memory);
    const scope = { bits: { positions, weightBits, columnMux } };
    const model = parseFaultModel({ model: 'uniform', scope }, 'the test');
    const drawn = faultMapOf(model, geometry, 1, 0, 1).cells;
    const all = Float64Array.from({ length: cellCount(geometry) }, (_, cell) => cell);
    const slots = new Float64Array(all.length);
    const bits = new Uint8Array(all.length);
    findDataBits(memory, weightBits, all, slots, bits);
    const stored = all.filter((cell) => slots[cell] !== NO_SLOT && positions.includes(bits[cell]));
    expect([...drawn]).toEqual([...stored]);
  });

  test.prop([memoriesFor(weightBits)])(
    'weights and the cells with room for them are one to one',
    (memory) => {
      const cells = cellCount(memoryGeometry(memory));
      const numbers = Array.from({ length: slotCount(memory, weightBits) * weightBits }, (_, n) =>
        cellOfWeightBit(memory, weightBits, n),
      );
      expect(new Set(numbers).size).toBe(numbers.length);
      expect(numbers.map((cell) => weightBitOfCell(memory, weightBits, cell))).toEqual([
        ...numbers.keys(),
      ]);
      const all = Float64Array.from({ length: cells }, (_, cell) => cell);
      const slots = new Float64Array(cells);
      const bits = new Uint8Array(cells);
      findDataBits(memory, weightBits, all, slots, bits);
      const found = [...all].map((cell) =>
        slots[cell] === NO_SLOT ? NO_DATA_BIT : slots[cell] * weightBits + bits[cell],
      );
      expect(found).toEqual([...all].map((cell) => weightBitOfCell(memory, weightBits, cell)));
      expect(found.filter((number) => number !== NO_DATA_BIT)).toHaveLength(numbers.length);
    },
  );

  for (const [kind, cases] of [
    ['resident', residentCasesIn(memoriesFor(weightBits), formats)],
    ['streamed', streamedCasesIn(memoriesFor(weightBits, 2), formats)],
  ] as const) {
    test.prop([cases], { numRuns: 40 })(
      `patches equal asking every weight for its cells (${kind})`,
      ({ placement, slots, words, map }) => {
        const { weights, words: patched, effectiveFaults } = applyFaultMap(map, placement, words);
        expect({ weights: [...weights], words: [...patched], effectiveFaults }).toEqual(
          patchesByWalkingWeights(map, placement, slots, words),
        );
        const hits = [...weightHits(map, placement, words)];
        const effective = hits.filter((hit) => hit.effective);
        expect(new Set(effective.map(({ weight }) => weight))).toEqual(new Set(weights));
        const held = [...map.cells].filter(
          (cell) => weightsOfCell(placement, cellAt(map.geometry, cell)).length > 0,
        );
        expect(countFaultyCells(map, placement).used).toBe(held.length);
      },
    );
  }
});

describe('narrow words are wide ones where the cells are the same', () => {
  /** Words of `bits` and column mux n·m are words of n·bits and mux m with the columns of a row in another order. */
  const widths = fc.constantFrom(
    { bits: 8, weightBits: 8, n: 4 } as const,
    { bits: 16, weightBits: 8, n: 2 } as const,
    { bits: 24, weightBits: 8, n: 4 } as const,
    { bits: 8, weightBits: 32, n: 4 } as const,
    { bits: 16, weightBits: 32, n: 2 } as const,
    { bits: 2, weightBits: 8, n: 4 } as const,
  );

  test.prop([widths, fc.constantFrom(1, 2, 4), fc.integer({ min: 1, max: 3 })])(
    'weights lie in the same cells, bit by bit',
    ({ bits, weightBits, n }, mux, rows) => {
      const narrow = { banks: 2, rows, wordBits: bits, columnMux: n * mux };
      const wide = { banks: 2, rows, wordBits: n * bits, columnMux: mux };
      const weights = slotCount(wide, weightBits);
      expect(slotCount(narrow, weightBits)).toBe(weights);
      const [inNarrow, inWide] = [narrow, wide].map((memory) =>
        residentPlacement(memory, weights, weightBits),
      );
      for (let weight = 0; weight < weights; weight++) {
        const moved = cellsOfWeight(inNarrow, weight).map(({ column, ...line }) => {
          const bit = Math.floor(column / (n * mux));
          const word = column % (n * mux);
          const wideBit = (word % n) * bits + bit;
          return { ...line, column: wideBit * mux + Math.floor(word / n) };
        });
        expect(moved).toEqual(cellsOfWeight(inWide, weight));
      }
    },
  );
});

test.each([
  [
    { rows: 8, wordBits: 24, columnMux: 2 },
    32,
    'Weight memory: a float32 weight of 32 bits does not fit words of 24 bits: choose wordBits of at least 32, or 1, 2, 4, 8, 16, so that it takes several whole words.',
  ],
  [
    { rows: 8, wordBits: 5, columnMux: 2 },
    8,
    'Weight memory: an int8 weight of 8 bits does not fit words of 5 bits: choose wordBits of at least 8, or 1, 2, 4, so that it takes several whole words.',
  ],
  [
    { rows: 3, wordBits: 8, columnMux: 2 },
    32,
    'Weight memory: a float32 weight of 32 bits takes 4 words of 8 bits, but a bank has 6 words: choose rows and columnMux whose product is a multiple of 4.',
  ],
] as const)('%j does not hold weights of %i bits', (memory, weightBits, message) => {
  expect(() => wordSlots({ banks: 1, ...memory }, weightBits)).toThrow(new InputError(message));
});

test('the memory is as large as its words, and a weight is read with its share of unused bits', () => {
  const memory = { banks: 2, rows: 64, wordBits: 12, columnMux: 4 };
  expect(sramBytesOf(undefined, memory).weights).toBe((2 * 64 * 4 * 12) / 8);
  const readBits = (wordBits: number) => {
    const shape = {
      input: { channels: 4, height: 1, width: 1 },
      output: { channels: 2, height: 1, width: 1 },
      kernel: [1, 1],
      strides: [1, 1],
      pads: [0, 0, 0, 0],
      dilations: [1, 1],
      groups: 1,
    } as const;
    const sram = { inputReads: 4, weightReads: 8, partialSumReads: 0, outputWrites: 2 };
    const layer = { name: 'one', shape, hardwareCycles: 1, sram };
    const array = { rows: 4, columns: 2, dataflow: 'weight-stationary' } as const;
    const sizes = sramBytesOf(undefined, { ...memory, wordBits });
    const { layers } = networkActivity([layer], array, sizes, 'int8', { ...memory, wordBits });
    return layers[0].sram.weights.readBits;
  };
  expect([2, 8, 12, 16, 20, 64].map(readBits)).toEqual([64, 64, 96, 64, 80, 64]);
});
