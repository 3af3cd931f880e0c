import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import * as statistics from '../../../campaign/statistics/index.js';

/** Numbers that nobody should pass, among ones that one may. */
const hostile = fc.oneof(
  fc.constantFrom(0, -0, 1, 2, 3, 10, 0.5, 0.025, 0.95, 1 - Number.EPSILON / 2, 1e9, 2 ** 53),
  fc.constantFrom(Number.NaN, Infinity, -Infinity, -1, 1.5, 5e-324, 1e-300, 1e300),
  fc.double(),
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.integer({ min: 0, max: 100 }),
);
const list = fc.oneof(
  fc.array(hostile, { maxLength: 6 }),
  fc.array(fc.nat(10), { maxLength: 12 }),
  fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 }),
);

type Arguments = readonly [
  readonly number[],
  readonly number[],
  readonly number[],
  number,
  number,
  number,
];

/** Every function of the face. */
const CALLS: Readonly<Record<string, (...given: Arguments) => unknown>> = {
  mean: (a) => statistics.mean(a),
  accuracyInterval: (a, _b, _c, x, y) => statistics.accuracyInterval(a, x, y),
  pairedDifference: (a, b, _c, x, y) => statistics.pairedDifference(a, b, x, y),
  pairedImagesDifference: (_a, _b, _c, x, y, z) =>
    statistics.pairedImagesDifference({ lost: x, gained: y }, z),
  dieLooks: (_a, _b, _c, x) => statistics.dieLooks(x),
  differenceAtLook: (_a, _b, _c, x, y, z) =>
    statistics.differenceAtLook({ lost: x, gained: y }, { images: z, confidence: 0.95 }),
  dieVerdict: (_a, _b, _c, x, y, z) =>
    statistics.dieVerdict({ mean: x, low: x, high: y }, z).length,
  isSettled: (_a, _b, _c, x, y, z) =>
    Number(statistics.isSettled({ mean: x, low: x, high: y }, { within: z, precision: x })),
  imagesOfMap: (_a, _b, _c, x) => statistics.imagesOfMap(10, x),
  boundedMeanInterval: (a, _b, _c, x) => statistics.boundedMeanInterval(a, x),
  crossedVariance: (a, b) => statistics.crossedVariance({ perMap: a, perImage: b }),
  crossedAccuracyInterval: (a, b, _c, x) =>
    statistics.crossedAccuracyInterval({ perMap: a, perImage: b }, x),
  unevenAccuracyInterval: (a, b, c, x) =>
    statistics.unevenAccuracyInterval(c, { perMap: a, perImage: b }, x),
  imagesPerMap: (a, b, c, x, y, z) =>
    statistics.imagesPerMap(
      a.map((betweenMaps, at) => ({ betweenMaps, withinMap: b[at] ?? z })),
      { map: x, images: (count) => count * (c[0] ?? 1) },
      y,
      { least: z, most: c[1] ?? 10 },
    ),
  nestedVariances: (a, _b, _c, x) => statistics.nestedVariances({ correct: a, images: x }),
  precisionRule: (a, _b, _c, x, y, z) => {
    const rule = statistics.precisionRule(x, y, z);
    const results = { correct: a, images: 10 };
    const decided = rule.decide(results) === 'stop' ? 1 : 0;
    return [decided, rule.expectedMaps(results), rule.interval(results)];
  },
  expectedMaps: (_a, _b, _c, x, y, z) => statistics.expectedMaps(x, y, z),
  clopperPearson: (_a, _b, _c, x, y, z) => statistics.clopperPearson(x, y, z),
  wilson: (_a, _b, _c, x, y, z) => statistics.wilson(x, y, z),
  faultSampleSize: (_a, _b, _c, x, y, z) =>
    statistics.faultSampleSize(x, y, { confidence: z, share: 0.5 }),
  quantile: (a, _b, _c, x) => statistics.quantile(a, x),
  mapSpread: (a, _b, _c, x) => statistics.mapSpread(a, x),
  betaQuantile: (_a, _b, _c, x, y, z) => statistics.betaQuantile(x, y, z),
  normalQuantile: (_a, _b, _c, x) => statistics.normalQuantile(x),
  regularizedBeta: (_a, _b, _c, x, y, z) => statistics.regularizedBeta(x, y, z),
  studentQuantile: (_a, _b, _c, x, y) => statistics.studentQuantile(x, y),
  judgeShares: (a, b, _c, x, y) =>
    statistics.judgeShares(
      a.map((successes, at) => ({ successes, trials: b[at] ?? 10 })),
      x,
      y,
    ),
  tellApart: (a, b, _c, x, y) => statistics.tellApart(a, b, x, y),
  yieldEstimate: (a, b, _c, x, y, z) =>
    statistics.yieldEstimate({ images: x, correct: a, cleanCorrect: b }, y, z),
  yieldResolution: (a, b, c, x, y) =>
    statistics.yieldResolution({ images: x, correct: a, cleanCorrect: b, sdc: c }, y),
  highestRateWithYield: (a, _b, _c, x, y) =>
    statistics.highestRateWithYield(
      a.map((rate) => ({ rate, yield: { share: x, low: y } })),
      0.9,
    ),
  lowestVoltageWithYield: (a, _b, _c, x, y) =>
    statistics.lowestVoltageWithYield(
      a.map((voltage) => ({ voltage, yield: { share: 1, low: x } })),
      y,
    ),
};

