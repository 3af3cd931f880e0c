import { fc, test as property } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import { decodeTmr, encodeTmr, type TmrCode, tmrCode } from '../../../mitigation/index.js';
import { bigOf, fromHex, readCases } from './cases.js';

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
