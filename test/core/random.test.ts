import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import {
  createRandomStream,
  InputError,
  PURPOSE,
  philox4x32,
  sampleWithoutReplacement,
} from '../../core/index.js';

const uint32 = fc.integer({ min: 0, max: 0xffffffff });
const bounds = fc.oneof(
  fc.integer({ min: 1, max: 2 ** 53 }),
  fc.integer({ min: 0, max: 53 }).map((exponent) => 2 ** exponent),
  fc.integer({ min: 1, max: 1000 }),
);

/** The four words that the documented key and counter give. */
function wordsOf(seed: number, trial: number, purpose: number, index: number): bigint[] {
  const split = (value: number) => [value % 2 ** 32, Math.floor(value / 2 ** 32)];
  const output = new Uint32Array(4);
  philox4x32(
    Uint32Array.of(trial, purpose, ...split(index)),
    Uint32Array.from(split(seed)),
    output,
  );
  return Array.from(output, BigInt);
}

describe('a random stream', () => {
  test.prop([fc.maxSafeNat(), uint32, uint32, fc.maxSafeNat()])(
    'gives the leading 53 bits of its words as a uniform number',
    (seed, trial, purpose, index) => {
      const words = wordsOf(seed, trial, purpose, index);
      // 27 bits of the first word, 26 of the second.
      const bits = ((words[0] >> 5n) << 26n) | (words[1] >> 6n);
      const value = createRandomStream(seed, trial, purpose).uniform(index);
      expect(BigInt(value * 2 ** 53)).toBe(bits);
    },
  );

  test.prop([fc.maxSafeNat(), uint32, uint32, fc.maxSafeNat(), bounds])(
    'scales 64 bits to a bound exactly',
    (seed, trial, purpose, index, bound) => {
      const words = wordsOf(seed, trial, purpose, index);
      const expected = (((words[0] << 32n) | words[1]) * BigInt(bound)) >> 64n;
      const value = createRandomStream(seed, trial, purpose).integerBelow(bound, index);
      expect(BigInt(value)).toBe(expected);
    },
  );

  test.prop([
    fc.maxSafeNat(),
    uint32,
    uint32,
    fc.oneof(fc.nat(1e6), fc.integer({ min: 2 ** 32 - 20, max: 2 ** 32 + 20 }), fc.nat(2 ** 31)),
    fc.oneof(fc.integer({ min: 1, max: 2 ** 32 }), fc.constantFrom(1, 2 ** 32 - 1, 2 ** 32)),
    fc.oneof(fc.nat(40), fc.integer({ min: 4090, max: 8200 })),
  ])(
    'draws many numbers as it draws them one by one',
    (seed, trial, purpose, first, bound, count) => {
      const stream = createRandomStream(seed, trial, purpose);
      const words = new Uint32Array(count);
      const numbers = new Float64Array(count);
      stream.integersBelow(bound, first, words);
      stream.integersBelow(bound, first, numbers);
      const expected = Array.from(words, (_, place) => stream.integerBelow(bound, first + place));
      expect(Array.from(words)).toEqual(expected);
      expect(Array.from(numbers)).toEqual(expected);
    },
  );

  test.prop([fc.maxSafeNat(), uint32, fc.uniqueArray(fc.maxSafeNat(), { minLength: 1 })])(
    'does not depend on the order of its draws',
    (seed, trial, indices) => {
      const forward = createRandomStream(seed, trial, 1);
      const backward = createRandomStream(seed, trial, 1);
      const values = new Map(indices.map((index) => [index, forward.uniform(index)]));
      for (const index of indices.toReversed()) {
        expect(backward.uniform(index)).toBe(values.get(index));
      }
    },
  );

  test('keeps the values of its seed', () => {
    const stream = createRandomStream(20190325, 7, PURPOSE.faultOrder);
    const indices = [0, 1, 2 ** 32, 2 ** 53 - 1];
    expect(indices.map((index) => stream.uniform(index))).toMatchInlineSnapshot(`
      [
        0.35171628473618166,
        0.044586599730379595,
        0.2729218434109668,
        0.5350854548618648,
      ]
    `);
    expect(indices.map((index) => stream.integerBelow(1e9, index))).toMatchInlineSnapshot(`
      [
        351716283,
        44586600,
        272921845,
        535085455,
      ]
    `);
  });

  test('keeps the numbers of its purposes', () => {
    expect(PURPOSE).toMatchInlineSnapshot(`
      {
        "calibrationChoice": 24,
        "clusterPlace": 18,
        "faultActivity": 19,
        "faultArrival": 17,
        "faultCount": 1,
        "faultKind": 3,
        "faultKnowledge": 20,
        "faultOrder": 2,
        "imageChoice": 4,
        "regionDensity": 16,
        "storageSeed": 21,
        "transientCount": 22,
        "transientPlace": 23,
      }
    `);
  });

  test.each([-1, 0.5, Number.NaN, 2 ** 53])('refuses the seed %s', (seed) => {
    expect(() => createRandomStream(seed, 0, 1)).toThrow(
      new InputError(`The seed is ${seed}, but must be a whole number from 0 to 9007199254740991.`),
    );
  });

  test('refuses a trial that does not fit its word of the counter', () => {
    expect(() => createRandomStream(1, 2 ** 32, 1)).toThrow(
      new InputError('The trial is 4294967296, but must be a whole number from 0 to 4294967295.'),
    );
  });
});

describe('sampleWithoutReplacement', () => {
  const samples = fc
    .integer({ min: 0, max: 200 })
    .chain((population) => fc.tuple(fc.constant(population), fc.nat({ max: population })));

  test.prop([fc.nat(), samples])(
    'is a prefix of a permutation of the population',
    (seed, [population, count]) => {
      const stream = createRandomStream(seed, 0, PURPOSE.imageChoice);
      const all = sampleWithoutReplacement(stream, population, population);
      expect(all.toSorted()).toEqual(Uint32Array.from({ length: population }, (_, i) => i));
      expect(sampleWithoutReplacement(stream, population, count)).toEqual(all.subarray(0, count));
    },
  );

  test('gives every order of three with about the same frequency', () => {
    const trials = 6000;
    const counts = new Map<string, number>();
    for (let trial = 0; trial < trials; trial += 1) {
      const order = sampleWithoutReplacement(createRandomStream(1, trial, 4), 3, 3).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    // Hoeffding: one count of n trials is off by more than n·t with probability at most 2·exp(−2nt²).
    const tolerance = trials * Math.sqrt(Math.log(2 / 1e-6) / (2 * trials));
    for (const count of counts.values()) {
      expect(Math.abs(count - trials / 6)).toBeLessThan(tolerance);
    }
  });

  test('keeps the values of its seed', () => {
    const stream = createRandomStream(1, 0, PURPOSE.imageChoice);
    expect([...sampleWithoutReplacement(stream, 10_000, 5)]).toMatchInlineSnapshot(`
      [
        7759,
        967,
        5461,
        6361,
        9897,
      ]
    `);
  });

  test('refuses a sample larger than the population', () => {
    expect(() => sampleWithoutReplacement(createRandomStream(1, 0, 4), 10, 11)).toThrow(
      new InputError('The sample size is 11, but must be a whole number from 0 to 10.'),
    );
  });
});
