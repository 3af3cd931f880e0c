import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import {
  betaQuantile,
  normalQuantile,
  regularizedBeta,
  studentQuantile,
} from '../../../campaign/statistics/index.js';

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

describe('normalQuantile', () => {
  test('gives the published points', () => {
    // NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2, last row.
    expect(normalQuantile(0.9)).toBeCloseTo(1.282, 3);
    expect(normalQuantile(0.95)).toBeCloseTo(1.645, 3);
    expect(normalQuantile(0.975)).toBeCloseTo(1.96, 3);
    expect(normalQuantile(0.999)).toBeCloseTo(3.09, 3);
  });

  property.prop([fc.double({ min: 1e-6, max: 0.5, noNaN: true })])('is odd around 1/2', (p) => {
    expect(normalQuantile(p)).toBeCloseTo(-normalQuantile(1 - p), 6);
  });
});
