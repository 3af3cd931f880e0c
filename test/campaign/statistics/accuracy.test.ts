import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import {
  accuracyInterval,
  boundedMeanInterval,
  clopperPearson,
  mean,
  pairedDifference,
} from '../../../campaign/statistics/index.js';

const shares = fc.array(
  fc.integer({ min: 0, max: 40 }).map((count) => count / 40),
  { minLength: 1, maxLength: 60 },
);
const confidences = fc.constantFrom(0.8, 0.9, 0.95, 0.99, 0.999);

describe('boundedMeanInterval', () => {
  property.prop([fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 300 }), confidences])(
    'is the interval of Clopper and Pearson for zeros and ones',
    (ones, zeros, confidence) => {
      fc.pre(ones + zeros > 0);
      const values = [...Array<number>(ones).fill(1), ...Array<number>(zeros).fill(0)];
      const exact = clopperPearson(ones, ones + zeros, confidence);
      const { low, high } = boundedMeanInterval(values, confidence);
      expect(low).toBeCloseTo(exact.low, 7);
      expect(high).toBeCloseTo(exact.high, 7);
    },
  );

  property.prop([
    fc.double({ min: 0.01, max: 1, noNaN: true }),
    fc.integer({ min: 1, max: 200 }),
    confidences,
  ])('has the closed form v·α^(1/n) for n equal values', (value, count, confidence) => {
    const bound = ((1 - confidence) / 2) ** (1 / count);
    const { low, high } = boundedMeanInterval(Array<number>(count).fill(value), confidence);
    expect(low).toBeCloseTo(value * bound, 7);
    expect(high).toBeCloseTo(1 - (1 - value) * bound, 7);
  });

  property.prop([fc.integer({ min: 500, max: 1000 }), fc.integer({ min: 500, max: 1000 })])(
    'has the closed form of the Dirichlet mean of 0, a and b',
    (a, b) => {
      // For x below both values P(D₁a + D₂b ≤ x) = x²/(ab).
      const x = Math.sqrt(0.025 * a * b) / 1000;
      expect(boundedMeanInterval([a / 1000, b / 1000]).low).toBeCloseTo(x, 7);
    },
  );

  test('approaches the normal interval for many values', () => {
    const values = Array.from({ length: 40_000 }, (_, index) => ((index * 7919) % 101) / 100);
    const { low, high } = boundedMeanInterval(values);
    const centre = mean(values);
    const variance = mean(values.map((value) => (value - centre) ** 2));
    const halfWidth = 1.959964 * Math.sqrt(variance / values.length);
    expect((centre - low) / halfWidth).toBeCloseTo(1, 1);
    expect((high - centre) / halfWidth).toBeCloseTo(1, 1);
  });

  property.prop([shares])('holds the mean, lies in [0, 1] and has a width', (values) => {
    const { low, high } = boundedMeanInterval(values);
    expect(low).toBeGreaterThanOrEqual(0);
    expect(low).toBeLessThanOrEqual(mean(values) + 1e-9);
    expect(high).toBeGreaterThanOrEqual(mean(values) - 1e-9);
    expect(high).toBeLessThanOrEqual(1);
    expect(high - low).toBeGreaterThan(1 / (2 * values.length));
  });

  property.prop([
    fc.array(fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 0.1, 1)), {
      minLength: 1,
      maxLength: 60,
    }),
  ])('holds the mean of values of any magnitude', (values) => {
    const { low, high } = boundedMeanInterval(values);
    expect(low).toBeLessThanOrEqual(mean(values));
    expect(high).toBeGreaterThanOrEqual(mean(values));
  });

  property.prop([shares])('mirrors when right and wrong change places', (values) => {
    const { low, high } = boundedMeanInterval(values);
    const mirrored = boundedMeanInterval(values.map((value) => 1 - value));
    expect(mirrored.low).toBeCloseTo(1 - high, 7);
    expect(mirrored.high).toBeCloseTo(1 - low, 7);
  });

  property.prop([shares])('does not depend on the order of the values', (values) => {
    const reversed = boundedMeanInterval(values.toReversed());
    const { low, high } = boundedMeanInterval(values);
    expect(reversed.low).toBeCloseTo(low, 8);
    expect(reversed.high).toBeCloseTo(high, 8);
  });

  property.prop([shares])('widens with the confidence', (values) => {
    const narrow = boundedMeanInterval(values, 0.9);
    const wide = boundedMeanInterval(values, 0.99);
    expect(wide.low).toBeLessThanOrEqual(narrow.low);
    expect(wide.high).toBeGreaterThanOrEqual(narrow.high);
  });

  property.prop([shares, fc.nat(), fc.double({ min: 0, max: 1, noNaN: true })])(
    'rises with each value',
    (values, which, part) => {
      const index = which % values.length;
      const raised = values.with(index, values[index] + part * (1 - values[index]));
      const before = boundedMeanInterval(values);
      const after = boundedMeanInterval(raised);
      expect(after.low).toBeGreaterThanOrEqual(before.low - 1e-8);
      expect(after.high).toBeGreaterThanOrEqual(before.high - 1e-8);
    },
  );
});

describe('accuracyInterval', () => {
  test('knows nothing without maps, and little after one', () => {
    expect(accuracyInterval([], 100)).toEqual({ low: 0, high: 1 });
    const { low, high } = accuracyInterval([80], 100);
    expect(low).toBeCloseTo(0.8 * 0.025, 8);
    expect(high).toBeCloseTo(1 - 0.2 * 0.025, 8);
  });

  test('depends on the shares of the maps, not on how many images they are of', () => {
    const few = accuracyInterval([3, 4, 5, 4], 5);
    const many = accuracyInterval([300, 400, 500, 400], 500);
    expect(few.low).toBeCloseTo(many.low, 8);
    expect(few.high).toBeCloseTo(many.high, 8);
  });
});

describe('pairedDifference', () => {
  const pairs = fc.array(fc.tuple(fc.nat(50), fc.nat(50)), { minLength: 1, maxLength: 40 });

  property.prop([pairs])('changes its sign when the two change places', (counts) => {
    const first = counts.map(([count]) => count);
    const second = counts.map(([, count]) => count);
    const forward = pairedDifference(first, second, 50);
    const backward = pairedDifference(second, first, 50);
    expect(backward.mean).toBeCloseTo(-forward.mean, 12);
    expect(backward.low).toBeCloseTo(-forward.high, 6);
    expect(backward.high).toBeCloseTo(-forward.low, 6);
    expect(forward.low).toBeLessThanOrEqual(forward.mean + 1e-9);
    expect(forward.high).toBeGreaterThanOrEqual(forward.mean - 1e-9);
  });

  test('is far narrower than the two accuracies where both follow the map', () => {
    const second = Array.from({ length: 200 }, (_, map) => (map * 37) % 101);
    const first = second.map((count) => Math.min(100, count + 3));
    const difference = pairedDifference(first, second, 100);
    const accuracy = accuracyInterval(second, 100);
    expect(difference.low).toBeGreaterThan(0);
    expect(difference.high - difference.low).toBeLessThan((accuracy.high - accuracy.low) / 2);
  });

  test('refuses maps that do not match', () => {
    expect(() => pairedDifference([1, 2], [1], 10)).toThrow(
      'a paired difference needs the same maps, not 2 and 1',
    );
  });
});
