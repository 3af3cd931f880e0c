import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import {
  closestFloat32,
  closestInt8,
  storeClosest,
  type WeightBits,
} from '../../../mitigation/index.js';
import { caseRows, hexadecimalOf, lanesOf, parseFaults, read, struckWords } from './support.js';

describe('known answers', () => {
  const rows = caseRows('closest.csv');
  test('are there', () => expect(rows.length).toBe(50));

  test.each(rows)('$weightBits $weight $faults', (row) => {
    const weightBits = Number(row.weightBits) as WeightBits;
    const data = lanesOf(row.weight, 32);
    const faults = parseFaults(row.faults, 32);
    const written = read(data, faults);
    expect(written[0]).toBe(Number.parseInt(row.readAsWritten, 16));
    const stored = new Uint32Array(1);
    storeClosest(data, faults, weightBits, stored);
    expect(hexadecimalOf(read(stored, faults))).toBe(row.delivered.padStart(8, '0'));
    const faulty = ~faults.and[0] | faults.or[0] | faults.xor[0];
    const closest = weightBits === 8 ? closestInt8 : closestFloat32;
    expect(closest(data[0], faulty, written[0]) >>> 0).toBe(Number.parseInt(row.delivered, 16));
  });
});

interface Value {
  readonly negative: boolean;
  /** Exact. */
  readonly value: bigint;
}

/** The first of the words in the order of distance, magnitude, value, and of 0 and −0 the one of the weight's sign. */
function nearest(words: readonly number[], exactly: (word: number) => Value, weight: number) {
  const of = exactly(weight);
  const ranked = words.map((word) => {
    const { negative, value } = exactly(word);
    const signs = BigInt(negative !== of.negative);
    return { word, keys: [size(value - of.value), size(value), value, signs] };
  });
  return ranked.reduce((best, one) => {
    const differing = one.keys.findIndex((key, place) => key !== best.keys[place]);
    return differing >= 0 && one.keys[differing] < best.keys[differing] ? one : best;
  }).word;
}

const size = (value: bigint) => (value < 0n ? -value : value);

function int8Value(word: number): Value {
  return { negative: word >= 128, value: BigInt((word << 24) >> 24) };
}

/** In units of the smallest float32 number above 0. */
function float32Value(word: number): Value {
  const exponent = (word >>> 23) & 0xff;
  const mantissa = BigInt(word & 0x7fffff);
  const magnitude = exponent === 0 ? mantissa : (mantissa + 0x800000n) << BigInt(exponent - 1);
  const negative = word >>> 31 === 1;
  return { negative, value: negative ? -magnitude : magnitude };
}

const isFinite32 = (word: number) => ((word >>> 23) & 0xff) !== 0xff;

const byte = fc.nat(255);

property.prop([byte, byte, byte], { numRuns: 1000 })(
  'an int8 weight becomes the nearest of all readable words',
  (weight, faulty, read) => {
    const all = Array.from({ length: 256 }, (_, word) => word);
    const readable = all.filter((word) => ((word ^ read) & faulty) === 0);
    const expected = nearest(readable, int8Value, weight);
    expect(closestInt8(weight, faulty, read)).toBe(expected);
  },
);

const word = fc.integer({ min: 0, max: 0xffffffff });
/** Words around the ends of what a float32 is: zeros, subnormal numbers, powers of two, the largest ones. */
const edges = fc
  .tuple(
    fc.constantFrom(0, 1, 0x007fffff, 0x00800000, 0x3f7fffff, 0x3f800000, 0x7f000000, 0x7f7fffff),
    fc.boolean(),
  )
  .map(([magnitude, negative]) => (negative ? magnitude + 0x80000000 : magnitude));
/** Few free bits: all words that are readable can be tried. */
const free = fc.uniqueArray(
  fc.oneof(fc.nat(31), fc.integer({ min: 22, max: 31 }), fc.constantFrom(0, 31)),
  { maxLength: 9 },
);

property.prop([fc.oneof(word, edges), free, fc.oneof(word, edges)], { numRuns: 1000 })(
  'a float32 weight becomes the nearest of all finite readable words',
  (weight, freeBits, read) => {
    fc.pre(isFinite32(weight));
    const faulty = freeBits.reduce((cells, bit) => cells & ~(1 << bit), -1);
    const readable = freeBits.reduce<number[]>(
      (words, bit) => words.flatMap((one) => [one, (one | (1 << bit)) >>> 0]),
      [(read & faulty) >>> 0],
    );
    const finite = readable.filter(isFinite32);
    const asWritten = ((read & faulty) | (weight & ~faulty)) >>> 0;
    const expected = finite.length === 0 ? asWritten : nearest(finite, float32Value, weight);
    expect(closestFloat32(weight, faulty, asWritten) >>> 0).toBe(expected);
  },
);

test('a weight that is not finite is written unchanged', () => {
  expect(closestFloat32(0x7f800000, 1, 0x7f800001)).toBe(0x7f800001);
});

property.prop([struckWords])(
  'words without faults are stored as they are',
  ({ data, wordBits }) => {
    const stored = new Uint32Array(data.length);
    for (const weightBits of [8, 32] as const) {
      storeClosest(data, parseFaults('', wordBits), weightBits, stored);
      expect(stored).toEqual(data);
    }
  },
);

property.prop([struckWords])('each weight of a word is replaced by itself', (struck) => {
  const { data, faults } = struck;
  const bytes = (lanes: Uint32Array) => new Uint8Array(lanes.slice().buffer);
  const faulty = data.map((_, lane) => ~faults.and[lane] | faults.or[lane] | faults.xor[lane]);
  const asWritten = read(data, faults);
  const stored = data.slice();
  storeClosest(stored, faults, 8, stored);
  expect([...bytes(read(stored, faults))]).toEqual(
    [...bytes(data)].map((weight, at) =>
      closestInt8(weight, bytes(faulty)[at], bytes(asWritten)[at]),
    ),
  );
  const floats = data.map((lane) => lane & 0xbfffffff);
  const asWrittenFloats = read(floats, faults);
  storeClosest(floats, faults, 32, stored);
  expect([...read(stored, faults)]).toEqual(
    [...floats].map((weight, at) => closestFloat32(weight, faulty[at], asWrittenFloats[at]) >>> 0),
  );
});
