import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { cellIndex, FAULT_KINDS, type FaultMap } from '../../../fault/index.js';
import {
  decodeTmr,
  encodeTmr,
  type MemoryPart,
  memoryNeeds,
  memorySideOf,
  type PlacedWeights,
  type TmrCode,
  tmrCode,
} from '../../../mitigation/index.js';
import { cellOfWordBit, storedWords } from '../../../sim/index.js';
import { bigOf, fromHex, readCases } from './cases.js';
import { placedCases, plain } from './placed-networks.js';

const KINDS: Readonly<Record<string, (value: bigint, cell: bigint) => bigint>> = {
  'stuck-at-0': (value, cell) => value & ~cell,
  'stuck-at-1': (value, cell) => value | cell,
  flip: (value, cell) => value ^ cell,
};

function copiesOf(code: TmrCode, weight: number): bigint {
  return bigOf([encodeTmr(code, weight, 0), encodeTmr(code, weight, 1)]);
}

function readOf(code: TmrCode, weight: number, copies: bigint): number {
  return decodeTmr(code, weight, Number(copies & 0xffffffffn), Number(copies >> 32n));
}

test('known answers', () => {
  const cases = readCases('tmr');
  expect(cases).toHaveLength(16);
  for (const row of cases) {
    const code = tmrCode(row.bits.split(' ').map(Number));
    const weightBits = BigInt(row.weightBits);
    const weight = Number(fromHex(row.weight));
    const stored = BigInt(weight) | (copiesOf(code, weight) << weightBits);
    const read = row.faults
      .split(' ')
      .filter((fault) => fault !== '')
      .map((fault) => fault.split(':'))
      .reduce((value, [cell, kind]) => KINDS[kind](value, 1n << BigInt(cell)), stored);
    expect([stored, read]).toEqual([row.stored, row.read].map(fromHex));
    const own = Number(read & ((1n << weightBits) - 1n));
    expect(readOf(code, own, read >> weightBits)).toBe(Number(fromHex(row.delivered)));
  }
});

const words = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const bitLists = fc.shuffledSubarray(
  Array.from({ length: 32 }, (_, bit) => bit),
  { minLength: 1 },
);
const copyWords = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

property.prop([words, bitLists])(
  'copies fill two cells for each bit, and no more',
  (word, bits) => {
    const code = tmrCode(bits);
    const copies = copiesOf(code, word);
    expect(code.copyBits).toBe(2 * bits.length);
    expect(copies >> BigInt(code.copyBits)).toBe(0n);
    expect(readOf(code, word, copies)).toBe(word);
  },
);

property.prop([words, bitLists, copyWords])(
  'any cells read as their majority',
  (word, bits, any) => {
    const code = tmrCode(bits);
    const expected = bits.reduce((weight, bit, j) => {
      const votes = [
        (word >>> bit) & 1,
        Number((any >> BigInt(2 * j)) & 1n),
        Number((any >> BigInt(2 * j + 1)) & 1n),
      ];
      const isSet = votes[0] + votes[1] + votes[2] >= 2;
      return isSet ? weight | (1 << bit) : weight & ~(1 << bit);
    }, word);
    expect(readOf(code, word, any)).toBe(expected >>> 0);
  },
);

test.each([[[32]], [[-1]], [[0.5]], [[7, 7]]])('bits %j are refused', (bits) => {
  expect(() => tmrCode(bits)).toThrow(`tmr of bits ${bits.join(', ')}`);
});

/** What a cell of the map is read as. */
function readCell(
  map: FaultMap,
  { placement }: PlacedWeights,
  address: number,
  bit: number,
  stored: number,
): number {
  const cell = cellOfWordBit(placement.memory, { address, bit });
  const fault = map.cells.indexOf(cellIndex(placement.geometry, cell));
  if (fault < 0) return stored;
  const kind = FAULT_KINDS[map.kinds[fault]];
  return { 'stuck-at-0': 0, 'stuck-at-1': 1, flip: 1 - stored }[kind];
}

describe.each([
  { format: 'int8', bits: [7, 6, 0], copies: 6 * 8 },
  { format: 'float32', bits: [30, 31, 22, 0], copies: 8 * 2 },
] as const)('$format weights in a memory of 64-bit words', ({ format, bits, copies }) => {
  const part: MemoryPart = { use: 'tmr', bits };
  // Copies lie behind the eight check bits of a code.
  const beside: MemoryPart = { use: 'secded', banks: [1] };
  const weightBits = format === 'int8' ? 8 : 32;
  const cases = placedCases(format, { checkBits: 8 + copies }, [64]);

  test('check bits of the code come first', () => {
    const [{ placed }] = fc.sample(cases, { numRuns: 1, seed: 1 });
    expect(memoryNeeds([part], placed)).toMatchObject({ checkBits: copies });
    expect(memoryNeeds([part, beside], placed)).toMatchObject({ checkBits: 8 + copies });
  });

  property.prop([cases, fc.boolean()])(
    'each protected bit is read as two of its three cells say',
    ({ placed, map }, hasCode) => {
      const { memory, slotOf } = placed.placement;
      const first = memory.wordBits + (hasCode ? 8 : 0);
      const words = storedWords(placed.network);
      const wordsPerBank = memory.rows * memory.columnMux;
      const parts = hasCode ? [part, beside] : [part];
      const patches = memorySideOf(parts, placed).patchesOf(map);
      const slots = memory.wordBits / weightBits;
      for (let weight = 0; weight < words.length; weight++) {
        const slot = slotOf(weight);
        const address = Math.floor(slot / slots);
        if (hasCode && Math.floor(address / wordsPerBank) === 1) continue;
        const place = slot % slots;
        const readBit = (bit: number, stored: number) =>
          readCell(map, placed, address, bit, stored);
        let expected = 0;
        for (let bit = 0; bit < weightBits; bit++) {
          const stored = (words[weight] >>> bit) & 1;
          const j = (bits as readonly number[]).indexOf(bit);
          const cells = [place * weightBits + bit];
          const copy = first + place * 2 * bits.length + 2 * j;
          if (j >= 0) cells.push(copy, copy + 1);
          const ones = cells.filter((cell) => readBit(cell, stored) === 1).length;
          if (2 * ones > cells.length) expected |= 1 << bit;
        }
        const found = patches.weights.indexOf(weight);
        const read = found < 0 ? words[weight] : patches.words[found];
        expect(read).toBe(expected >>> 0);
      }
    },
  );

  property.prop([placedCases(format)])(
    'in a memory without cells for them, copies are sound: the bits never fail',
    ({ placed, map }) => {
      const hardened = memorySideOf([{ use: 'harden', bits }], placed).patchesOf(map);
      expect(plain(memorySideOf([part], placed).patchesOf(map))).toEqual(plain(hardened));
    },
  );
});

test('a bit that weights do not have is refused', () => {
  const [{ placed }] = fc.sample(placedCases('int8'), { numRuns: 1, seed: 1 });
  expect(() => memorySideOf([{ use: 'tmr', bits: [8] }], placed)).toThrow(
    'tmr: tiny has weights of 8 bits, 0 to 7, and no bit 8',
  );
});
