import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import {
  areaUnderCurve,
  type IntervalSearchLimits,
  searchInterval,
} from '../../mitigation/index.js';

const LIMITS: IntervalSearchLimits = { smallestGain: 0, leastRounds: 1, mostRounds: 12 };
const shares = fc.double({ min: 0, max: 1, noNaN: true });
const largestValues = fc.double({ min: 1e-3, max: 1e3, noNaN: true });

/** A search of a score function, with what it asked for. */
async function search(
  largest: number,
  score: (threshold: number) => number,
  limits: Partial<IntervalSearchLimits> = {},
) {
  const asked: number[][] = [];
  const result = await searchInterval(
    largest,
    async (thresholds) => {
      asked.push([...thresholds]);
      return thresholds.map(score);
    },
    { ...LIMITS, ...limits },
  );
  return { ...result, asked };
}

/** A score without any shape, the same for the same threshold. */
const jagged = (seed: number) => (threshold: number) => {
  const value = Math.sin(threshold * 12.9898 + seed) * 43758.5453;
  return Math.round(4 * (value - Math.floor(value))) / 4;
};

describe('the area under accuracy against fault rate', () => {
  test.each([
    [[0.4], 0.4],
    [[1, 1, 1, 1, 1], 1],
    [[0.8, 0.4], 0.6],
    // Trapezoids of 0.85, 0.6 and 0.3, each a third wide.
    [[0.9, 0.8, 0.4, 0.2], (0.85 + 0.6 + 0.3) / 3],
  ])('of %j is %d', (accuracies, area) => {
    expect(areaUnderCurve(accuracies)).toBeCloseTo(area, 12);
  });

  property.prop([fc.array(shares, { minLength: 1 }), shares])(
    'lies within the accuracies, is that of the reversed curve, and grows with every accuracy',
    (accuracies, more) => {
      const area = areaUnderCurve(accuracies);
      expect(area).toBeGreaterThanOrEqual(Math.min(...accuracies) - 1e-12);
      expect(area).toBeLessThanOrEqual(Math.max(...accuracies) + 1e-12);
      expect(areaUnderCurve(accuracies.toReversed())).toBeCloseTo(area, 12);
      expect(areaUnderCurve(accuracies.map((a) => a + more))).toBeCloseTo(area + more, 12);
    },
  );

  test('needs a rate', () => {
    expect(() => areaUnderCurve([])).toThrow(
      'An area under the curve needs at least one fault rate above 0.',
    );
  });
});

describe('the interval search', () => {
  property.prop([largestValues, fc.nat(1000), fc.integer({ min: 1, max: 8 })])(
    'scores the largest in its first round, stays within [0, largest] and never asks twice',
    async (largest, seed, mostRounds) => {
      const { asked, scored, intervals, best } = await search(largest, jagged(seed), {
        mostRounds,
      });
      const all = asked.flat();
      expect(asked[0]).toContain(largest);
      expect(asked[0]).toContain(0);
      expect(new Set(all).size).toBe(all.length);
      expect(Math.min(...all)).toBe(0);
      expect(Math.max(...all)).toBe(largest);
      for (const thresholds of asked)
        expect(thresholds).toEqual(thresholds.toSorted((a, b) => a - b));
      expect(scored.map(({ threshold }) => threshold)).toEqual(all);
      expect(intervals.length).toBeLessThanOrEqual(mostRounds);
      expect(all.length).toBeLessThanOrEqual(4 + 2 * (mostRounds - 1));
      expect(scored).toContainEqual(best);
    },
  );

  property.prop([largestValues, fc.nat(1000)])(
    'returns the best of all it scored, and of equal ones the largest',
    async (largest, seed) => {
      const { scored, best, largest: first } = await search(largest, jagged(seed));
      const score = Math.max(...scored.map((candidate) => candidate.score));
      const threshold = Math.max(
        ...scored.filter((candidate) => candidate.score === score).map((one) => one.threshold),
      );
      expect(best).toEqual({ threshold, score });
      expect(first).toEqual({ threshold: largest, score: jagged(seed)(largest) });
    },
  );

  property.prop([largestValues])('keeps the largest when the score only grows', async (largest) => {
    const rising = await search(largest, (threshold) => threshold / largest);
    expect(rising.best).toEqual({ threshold: largest, score: 1 });
    const flat = await search(largest, () => 0.5);
    expect(flat.best.threshold).toBe(largest);
  });

  property.prop([largestValues])('goes to 0 when the score only falls', async (largest) => {
    const { best } = await search(largest, (threshold) => 1 - threshold / largest);
    expect(best.threshold).toBe(0);
  });

  property.prop([largestValues, shares, fc.integer({ min: 3, max: 10 })])(
    'comes as near to the only peak as its last interval is wide',
    async (largest, place, mostRounds) => {
      const peak = place * largest;
      const { best, intervals } = await search(largest, (t) => -Math.abs(t - peak), { mostRounds });
      // Each interval holds the peak: of four points around a symmetric peak the best is its neighbour.
      for (const [low, high] of intervals) {
        expect(peak).toBeGreaterThanOrEqual(low - 1e-9 * largest);
        expect(peak).toBeLessThanOrEqual(high + 1e-9 * largest);
      }
      const [low, high] = intervals[intervals.length - 1];
      expect(Math.abs(best.threshold - peak)).toBeLessThanOrEqual(
        (high - low) / 3 + 1e-9 * largest,
      );
      expect(high - low).toBeLessThanOrEqual(largest * (2 / 3) ** (mostRounds - 1) * (1 + 1e-9));
    },
  );

  test('stops at the first small gain, but not before its least round', async () => {
    const rounds = async (leastRounds: number, mostRounds: number) =>
      (await search(9, () => 0.5, { smallestGain: 0.01, leastRounds, mostRounds })).intervals
        .length;
    expect(await rounds(1, 9)).toBe(2);
    expect(await rounds(2, 9)).toBe(2);
    expect(await rounds(4, 9)).toBe(4);
    expect(await rounds(4, 4)).toBe(4);
    // Without a least gain nothing is too small.
    expect((await search(9, () => 0.5, { mostRounds: 7 })).intervals.length).toBe(7);
  });

  test('narrows to the neighbours of the best', async () => {
    const intervals = async (peak: number) =>
      (await search(9, (t) => -Math.abs(t - peak), { mostRounds: 2 })).intervals;
    expect(await intervals(0)).toEqual([
      [0, 9],
      [0, 3],
    ]);
    expect(await intervals(3)).toEqual([
      [0, 9],
      [0, 6],
    ]);
    expect(await intervals(6)).toEqual([
      [0, 9],
      [3, 9],
    ]);
    expect(await intervals(9)).toEqual([
      [0, 9],
      [6, 9],
    ]);
  });

  test('refuses scores that are missing', async () => {
    await expect(searchInterval(3, async () => [1], LIMITS)).rejects.toThrow('has no score');
    await expect(searchInterval(3, async (t) => t.map(() => NaN), LIMITS)).rejects.toThrow(
      'the threshold 0 has no score',
    );
  });
});