function numbersOf(value: unknown): number[] {
  if (typeof value === 'number') return [value];
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(numbersOf);
  return [];
}

describe('whatever is passed', () => {
  test('to any function of the face', () => {
    const functions = Object.entries(statistics).filter(([, value]) => typeof value === 'function');
    expect(Object.keys(CALLS).toSorted()).toEqual(functions.map(([name]) => name).toSorted());
  });

  describe.each(Object.entries(CALLS))('%s', (_name, call) => {
    property.prop([list, list, list, hostile, hostile, hostile], { numRuns: 300 })(
      'ends with finite numbers or a RangeError',
      (...given) => {
        try {
          const numbers = numbersOf(call(...given));
          expect(numbers.filter((value) => !Number.isFinite(value))).toEqual([]);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      },
    );
  });
});

test.each([
  [() => statistics.accuracyInterval([1], 0), 'images 0: expected a whole number from 1'],
  [() => statistics.accuracyInterval([3], 2), 'counts 3: expected a whole number from 0 to 2'],
  [() => statistics.accuracyInterval([1.5], 2), 'counts 1.5: expected a whole number'],
  [() => statistics.accuracyInterval([1], 2, 1), 'confidence 1: expected a number above 0 and'],
  [() => statistics.boundedMeanInterval([]), 'values: expected at least 1 values, not 0'],
  [() => statistics.boundedMeanInterval([Number.NaN]), 'value NaN: expected a number from 0 to 1'],
  [() => statistics.clopperPearson(3, 2), 'successes 3: expected a whole number from 0 to 2'],
  [
    () => statistics.precisionRule(0.6, 10),
    'precision 0.6: expected a number above 0, at most 0.5',
  ],
  [() => statistics.mapSpread([], 10), 'counts: expected at least 1 values, not 0'],
  [
    () => statistics.crossedVariance({ perMap: [1, 1], perImage: [1, 2] }),
    'perMap and perImage must have the same sum, not 2 and 3',
  ],
])('says what is wrong: %#', (call, message) => {
  expect(call).toThrow(RangeError);
  expect(call).toThrow(message);
});

// The asymptotic expansion of the tail, φ(z)/z·(1 − 1/z² + 3/z⁴ − …).
describe('normalQuantile far out', () => {
  property.prop([fc.double({ min: 5, max: 35, noNaN: true })])(
    'inverts the asymptotic tail',
    (z) => {
      const x = 1 / (z * z);
      const series = 1 - x * (1 - 3 * x * (1 - 5 * x * (1 - 7 * x * (1 - 9 * x))));
      const tail = (Math.exp(-z * z * 0.5) / (z * Math.sqrt(2 * Math.PI))) * series;
      expect(statistics.normalQuantile(tail) / -z).toBeCloseTo(1, 5);
    },
  );

  test('is that of Student with very many degrees of freedom', () => {
    const z = statistics.normalQuantile(0.975);
    for (const freedom of [1e6, 9e7, 2e8, 1e15]) {
      const expansion = z + (z ** 3 + z) / (4 * freedom);
      expect(statistics.studentQuantile(0.975, freedom)).toBeCloseTo(expansion, 6);
    }
  });
});
