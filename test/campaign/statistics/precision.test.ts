import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import {
  imagesPerMap,
  nestedVariances,
  precisionRule,
} from '../../../campaign/statistics/index.js';
import { createRandomStream } from '../../../core/index.js';

const IMAGES = 100;

/** Maps until the rule stops, each right on what `correct` says. */
function run(rule: ReturnType<typeof precisionRule>, correctOf: (map: number) => number) {
  const correct: number[] = [];
  do correct.push(correctOf(correct.length));
  while (rule.decide({ images: IMAGES, correct }) === 'continue');
  return { maps: correct.length, interval: rule.interval({ images: IMAGES, correct }) };
}

describe('precisionRule', () => {
  test('does not stop on zero variance before a collapse would have been seen', () => {
    // 1 − 0.025^(1/n) ≤ 0.04 from n = 91 on.
    const { maps, interval } = run(precisionRule(0.02, 10_000), () => 90);
    expect(maps).toBe(91);
    expect(interval.high - interval.low).toBeLessThanOrEqual(0.04);
  });

  test('stops at the most maps whatever the interval', () => {
    const { maps, interval } = run(precisionRule(0.01, 30), (map) => 100 * (map % 2));
    expect(maps).toBe(30);
    expect(interval.high - interval.low).toBeGreaterThan(0.02);
  });

  test('needs about as many maps as the normal interval where half of them collapse', () => {
    // (1.96 · 0.4 / 0.05)² = 246.
    const { maps } = run(precisionRule(0.05, 10_000), (map) => (map % 2 === 0 ? 90 : 10));
    expect(maps).toBeGreaterThan(246);
    expect(maps).toBeLessThan(1.25 * 246);
  });

  property.prop([fc.array(fc.nat(IMAGES), { minLength: 1, maxLength: 60 })])(
    'answers from the maps alone, asked once or after each map',
    (cycle) => {
      const correctOf = (map: number) => cycle[map % cycle.length];
      const { maps } = run(precisionRule(0.1, 400), correctOf);
      const fresh = precisionRule(0.1, 400);
      const correct = Array.from({ length: maps }, (_, map) => correctOf(map));
      expect(fresh.decide({ images: IMAGES, correct })).toBe('stop');
      expect(fresh.decide({ images: IMAGES, correct: correct.slice(0, -1) })).toBe('continue');
    },
  );

  // The seed is fixed, so these bounds cannot fail by chance; bench/coverage.mjs has more repetitions.
  test.each([
    { every: 2, least: 0.94 },
    { every: 12, least: 0.94 },
    { every: 50, least: 0.94 },
    { every: Infinity, least: 0.94 },
  ])('covers where 1 map in $every collapses', ({ every, least }) => {
    const repetitions = 300;
    const truth = Number.isFinite(every) ? 0.9 - 0.8 / every : 0.9;
    const rule = precisionRule(0.05, 5000);
    let covered = 0;
    for (let repetition = 0; repetition < repetitions; repetition += 1) {
      const stream = createRandomStream(1, repetition, 0);
      // A good map is right on 86, 90 or 94 images.
      const { interval } = run(rule, (map) =>
        stream.uniform(2 * map) * every < 1
          ? 10
          : 86 + 4 * Math.floor(3 * stream.uniform(2 * map + 1)),
      );
      if (interval.low <= truth && truth <= interval.high) covered += 1;
    }
    expect(covered / repetitions).toBeGreaterThanOrEqual(least);
  });
});

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

describe('imagesPerMap', () => {
  property.prop([
    fc.double({ min: 1e-4, max: 0.25, noNaN: true }),
    fc.double({ min: 1e-4, max: 0.25, noNaN: true }),
    fc.double({ min: 0, max: 1000, noNaN: true }),
  ])('costs no more than any other number for the same variance', (betweenMaps, withinMap, map) => {
    const limit = 200;
    const costs = { map, image: 1 };
    const product = (images: number) => (map + images) * (betweenMaps + withinMap / images);
    const chosen = imagesPerMap({ betweenMaps, withinMap }, costs, limit);
    const best = Math.min(...Array.from({ length: limit }, (_, index) => product(index + 1)));
    // Rounding to a whole number may miss the best one by one.
    expect(product(chosen)).toBeLessThanOrEqual(best * 1.05);
  });

  test('gives maps that do not differ all the images it may', () => {
    expect(imagesPerMap({ betweenMaps: 0, withinMap: 0.2 }, { map: 5, image: 1 }, 64)).toBe(64);
  });
});
