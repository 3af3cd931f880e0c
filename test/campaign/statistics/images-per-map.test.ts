import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { expectedMaps, imagesPerMap, nestedVariances } from '../../../campaign/statistics/index.js';

describe('nestedVariances', () => {
  test('finds the components of a balanced example', () => {
    // Shares 0.8 and 0.6 of 100 images: within (0.16 + 0.24)/2 · 100/99, between 0.02 − within/100.
    const { betweenMaps, withinMap } = nestedVariances({ images: 100, correct: [80, 60] });
    expect(withinMap).toBeCloseTo((0.2 * 100) / 99, 12);
    expect(betweenMaps).toBeCloseTo(0.02 - 0.2 / 99, 12);
  });

  test('has no variance between maps below zero', () => {
    expect(nestedVariances({ images: 10, correct: [5, 5, 5] }).betweenMaps).toBe(0);
  });
});

const component = fc.double({ min: 1e-4, max: 0.25, noNaN: true });

describe('imagesPerMap', () => {
  const precision = 0.02;
  const range = { least: 5, most: 200 };

  property.prop([component, component, fc.double({ min: 0, max: 2000, noNaN: true })])(
    'is the optimum of two-stage sampling where images cost the same each',
    (betweenMaps, withinMap, map) => {
      // Cochran 1977, section 10.6: √(map/image · within/between); here the first look counts as variance, too.
      const scale = expectedMaps(1, precision) - expectedMaps(0, precision);
      const fixed = expectedMaps(betweenMaps, precision) / scale;
      const optimum = Math.sqrt((map * withinMap) / fixed);
      const wide = { least: 1, most: 2000 };
      const costs = { map, images: (count: number) => count };
      const chosen = imagesPerMap([{ betweenMaps, withinMap }], costs, precision, wide);
      expect(Math.abs(chosen - Math.max(1, optimum))).toBeLessThanOrEqual(1);
    },
  );

  property.prop([
    fc.array(fc.record({ betweenMaps: component, withinMap: component }), {
      minLength: 1,
      maxLength: 4,
    }),
    fc.double({ min: 0, max: 1e6, noNaN: true }),
  ])('stays in its range, rises with the cost of a map, whatever the unit', (variances, map) => {
    const choose = (mapCost: number, unit: number) =>
      imagesPerMap(
        variances,
        { map: mapCost * unit, images: (count) => count * unit },
        precision,
        range,
      );
    const chosen = choose(map, 1);
    expect(chosen).toBeGreaterThanOrEqual(range.least);
    expect(chosen).toBeLessThanOrEqual(range.most);
    expect(choose(2 * map, 1)).toBeGreaterThanOrEqual(chosen);
    expect(choose(map, 1024)).toBe(chosen);
  });

  test('takes few images of cheap maps that do not differ, many of dear ones', () => {
    const choose = (map: number, images: (count: number) => number) =>
      imagesPerMap([{ betweenMaps: 0, withinMap: 0.09 }], { map, images }, precision, range);
    expect(choose(0, (count) => count)).toBe(range.least);
    expect(choose(1e9, (count) => count)).toBe(range.most);
    expect(choose(0, () => 0)).toBe(range.least);
  });
});
