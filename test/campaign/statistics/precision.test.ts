import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { expectedMaps, precisionRule } from '../../../campaign/statistics/index.js';
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

  test('ends for the widest precision after one map, and for none that is too fine before the most maps', () => {
    expect(run(precisionRule(0.5, 10), () => 50).maps).toBe(1);
    expect(run(precisionRule(1e-300, 10), () => 50).maps).toBe(10);
    expect(expectedMaps(0, 5e-324)).toBe(Number.MAX_VALUE);
  });

  test('needs about as many maps as the normal interval where half of them collapse', () => {
    // (1.96 · 0.4 / 0.05)² = 246.
    const { maps } = run(precisionRule(0.05, 10_000), (map) => (map % 2 === 0 ? 90 : 10));
    expect(maps).toBeGreaterThan(246);
    expect(maps).toBeLessThan(1.25 * 246);
  });

  test('expects its first look before it knows better, and one map more while it has not stopped', () => {
    const rule = precisionRule(0.02, 10_000);
    const half = (maps: number) => Array.from({ length: maps }, (_, map) => 100 * (map % 2));
    expect(rule.expectedMaps({ images: IMAGES, correct: [] })).toBe(91);
    // 91 + 1/4 · 40/39 · (1.96 / 0.02)².
    expect(rule.expectedMaps({ images: IMAGES, correct: half(40) })).toBe(2554);
    expect(rule.expectedMaps({ images: IMAGES, correct: half(3000) })).toBe(3001);
    expect(precisionRule(0.02, 50).expectedMaps({ images: IMAGES, correct: half(40) })).toBe(50);
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

describe('expectedMaps', () => {
  // The variance of a map's share is known in closed form: of its collapse, and of its binomial images.
  test.each([2, 12, 50].flatMap((every) => [5, 25, 100].map((images) => ({ every, images }))))(
    'is what the rule takes where 1 map in $every collapses, $images images',
    ({ every, images }) => {
      const precision = 0.05;
      const [good, bad] = [0.9, 0.1];
      const between = (good - bad) ** 2 * (1 / every) * (1 - 1 / every);
      const within = good * (1 - good);
      const rule = precisionRule(precision, 10_000);
      const repetitions = 60;
      let maps = 0;
      for (let repetition = 0; repetition < repetitions; repetition += 1) {
        const stream = createRandomStream(2, repetition, 0);
        let draws = 0;
        const uniform = () => stream.uniform(draws++);
        const correct: number[] = [];
        do {
          const accuracy = uniform() * every < 1 ? bad : good;
          correct.push(Array.from({ length: images }, uniform).filter((u) => u < accuracy).length);
        } while (rule.decide({ images, correct }) === 'continue');
        maps += correct.length;
      }
      const ratio = maps / repetitions / expectedMaps(between + within / images, precision);
      expect(ratio).toBeGreaterThan(0.85);
      expect(ratio).toBeLessThan(1.15);
    },
  );
});
