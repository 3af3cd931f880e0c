import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { InputError } from '../../core/index.js';
import { cellAt, cellCount } from '../../fault/index.js';
import {
  bitNumberOfCell,
  cellOfBitNumber,
  cellOfWordBit,
  defaultResidentMemory,
  defineWeightMemory,
  memoryGeometry,
  slotCount,
  wordBitOfCell,
  wordCount,
} from '../../sim/index.js';
import { weightMemories } from '../../testing/index.js';
import { definedCell } from './reference.js';

/** Almost 2^53 cells, so that every intermediate product must be exact. */
const HUGE = defineWeightMemory({
  banks: 2 ** 20 - 1,
  rows: 2 ** 20 - 3,
  wordBits: 2048,
  columnMux: 4,
});

describe('address functions', () => {
  test.prop([weightMemories()])('cell and bit numbers are inverse permutations', (memory) => {
    const cells = cellCount(memoryGeometry(memory));
    const bitNumbers = Array.from({ length: cells }, (_, cell) => bitNumberOfCell(memory, cell));
    expect(bitNumbers.map((number) => cellOfBitNumber(memory, number))).toEqual(
      Array.from({ length: cells }, (_, cell) => cell),
    );
    expect(bitNumbers.toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: cells }, (_, number) => number),
    );
  });

  test.prop([
    fc.oneof(weightMemories(), fc.constant(HUGE)),
    fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  ])(
    'a word bit lies at column b·m + w, row ⌊a/m⌋ mod rows, bank ⌊a/(m·rows)⌋',
    (memory, addressShare, bitShare) => {
      const address = Math.floor(addressShare * wordCount(memory));
      const bit = Math.floor(bitShare * memory.wordBits);
      const cell = cellOfWordBit(memory, { address, bit });
      expect(cell).toEqual(definedCell(memory, BigInt(address), BigInt(bit)));
      expect(wordBitOfCell(memory, cell)).toEqual({ address, bit });
    },
  );

  test('the last cell of a memory of almost 2^53 cells is exact', () => {
    const geometry = memoryGeometry(HUGE);
    const last = cellCount(geometry) - 1;
    expect(cellAt(geometry, last)).toEqual({
      bank: geometry.banks - 1,
      row: geometry.rows - 1,
      column: geometry.columns - 1,
    });
    expect(cellOfBitNumber(HUGE, bitNumberOfCell(HUGE, last))).toBe(last);
    expect(cellOfBitNumber(HUGE, bitNumberOfCell(HUGE, last - 1))).toBe(last - 1);
  });

  test('places outside the memory are errors', () => {
    const memory = defineWeightMemory({ banks: 2, rows: 3, wordBits: 32, columnMux: 4 });
    expect(() => wordBitOfCell(memory, { bank: 2, row: 0, column: 0 })).toThrow(
      new InputError('Weight memory: bank must be an integer from 0 to 1, not 2.'),
    );
    expect(() => wordBitOfCell(memory, { bank: 0, row: -1, column: 0 })).toThrow(
      new InputError('Weight memory: row must be an integer from 0 to 2, not -1.'),
    );
    expect(() => wordBitOfCell(memory, { bank: 0, row: 0, column: 128 })).toThrow(
      new InputError('Weight memory: column must be an integer from 0 to 127, not 128.'),
    );
    expect(() => cellOfWordBit(memory, { address: 24, bit: 0 })).toThrow(
      new InputError('Weight memory: address must be an integer from 0 to 23, not 24.'),
    );
    expect(() => cellOfWordBit(memory, { address: 0, bit: 1.5 })).toThrow(
      new InputError('Weight memory: bit must be an integer from 0 to 31, not 1.5.'),
    );
  });
});

describe('defineWeightMemory', () => {
  const valid = { banks: 4, rows: 4096, wordBits: 128, columnMux: 1 };

  test.each([
    [{ banks: 0 }, 'Weight memory: banks must be a positive integer, not 0.'],
    [{ rows: 1.5 }, 'Weight memory: rows must be a positive integer, not 1.5.'],
    [{ wordBits: Number.NaN }, 'Weight memory: wordBits must be a positive integer, not NaN.'],
    [
      { wordBits: 48 },
      'Weight memory: wordBits must be a multiple of 32 to hold whole weights, not 48.',
    ],
    [
      { columnMux: 3 },
      'Weight memory: columnMux must be a power of two such as 1, 2, 4, 8 or 16, not 3.',
    ],
    [
      { banks: 2 ** 40 },
      'Weight memory: 1099511627776 banks × 4096 rows × 128 bits × column mux 1 is more than 2^53 cells; use fewer or smaller banks.',
    ],
  ])('rejects %o', (change, message) => {
    expect(() => defineWeightMemory({ ...valid, ...change })).toThrow(new InputError(message));
  });

  test('accepts exactly 2^53 cells', () => {
    const memory = { banks: 2 ** 20, rows: 2 ** 20, wordBits: 2 ** 12, columnMux: 2 };
    expect(defineWeightMemory(memory)).toEqual(memory);
  });

  test('a 4-bank, 4096-row, 128-bit scratchpad holds 256 KiB', () => {
    expect(slotCount(defineWeightMemory(valid), 8)).toBe(256 * 1024);
    expect(slotCount(defineWeightMemory(valid), 32)).toBe(64 * 1024);
  });
});

describe('defaultResidentMemory', () => {
  const bankBits = 32 * 1024 * 8;

  test.prop([fc.integer({ min: 1, max: 2 ** 32 }), fc.constantFrom(8 as const, 32 as const)])(
    'is the smallest whole number of 32 KiB banks that holds the network',
    (weights, weightBits) => {
      const memory = defaultResidentMemory(weights, weightBits);
      expect(cellCount(memoryGeometry(memory))).toBe(memory.banks * bankBits);
      expect(slotCount(memory, weightBits)).toBeGreaterThanOrEqual(weights);
      expect(slotCount({ ...memory, banks: memory.banks - 1 }, weightBits)).toBeLessThan(weights);
    },
  );
});
