import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { pairedImagesDifference } from '../../../campaign/statistics/index.js';

const counts = fc
  .tuple(fc.nat(40), fc.nat(40), fc.nat(200))
  .filter(([lost, gained, rest]) => lost + gained + rest > 0)
  .map(([lost, gained, rest]) => ({ lost, gained, images: lost + gained + rest }));

describe('pairedImagesDifference', () => {
  property.prop([counts])('holds the difference, and mirrors', ({ lost, gained, images }) => {
    const { mean, low, high } = pairedImagesDifference({ lost, gained }, images);
    expect(mean).toBe((gained - lost) / images);
    expect(low).toBeLessThanOrEqual(mean);
    expect(high).toBeGreaterThanOrEqual(mean);
    const mirrored = pairedImagesDifference({ lost: gained, gained: lost }, images);
    expect(mirrored.low).toBeCloseTo(-high, 8);
    expect(mirrored.high).toBeCloseTo(-low, 8);
  });

  test('refuses counts that are more than the images', () => {
    expect(() => pairedImagesDifference({ lost: 3, gained: 2 }, 4)).toThrow(RangeError);
    expect(() => pairedImagesDifference({ lost: 0, gained: 0 }, 0)).toThrow(RangeError);
  });

  test.each([0.005, 0.02, 0.05, 0.15, 0.4])(
    'covers in at least 95 of 100 samples where a share of %d of the images differs',
    (differing) => {
      const images = 40;
      for (const lossShare of [0.5, 0.7, 1]) {
        const [lossRate, gainRate] = [differing * lossShare, differing * (1 - lossShare)];
        expect(coverage(images, lossRate, gainRate)).toBeGreaterThanOrEqual(0.95);
      }
    },
  );

  test('is at most half as wide as that of other images, where 95 of 100 agree', () => {
    const images = 1000;
    const paired = pairedImagesDifference({ lost: 35, gained: 15 }, images);
    // Two accuracies of 80 %, each of images of its own: the normal interval of their difference.
    const unpaired = 2 * 1.96 * Math.sqrt((2 * 0.8 * 0.2) / images);
    expect(paired.high - paired.low).toBeLessThan(0.5 * unpaired);
  });
});

/** The chance that the interval holds the true difference: the sum over all counts of a sample. */
function coverage(images: number, lossRate: number, gainRate: number): number {
  const truth = gainRate - lossRate;
  let covered = 0;
  for (let lost = 0; lost <= images; lost += 1) {
    for (let gained = 0; lost + gained <= images; gained += 1) {
      const chance = multinomial(images, [lost, gained], [lossRate, gainRate]);
      if (chance < 1e-12) continue;
      const { low, high } = pairedImagesDifference({ lost, gained }, images);
      if (low <= truth && truth <= high) covered += chance;
    }
  }
  return covered;
}

function multinomial(total: number, parts: readonly number[], rates: readonly number[]): number {
  const rest = total - parts.reduce((sum, part) => sum + part, 0);
  const restRate = 1 - rates.reduce((sum, rate) => sum + rate, 0);
  const all = [...parts.map((part, at) => [part, rates[at]]), [rest, restRate]];
  const logs = all.map(([part, rate]) =>
    part === 0 ? 0 : part * Math.log(rate) - logFactorial(part),
  );
  return Math.exp(logs.reduce((sum, log) => sum + log, logFactorial(total)));
}

function logFactorial(number: number): number {
  let sum = 0;
  for (let factor = 2; factor <= number; factor += 1) sum += Math.log(factor);
  return sum;
}
