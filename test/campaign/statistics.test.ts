import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import {
  betaQuantile,
  clopperPearson,
  meanShareInterval,
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

describe('meanShareInterval', () => {
  test('matches a worked example', () => {
    // Mean 0.5, standard deviation 0.1, n = 5: half width 2.776 · 0.1 / √5.
    const shares = [0.4, 0.45, 0.5, 0.55, 0.6].map((x) => 0.5 + (x - 0.5) * (0.1 / 0.0790569415));
    const { low, high } = meanShareInterval(shares);
    expect(low).toBeCloseTo(0.5 - 0.12417, 4);
    expect(high).toBeCloseTo(0.5 + 0.12417, 4);
  });

  test('says nothing after one value', () => {
    expect(meanShareInterval([0.8])).toEqual({ low: 0, high: 1 });
  });
});
