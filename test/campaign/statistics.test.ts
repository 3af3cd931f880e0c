import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import {
  accuracyInterval,
  betaQuantile,
  clopperPearson,
  regularizedBeta,
  studentQuantile,
} from '../../campaign/index.js';

describe('regularizedBeta', () => {
  property.prop([fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 1, max: 40 })])(
    'equals its closed form x^a for b = 1',
    (x, a) => {
      expect(regularizedBeta(x, a, 1)).toBeCloseTo(x ** a, 12);
    },
  );

  property.prop([
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.integer({ min: 1, max: 30 }),
    fc.integer({ min: 1, max: 30 }),
  ])('equals the binomial tail for whole parameters', (x, a, b) => {
    const n = a + b - 1;
    let term = (1 - x) ** n;
    let below = 0;
    for (let k = 0; k < a; k += 1) {
      below += term;
      term = x === 1 ? 0 : (term * (n - k) * x) / ((k + 1) * (1 - x));
    }
    if (x < 1) expect(regularizedBeta(x, a, b)).toBeCloseTo(1 - below, 9);
  });

  property.prop([
    fc.double({ min: 0.001, max: 0.999, noNaN: true }),
    fc.integer({ min: 1, max: 50 }),
    fc.integer({ min: 1, max: 50 }),
  ])('is inverted by betaQuantile', (p, a, b) => {
    expect(regularizedBeta(betaQuantile(p, a, b), a, b)).toBeCloseTo(p, 10);
  });
});

test('studentQuantile gives the published 97.5 % points', () => {
  // NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2.
  expect(studentQuantile(0.975, 1)).toBeCloseTo(12.706, 3);
  expect(studentQuantile(0.975, 4)).toBeCloseTo(2.776, 3);
  expect(studentQuantile(0.975, 9)).toBeCloseTo(2.262, 3);
  expect(studentQuantile(0.975, 30)).toBeCloseTo(2.042, 3);
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
    let covered = 0;
    let probability = (1 - share) ** trials;
    for (let successes = 0; successes <= trials; successes += 1) {
      const { low, high } = clopperPearson(successes, trials);
      if (low <= share && share <= high) covered += probability;
      probability = (probability * (trials - successes) * share) / ((successes + 1) * (1 - share));
    }
    expect(covered).toBeGreaterThanOrEqual(0.95 - 1e-9);
  });
});

describe('accuracyInterval', () => {
  test("is Student's t interval of the maps, as in a worked example", () => {
    // Mean 0.5, standard deviation 0.1581, n = 5: half width 2.7764 · 0.1581 / √5 = 0.1963.
    const { low, high } = accuracyInterval([300, 400, 500, 600, 700], 1000);
    expect(low).toBeCloseTo(0.5 - 0.1963, 4);
    expect(high).toBeCloseTo(0.5 + 0.1963, 4);
  });

  test('says nothing after one map', () => {
    expect(accuracyInterval([80], 100)).toEqual({ low: 0, high: 1 });
  });

  property.prop([
    fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 2, maxLength: 12 }),
    fc.integer({ min: 50, max: 100 }),
  ])('is never narrower than the exact interval of all images', (correct, images) => {
    const total = correct.reduce((sum, value) => sum + value, 0);
    const pooled = clopperPearson(total, correct.length * images);
    const { low, high } = accuracyInterval(correct, images);
    expect(low).toBeLessThanOrEqual(pooled.low);
    expect(high).toBeGreaterThanOrEqual(pooled.high);
    expect(low).toBeGreaterThanOrEqual(0);
    expect(high).toBeLessThanOrEqual(1);
  });
});
