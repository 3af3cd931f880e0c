import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import {
  dieLooks,
  dieVerdict,
  differenceAtLook,
  isSettled,
  pairedImagesDifference,
} from '../../../campaign/statistics/index.js';

const images = fc.integer({ min: 1, max: 10_000 });

describe('dieLooks', () => {
  property.prop([images])('rise to all images, and may be wrong in 5 % together', (most) => {
    const looks = dieLooks(most);
    expect(looks.at(-1)?.images).toBe(most);
    for (const [at, look] of looks.slice(1).entries()) {
      expect(look.images).toBeGreaterThan(looks[at].images);
      expect(look.images).toBeGreaterThanOrEqual(1.4 * looks[at].images);
    }
    const doubts = looks.map(({ confidence }) => 1 - confidence);
    expect(doubts.reduce((sum, doubt) => sum + doubt)).toBeLessThanOrEqual(0.05 + 1e-12);
    expect(doubts.at(-1)).toBeGreaterThanOrEqual(0.03 - 1e-12);
  });

  test('are those that the guide lists', () => {
    expect(dieLooks(1000).map((look) => look.images)).toEqual([75, 150, 300, 424, 600, 1000]);
    expect(dieLooks(112)).toEqual([{ images: 112, confidence: 0.95 }]);
  });

  property.prop([fc.integer({ min: 1, max: 112 }), fc.nat(), fc.nat()])(
    'of few images are one, with the interval of a die that runs them all, to the bit',
    (most, some, others) => {
      const lost = some % (most + 1);
      const gained = others % (most - lost + 1);
      const [look] = dieLooks(most);
      expect(differenceAtLook({ lost, gained }, look)).toEqual(
        pairedImagesDifference({ lost, gained }, most),
      );
    },
  );
});

const ends = fc.double({ min: -1, max: 1, noNaN: true });

property.prop([
  ends,
  ends,
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.double({ min: 0, max: 1 }),
])(
  'a die is settled when its verdict is known, and its change as well as is asked',
  (one, other, within, precision) => {
    const [low, high] = [Math.min(one, other), Math.max(one, other)];
    const difference = { mean: low, low, high };
    const isKnown = dieVerdict(difference, within) !== 'undecided';
    expect(isSettled(difference, { within })).toBe(isKnown);
    expect(isSettled(difference, { within, precision })).toBe(
      isKnown && high - low <= 2 * precision,
    );
  },
);

/**
 * The chance that a die which ends when it is settled has an interval that holds its true change, summed over all ways
 * of its images: the state after each image is how many were lost and gained.
 */
function coverage(most: number, lossRate: number, gainRate: number, within: number): number {
  let states = new Map([['0 0', { lost: 0, gained: 0, chance: 1 }]]);
  let [done, covered] = [0, 0];
  for (const look of dieLooks(most)) {
    for (; done < look.images; done += 1) {
      const next: typeof states = new Map();
      for (const { lost, gained, chance } of states.values()) {
        const ways = [
          [lost + 1, gained, lossRate],
          [lost, gained + 1, gainRate],
          [lost, gained, 1 - lossRate - gainRate],
        ];
        for (const [nowLost, nowGained, rate] of ways) {
          if (chance * rate < 1e-9) continue;
          const key = `${nowLost} ${nowGained}`;
          const before = next.get(key)?.chance ?? 0;
          next.set(key, { lost: nowLost, gained: nowGained, chance: before + chance * rate });
        }
      }
      states = next;
    }
    for (const [key, { lost, gained, chance }] of states) {
      const difference = differenceAtLook({ lost, gained }, look);
      if (look.images < most && !isSettled(difference, { within })) continue;
      states.delete(key);
      const truth = gainRate - lossRate;
      if (difference.low <= truth && truth <= difference.high) covered += chance;
    }
  }
  return covered;
}

test.each([
  [0.02, 0.7],
  [0.1, 0.7],
  [0.1, 1],
  [0.3, 0.6],
])(
  'stopping included, covers in at least 95 of 100 dies with a share of %d that differ',
  (differing, losses) => {
    const [lossRate, gainRate] = [differing * losses, differing * (1 - losses)];
    for (const within of [0.02, 0.05]) {
      expect(coverage(240, lossRate, gainRate, within)).toBeGreaterThanOrEqual(0.95);
    }
  },
);
