import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { InputError } from '../../core/index.js';
import { cellAt, cellCount, cellIndex } from '../../fault/index.js';
import {
  bitNumberOfCell,
  cellOfBitNumber,
  cellOfWordBit,
  defaultResidentMemory,
  defineWeightMemory,
  findDataBits,
  memoryGeometry,
  NO_DATA_BIT,
  NO_SLOT,
  slotCount,
  type WeightMemory,
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

/** The same memory without spare and check cells. */
function bare({ banks, rows, wordBits, columnMux }: WeightMemory): WeightMemory {
  return { banks, rows, wordBits, columnMux };
}

const share = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('address functions', () => {
  test.prop([weightMemories()])(
    'every cell is one bit of one word or spare, and every bit of every word is one cell',
    (memory) => {
      const geometry = memoryGeometry(memory);
      const { banks, wordBits, columnMux, spareRows = 0, spareColumns = 0 } = memory;
      const bitsStored = wordBits + (memory.checkBits ?? 0);
      const words = new Set<string>();
      const wrong: number[] = [];
      let spare = 0;
      for (let cell = 0; cell < cellCount(geometry); cell++) {
        const place = wordBitOfCell(memory, cellAt(geometry, cell));
        if (place === undefined) {
          spare += 1;
        } else {
          if (cellIndex(geometry, cellOfWordBit(memory, place)) !== cell) wrong.push(cell);
          words.add(`${place.address} ${place.bit}`);
        }
        const isData = place !== undefined && place.bit < wordBits;
        const number = isData ? place.address * wordBits + place.bit : NO_DATA_BIT;
        if (bitNumberOfCell(memory, cell) !== number) wrong.push(cell);
      }
      expect(wrong).toEqual([]);
      expect(words.size).toBe(wordCount(memory) * bitsStored);
      const rowCells = bitsStored * columnMux + spareColumns;
      expect(spare).toBe(banks * (memory.rows * spareColumns + spareRows * rowCells));
    },
  );

  test.prop([
    weightMemories(),
    fc.constantFrom(8 as const, 32 as const),
    fc.array(share, { maxLength: 200 }),
    fc.boolean(),
  ])(
    'places of many cells are those of their bit numbers, in any order',
    (memory, weightBits, shares, ascending) => {
      const count = cellCount(memoryGeometry(memory));
      const drawn = shares.map((at) => Math.floor(at * count));
      const cells = Float64Array.from(ascending ? drawn.sort((a, b) => a - b) : drawn);
      const slots = new Float64Array(cells.length);
      const bits = new Uint8Array(cells.length);
      findDataBits(memory, weightBits, cells, slots, bits);
      for (const [place, cell] of cells.entries()) {
        const number = bitNumberOfCell(memory, cell);
        const slot = slots[place];
        if (number === NO_DATA_BIT) expect(slot).toBe(NO_SLOT);
        else expect(slot * weightBits + bits[place]).toBe(number);
        if (slot !== NO_SLOT) expect(bits[place]).toBeLessThan(weightBits);
      }
    },
  );

  test('places of cells are exact in a memory of almost 2^53 cells', () => {
    const last = cellCount(memoryGeometry(HUGE)) - 1;
    const cells = Float64Array.of(last, 0, last - 1);
    const [slots, bits] = [new Float64Array(3), new Uint8Array(3)];
    findDataBits(HUGE, 8, cells, slots, bits);
    for (const [place, cell] of cells.entries()) {
      const number = BigInt(slots[place]) * 8n + BigInt(bits[place]);
      expect(number).toBe(BigInt(bitNumberOfCell(HUGE, cell)));
    }
  });

  test.prop([weightMemories()])(
    'data bits are numbered without gaps, and the numbers lead back to their cells',
    (memory) => {
      const bits = wordCount(memory) * memory.wordBits;
      const cells = Array.from({ length: bits }, (_, number) => cellOfBitNumber(memory, number));
      expect(cells.map((cell) => bitNumberOfCell(memory, cell))).toEqual([...cells.keys()]);
    },
  );

  test.prop([
    fc.oneof(
      weightMemories(),
      fc.constant(HUGE),
      fc.constant(defineWeightMemory({ ...HUGE, rows: 2 ** 19, spareRows: 7, checkBits: 11 })),
    ),
    share,
    share,
  ])(
    'a word bit lies at column b·m + w, row ⌊a/m⌋ mod rows, bank ⌊a/(m·rows)⌋, check bits included',
    (memory, addressShare, bitShare) => {
      const address = Math.floor(addressShare * wordCount(memory));
      const bit = Math.floor(bitShare * (memory.wordBits + (memory.checkBits ?? 0)));
      const cell = cellOfWordBit(memory, { address, bit });
      expect(cell).toEqual(definedCell(memory, BigInt(address), BigInt(bit)));
      expect(wordBitOfCell(memory, cell)).toEqual({ address, bit });
    },
  );

  test.prop([weightMemories(), share])(
    'spare cells and check bits move no data bit',
    (memory, numberShare) => {
      const number = Math.floor(numberShare * wordCount(memory) * memory.wordBits);
      const address = Math.floor(number / memory.wordBits);
      const place = { address, bit: number % memory.wordBits };
      expect(cellOfWordBit(memory, place)).toEqual(cellOfWordBit(bare(memory), place));
      expect(wordCount(memory)).toBe(wordCount(bare(memory)));
      expect(slotCount(memory, 8)).toBe(slotCount(bare(memory), 8));
      const geometry = memoryGeometry(memory);
      expect(cellAt(geometry, cellOfBitNumber(memory, number))).toEqual(
        cellAt(memoryGeometry(bare(memory)), cellOfBitNumber(bare(memory), number)),
      );
    },
  );

  test('an extended-Hamming word: 64 data bits, 8 check bits, then spare columns and rows', () => {
    const memory = defineWeightMemory({
      banks: 2,
      rows: 4,
      wordBits: 64,
      columnMux: 4,
      checkBits: 8,
      spareColumns: 3,
      spareRows: 1,
    });
    expect(memoryGeometry(memory)).toEqual({
      banks: 2,
      rows: 5,
      columns: 291,
      spareRows: 1,
      checkColumns: 32,
      spareColumns: 3,
    });
    // Word 2 of row 1 of bank 1 is address (1·4 + 1)·4 + 2.
    const word = { bank: 1, row: 1 };
    expect(wordBitOfCell(memory, { ...word, column: 255 - 1 })).toEqual({ address: 22, bit: 63 });
    expect(wordBitOfCell(memory, { ...word, column: 256 + 2 })).toEqual({ address: 22, bit: 64 });
    expect(wordBitOfCell(memory, { ...word, column: 284 + 2 })).toEqual({ address: 22, bit: 71 });
    expect(wordBitOfCell(memory, { ...word, column: 288 })).toBeUndefined();
    expect(wordBitOfCell(memory, { bank: 0, row: 4, column: 0 })).toBeUndefined();
    expect(() => cellOfWordBit(memory, { address: 0, bit: 72 })).toThrow(
      new InputError('Weight memory: bit must be an integer from 0 to 71, not 72.'),
    );
  });

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
    [{ wordBits: 0 }, 'Weight memory: wordBits must be a positive integer, not 0.'],
    [
      { columnMux: 3 },
      'Weight memory: columnMux must be a power of two such as 1, 2, 4, 8 or 16, not 3.',
    ],
    [
      { banks: 2 ** 40 },
      'Weight memory: 1099511627776 banks × 4096 rows × 128 bits × column mux 1 is more than 2^53 cells; use fewer or smaller banks.',
    ],
    [{ spareRows: -1 }, 'Weight memory: spareRows must be an integer of at least 0, not -1.'],
    [
      { spareColumns: 2.5 },
      'Weight memory: spareColumns must be an integer of at least 0, not 2.5.',
    ],
    [
      { checkBits: Number.POSITIVE_INFINITY },
      'Weight memory: checkBits must be an integer of at least 0, not Infinity.',
    ],
    [
      { checkBits: 2 ** 45, spareRows: 4, spareColumns: 2 },
      'Weight memory: 4 banks × 4096 rows × 128 bits × column mux 1, 35184372088832 check bits a word, 4 spare rows, 2 spare columns is more than 2^53 cells; use fewer or smaller banks.',
    ],
  ])('rejects %o', (change, message) => {
    expect(() => defineWeightMemory({ ...valid, ...change })).toThrow(new InputError(message));
  });

  test('accepts exactly 2^53 cells', () => {
    const memory = { banks: 2 ** 20, rows: 2 ** 20, wordBits: 2 ** 12, columnMux: 2 };
    expect(defineWeightMemory(memory)).toEqual(memory);
  });

  test('leaves out parts that are 0', () => {
    const none = { spareRows: 0, spareColumns: 0, checkBits: 0 };
    expect(Object.keys(defineWeightMemory({ ...valid, ...none }))).toEqual(Object.keys(valid));
    expect(Object.keys(memoryGeometry({ ...valid, ...none }))).toEqual([
      'banks',
      'rows',
      'columns',
    ]);
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
