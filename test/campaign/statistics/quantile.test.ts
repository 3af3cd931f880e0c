import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { mapSpread, quantile } from '../../../campaign/statistics/index.js';

const sample = fc
  .array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 50 })
  .map((values) => values.toSorted((a, b) => a - b));

const probability = fc.double({ min: 0, max: 1, noNaN: true });

describe('quantile', () => {
  // Of NumPy: quantile([1, 2, 4, 8, 16, 32], [0, .1, .25, .5, .75, .9, 1]), whose default is definition 7.
  test.each([
    [0, 1],
    [0.1, 1.5],
    [0.25, 2.5],
    [0.5, 6],
    [0.75, 14],
    [0.9, 24],
    [1, 32],
  ])('gives the %f-quantile of definition 7', (p, value) => {
    expect(quantile([1, 2, 4, 8, 16, 32], p)).toBeCloseTo(value, 12);
  });

  property.prop([fc.integer({ min: 1, max: 200 }), probability])(
    'is linear on equally spaced values: (n − 1)p of 0 … n − 1',
    (n, p) => {
      const values = Array.from({ length: n }, (_, index) => index);
      expect(quantile(values, p)).toBeCloseTo((n - 1) * p, 9);
    },
  );

  property.prop([sample, probability, probability])('never falls', (values, one, other) => {
    const [low, high] = [Math.min(one, other), Math.max(one, other)];
    expect(quantile(values, low)).toBeLessThanOrEqual(quantile(values, high) + 1e-12);
  });

  property.prop([sample, probability])('mirrors with its values', (values, p) => {
    const mirrored = values.map((value) => 1 - value).reverse();
    expect(quantile(mirrored, 1 - p)).toBeCloseTo(1 - quantile(values, p), 9);
  });
});

describe('mapSpread', () => {
  test('is of shares, whatever the order of the maps', () => {
    expect(mapSpread([40, 10, 30, 20, 0], 40)).toEqual({
      worst: 0,
      lowerQuartile: 0.25,
      median: 0.5,
      upperQuartile: 0.75,
      best: 1,
    });
  });

  test('of one map is that map', () => {
    const spread = mapSpread([9], 10);
    expect(new Set(Object.values(spread))).toEqual(new Set([0.9]));
  });
});
