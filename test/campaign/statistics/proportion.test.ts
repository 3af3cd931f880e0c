import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { clopperPearson, faultSampleSize, wilson } from '../../../campaign/statistics/index.js';

/** Probability under `share` that the interval of a binomial count holds `share`, by enumeration. */
function coverage(
  interval: (successes: number, trials: number) => { low: number; high: number },
  trials: number,
  share: number,
): number {
  let covered = 0;
  let probability = (1 - share) ** trials;
  for (let successes = 0; successes <= trials; successes += 1) {
    const { low, high } = interval(successes, trials);
    if (low <= share && share <= high) covered += probability;
    probability *= ((trials - successes) * share) / ((successes + 1) * (1 - share));
  }
  return covered;
}

// R. G. Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in
// Medicine 17, 1998, table I: the score method (3) and the exact method (5).
const NEWCOMBE = [
  { successes: 81, trials: 263, score: [0.2553, 0.3662], exact: [0.2527, 0.3676] },
  { successes: 15, trials: 148, score: [0.0624, 0.1605], exact: [0.0578, 0.1617] },
  { successes: 0, trials: 20, score: [0, 0.1611], exact: [0, 0.1684] },
  { successes: 1, trials: 29, score: [0.0061, 0.1718], exact: [0.0009, 0.1776] },
];

test.each(NEWCOMBE)("$successes of $trials give Newcombe's limits", (row) => {
  const { successes, trials, score, exact } = row;
  const scoreInterval = wilson(successes, trials);
  const exactInterval = clopperPearson(successes, trials);
  expect(scoreInterval.low).toBeCloseTo(score[0], 4);
  expect(scoreInterval.high).toBeCloseTo(score[1], 4);
  expect(exactInterval.low).toBeCloseTo(exact[0], 4);
  expect(exactInterval.high).toBeCloseTo(exact[1], 4);
});

describe('clopperPearson', () => {
  property.prop([fc.integer({ min: 1, max: 500 })])(
    'has its closed form when nothing or everything succeeds',
    (trials) => {
      const bound = 0.025 ** (1 / trials);
      expect(clopperPearson(0, trials).low).toBe(0);
      expect(clopperPearson(0, trials).high).toBeCloseTo(1 - bound, 9);
      expect(clopperPearson(trials, trials).low).toBeCloseTo(bound, 9);
      expect(clopperPearson(trials, trials).high).toBe(1);
    },
  );

  property.prop([
    fc.integer({ min: 1, max: 60 }),
    fc.double({ min: 0.02, max: 0.98, noNaN: true }),
  ])('covers every proportion with at least the stated probability', (trials, share) => {
    expect(coverage(clopperPearson, trials, share)).toBeGreaterThanOrEqual(0.95 - 1e-9);
  });
});

describe('wilson', () => {
  test('covers 95 % on average over all proportions', () => {
    const shares = Array.from({ length: 200 }, (_, index) => (index + 0.5) / 200);
    const sum = shares.reduce((total, share) => total + coverage(wilson, 40, share), 0);
    expect(sum / shares.length).toBeCloseTo(0.95, 2);
  });

  property.prop([fc.integer({ min: 1, max: 300 }), fc.double({ min: 0, max: 1, noNaN: true })])(
    'mirrors when successes and failures change places',
    (trials, part) => {
      const successes = Math.round(part * trials);
      const { low, high } = wilson(successes, trials);
      const mirrored = wilson(trials - successes, trials);
      expect(low).toBeCloseTo(1 - mirrored.high, 12);
      expect(high).toBeCloseTo(1 - mirrored.low, 12);
    },
  );
});

describe('faultSampleSize', () => {
  // The same formula with a margin of 5 % tabled by R. V. Krejcie and D. W. Morgan, "Determining sample
  // size for research activities", Educational and Psychological Measurement 30, 1970 (they round to
  // the nearest).
  test.each([
    [100, 80],
    [1000, 278],
    [10_000, 370],
    [100_000, 383],
  ])('of %i faults draws %i for ±5 %', (population, published) => {
    const size = faultSampleSize(population, 0.05);
    expect(size - published).toBeGreaterThanOrEqual(0);
    expect(size - published).toBeLessThanOrEqual(1);
  });

  test('has the textbook limit z²/(4e²) for endless populations', () => {
    expect(faultSampleSize(Infinity, 0.01)).toBe(9604);
    expect(faultSampleSize(Infinity, 0.05)).toBe(385);
    expect(faultSampleSize(Infinity, 0.01, { confidence: 0.99 })).toBe(16_588);
  });

  property.prop([
    fc.integer({ min: 1, max: 1e9 }),
    fc.double({ min: 1e-6, max: 0.5, noNaN: true }),
  ])('never asks for more faults than there are', (population, margin) => {
    expect(faultSampleSize(population, margin)).toBeLessThanOrEqual(population);
    expect(faultSampleSize(population, margin)).toBeGreaterThanOrEqual(1);
  });
});
