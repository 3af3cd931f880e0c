import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import {
  accuracyInterval,
  crossedAccuracyInterval,
  crossedVariance,
  unevenAccuracyInterval,
} from '../../../campaign/statistics/index.js';

/** Row and column sums of a matrix of zeros and ones, a row a map. */
function countsOf(right: readonly (readonly number[])[]) {
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  return {
    perMap: right.map(sum),
    perImage: right[0].map((_, image) => sum(right.map((row) => row[image]))),
  };
}

const matrices = fc
  .tuple(fc.integer({ min: 2, max: 8 }), fc.integer({ min: 2, max: 12 }))
  .chain(([maps, images]) =>
    fc.array(fc.array(fc.integer({ min: 0, max: 1 }), { minLength: images, maxLength: images }), {
      minLength: maps,
      maxLength: maps,
    }),
  );

describe('crossedVariance', () => {
  property.prop([matrices])('is the analysis of variance of the cells', (right) => {
    const maps = right.length;
    const images = right[0].length;
    const { perMap, perImage } = countsOf(right);
    const centre = perMap.reduce((sum, count) => sum + count, 0) / (maps * images);
    let ofMaps = 0;
    let ofImages = 0;
    let rest = 0;
    for (const [map, row] of right.entries()) {
      const mapEffect = perMap[map] / images - centre;
      ofMaps += images * mapEffect ** 2;
      for (const [image, value] of row.entries()) {
        const imageEffect = perImage[image] / maps - centre;
        if (map === 0) ofImages += maps * imageEffect ** 2;
        rest += (value - centre - mapEffect - imageEffect) ** 2;
      }
    }
    const restSquare = rest / ((maps - 1) * (images - 1));
    const sum = ofMaps / (maps - 1) + ofImages / (images - 1) - restSquare;
    const expected = Math.max(sum, restSquare) / (maps * images);
    expect(crossedVariance({ perMap, perImage }).variance).toBeCloseTo(expected, 10);
  });

  test('with maps that agree on each image is the variance of a sample of images', () => {
    // 30 of 40 images right on each of 10 maps: p(1 − p)/(n − 1) of the images alone.
    const perImage = Array.from({ length: 40 }, (_, image) => (image < 30 ? 10 : 0));
    const { variance, degreesOfFreedom } = crossedVariance({
      perMap: Array<number>(10).fill(30),
      perImage,
    });
    expect(variance).toBeCloseTo((0.75 * 0.25) / 39, 12);
    expect(degreesOfFreedom).toBeCloseTo(39, 9);
  });
});

describe('crossedAccuracyInterval', () => {
  property.prop([matrices])(
    'is at least as wide as what maps or images alone leave open',
    (right) => {
      const { perMap, perImage } = countsOf(right);
      const { low, high } = crossedAccuracyInterval({ perMap, perImage });
      const ofMaps = accuracyInterval(perMap, perImage.length);
      const ofImages = accuracyInterval(perImage, perMap.length);
      expect(low).toBeLessThanOrEqual(Math.min(ofMaps.low, ofImages.low));
      expect(high).toBeGreaterThanOrEqual(Math.max(ofMaps.high, ofImages.high));
      expect(low).toBeGreaterThanOrEqual(0);
      expect(high).toBeLessThanOrEqual(1);
    },
  );
});

describe('unevenAccuracyInterval', () => {
  property.prop([matrices])('of maps with the same images is that of those images', (right) => {
    const counts = countsOf(right);
    const shares = counts.perMap.map((count) => count / right[0].length);
    const { low, high } = crossedAccuracyInterval(counts);
    const found = unevenAccuracyInterval(shares, counts);
    expect(found.low).toBeCloseTo(low, 12);
    expect(found.high).toBeCloseTo(high, 12);
  });

  property.prop([matrices, fc.double({ min: 0, max: 1, noNaN: true })])(
    'lies around the mean of the shares, as wide as that of the images which all maps have',
    (right, share) => {
      const counts = countsOf(right);
      const shares = counts.perMap.map(() => share);
      const { low, high } = unevenAccuracyInterval(shares, counts);
      expect(low).toBeGreaterThanOrEqual(0);
      expect(low).toBeLessThanOrEqual(share + 1e-12);
      expect(high).toBeGreaterThanOrEqual(share - 1e-12);
      expect(high).toBeLessThanOrEqual(1);
      const common = crossedAccuracyInterval(counts);
      const isCut = low === 0 || high === 1;
      if (!isCut) expect(high - low).toBeGreaterThanOrEqual(common.high - common.low - 1e-12);
    },
  );
});
