import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import {
  CEP_CHUNKS,
  cepCode,
  decodeFloat32Word as decode,
  encodeFloat32Word as encode,
  type Float32Code,
  MSET,
} from '../../../mitigation/index.js';
import { readCases } from './cases.js';

const words = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const bit = fc.integer({ min: 0, max: 31 });
const chunks = fc.constantFrom(...CEP_CHUNKS);

function struckBy(word: number, ...bits: readonly number[]): number {
  return bits.reduce((read, one) => (read ^ (1 << one)) >>> 0, word);
}

/** The data bits of each chunk from the highest on, and its parity bit. */
function layoutOf(chunk: number): { readonly data: readonly number[]; readonly parity: number }[] {
  const count = 32 / (chunk + 1);
  return Array.from({ length: count }, (_, index) => ({
    data: Array.from({ length: chunk }, (_, place) => 31 - index * chunk - place),
    parity: count - 1 - index,
  }));
}

const codeOf: Readonly<Record<string, (parameters: string) => Float32Code>> = {
  mset: () => MSET,
  cep: (parameters) => {
    const chunk = CEP_CHUNKS.find((one) => String(one) === parameters);
    if (!chunk) throw new Error(`cep of chunks of ${parameters}`);
    return cepCode(chunk);
  },
};

test.each([
  ['mset', 80],
  ['cep', 80],
])('known answers of %s', (name, count) => {
  const cases = readCases('float32').filter(({ protection }) => protection === name);
  expect(cases).toHaveLength(count);
  for (const row of cases) {
    const code = codeOf[name](row.parameters);
    const stored = encode(code, Number(`0x${row.word}`));
    const read = (stored ^ Number(`0x${row.error}`)) >>> 0;
    expect([stored, decode(code, read)]).toEqual(
      [row.stored, row.delivered].map((digits) => Number(`0x${digits}`)),
    );
  }
});

property.prop([words, fc.constantFrom(MSET, ...CEP_CHUNKS.map(cepCode))])(
  'what was read and is written anew is read again, and what is written again is stored as before',
  (word, code) => {
    const stored = encode(code, word);
    expect(encode(code, stored)).toBe(stored);
    const delivered = decode(code, stored);
    expect(encode(code, delivered)).toBe(stored);
    const again = decode(code, encode(code, decode(code, word)));
    expect(decode(code, encode(code, again))).toBe(again);
  },
);

describe('mset', () => {
  property.prop([words])('changes bits 1 and 0 alone, to bit 30', (word) => {
    const stored = encode(MSET, word);
    expect(stored >>> 2).toBe(word >>> 2);
    expect(stored & 3).toBe(((word >>> 30) & 1) * 3);
    expect(decode(MSET, stored)).toBe(stored);
  });

  property.prop([words, bit])('keeps bit 30 whatever one bit is struck', (word, struck) => {
    const stored = encode(MSET, word);
    const expected = struck === 30 ? stored : struckBy(stored, struck);
    expect(decode(MSET, struckBy(stored, struck))).toBe(expected);
  });
});

describe('cep', () => {
  property.prop([words, chunks])('stores even parity of each chunk', (word, chunk) => {
    const code = cepCode(chunk);
    const stored = encode(code, word);
    for (const { data, parity } of layoutOf(chunk)) {
      const ones = [...data, parity].filter((one) => (stored >>> one) & 1).length;
      expect(ones % 2).toBe(0);
      for (const one of data) expect((stored >>> one) & 1).toBe((word >>> one) & 1);
    }
  });

  property.prop([words, chunks])(
    'reads any word as its chunks of right parity, and 0 elsewhere',
    (word, chunk) => {
      let expected = 0;
      for (const { data, parity } of layoutOf(chunk)) {
        const ones = [...data, parity].filter((one) => (word >>> one) & 1).length;
        if (ones % 2 === 0) for (const one of data) expected |= word & (1 << one);
      }
      expect(decode(cepCode(chunk), word)).toBe(expected >>> 0);
    },
  );
});
