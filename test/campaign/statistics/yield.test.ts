import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import {
  clopperPearson,
  highestRateWithYield,
  lowestVoltageWithYield,
  yieldEstimate,
  yieldResolution,
} from '../../../campaign/statistics/index.js';

describe('yieldEstimate', () => {
  test('counts maps within the loss, the limit included', () => {
    const counts = { images: 100, correct: [90, 88, 87, 95], cleanCorrect: [90, 90, 90, 90] };
    expect(yieldEstimate(counts, 0.02)).toEqual({
      within: 0.02,
      share: 0.75,
      ...clopperPearson(3, 4),
    });
  });

  test('is not misled by the rounding of within · images', () => {
    // 0.29 · 100 is 28.999999999999996.
    expect(yieldEstimate({ images: 100, correct: [61], cleanCorrect: [90] }, 0.29).share).toBe(1);
  });
});

describe('yieldResolution', () => {
  test('is the standard error of paired proportions', () => {
    // Of 400 images 12 became wrong and 4 right: D = 8, variance (16 − 64/400)/(400·399).
    const counts = { images: 400, correct: [352], cleanCorrect: [360], sdc: [16] };
    const { standardError } = yieldResolution(counts, 0.02);
    expect(standardError).toBeCloseTo(Math.sqrt((16 - 0.16) / (400 * 399)), 12);
  });

  test('asks for images in proportion to the inverse square of the loss', () => {
    const counts = { images: 400, correct: [352], cleanCorrect: [360], sdc: [16] };
    // 400 · (2 · 0.009963/0.02)² = 396.99; for half the loss four times as many.
    expect(yieldResolution(counts, 0.02)).toMatchObject({ imagesNeeded: 397, enoughImages: true });
    expect(yieldResolution(counts, 0.01)).toMatchObject({
      imagesNeeded: 1588,
      enoughImages: false,
    });
  });

  test('without changes still needs one image to weigh no more than the loss', () => {
    const counts = { images: 30, correct: [27, 27], cleanCorrect: [27, 27], sdc: [0, 0] };
    expect(yieldResolution(counts, 0.02)).toEqual({
      standardError: 0,
      imagesNeeded: 50,
      enoughImages: false,
    });
  });
});

describe('highestRateWithYield', () => {
  const point = (rate: number, share: number, low: number) => ({ rate, yield: { share, low } });

  test('tells the estimated limit from the assured one', () => {
    const points = [point(1e-3, 0.7, 0.5), point(1e-5, 1, 0.97), point(1e-4, 0.98, 0.9)];
    expect(highestRateWithYield(points, 0.95)).toEqual({ estimated: 1e-4, assured: 1e-5 });
  });

  test('stops at the first rate that fails: a better yield beyond it is chance', () => {
    const points = [point(1e-5, 1, 0.97), point(1e-4, 0.9, 0.8), point(1e-3, 1, 0.97)];
    expect(highestRateWithYield(points, 0.95)).toEqual({ estimated: 1e-5, assured: 1e-5 });
  });

  test('is undefined where no rate meets the yield', () => {
    expect(highestRateWithYield([point(1e-5, 0.5, 0.3)], 0.95)).toEqual({
      estimated: undefined,
      assured: undefined,
    });
  });

  property.prop([
    fc.array(
      fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 0, max: 50 })),
      {
        minLength: 1,
        maxLength: 8,
      },
    ),
    fc.double({ min: 0, max: 1, noNaN: true }),
  ])('never rises with the wanted yield', (rows, wanted) => {
    const points = rows.map(([share, rate]) => point(rate, share, share / 2));
    const easy = highestRateWithYield(points, wanted / 2).estimated ?? -1;
    const strict = highestRateWithYield(points, wanted).estimated ?? -1;
    expect(strict).toBeLessThanOrEqual(easy);
  });
});

test('lowestVoltageWithYield goes down from the highest voltage', () => {
  const point = (voltage: number, share: number, low: number) => ({
    voltage,
    yield: { share, low },
  });
  const points = [point(0.53, 0.2, 0.1), point(0.59, 1, 0.98), point(0.56, 0.99, 0.94)];
  expect(lowestVoltageWithYield(points, 0.95)).toEqual({ estimated: 0.56, assured: 0.59 });
});
