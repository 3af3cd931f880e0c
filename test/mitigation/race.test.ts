import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { type RaceLimits, race } from '../../mitigation/index.js';

const LIMITS: RaceLimits = { leastMaps: 4, mostMaps: 40, smallestGain: 0.01, standardErrors: 2 };

/** A race of given scores by candidate and map, with what it asked for. */
async function run(table: readonly (readonly number[])[], limits: Partial<RaceLimits> = {}) {
  const asked: { racing: readonly number[]; maps: number }[] = [];
  const result = await race(
    table.length,
    async (racing, maps) => {
      asked.push({ racing: [...racing], maps });
      return racing.map((candidate) => table[candidate].slice(0, maps));
    },
    { ...LIMITS, ...limits },
  );
  return { ...result, asked };
}

/** Scores of `maps` maps around a mean, the same spread for all candidates of one race, plus a spread of its own. */
function scores(mean: number, own: number, maps = 40): number[] {
  return Array.from(
    { length: maps },
    (_, map) => mean + 0.2 * Math.sin(map) + own * (map % 2 === 0 ? 1 : -1),
  );
}

describe('a race', () => {
  test('is decided at the first look when a difference is plain, whatever the maps have in common', async () => {
    const better = await run([scores(0.5, 0), scores(0.6, 0.01)]);
    expect(better).toMatchObject({ winner: 1, maps: 4 });
    const worse = await run([scores(0.5, 0), scores(0.4, 0.01)]);
    expect(worse).toMatchObject({ winner: 0, maps: 4 });
  });

  test('ends at once where no candidate makes a difference', async () => {
    const { winner, maps } = await run([scores(0.5, 0), scores(0.5, 0), scores(0.505, 0)]);
    expect({ winner, maps }).toEqual({ winner: 0, maps: 4 });
  });

  test('runs on while it is uncertain, and then leaves the incumbent', async () => {
    const { winner, asked } = await run([scores(0.5, 0), scores(0.51, 0.3)]);
    expect(winner).toBe(0);
    expect(asked.map(({ maps }) => maps)).toEqual([4, 6, 9, 14, 21, 32, 40]);
  });

  test('drops the plainly worse and goes on with the others', async () => {
    const { asked } = await run([scores(0.5, 0), scores(0.2, 0), scores(0.51, 0.3)]);
    expect(asked[0].racing).toEqual([0, 1, 2]);
    for (const { racing } of asked.slice(1)) expect(racing).toEqual([0, 2]);
  });

  const tables = fc
    .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 30 }))
    .chain(([candidates, maps]) =>
      fc.array(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: maps, maxLength: maps }),
        { minLength: candidates, maxLength: candidates },
      ),
    );

  property.prop([tables, fc.integer({ min: 2, max: 9 })])(
    'only ever drops candidates, keeps the incumbent, and lets none win that scored no better',
    async (table, leastMaps) => {
      const mostMaps = table[0].length;
      const { winner, asked, scores: found, maps } = await run(table, { leastMaps, mostMaps });
      let before = table.map((_, candidate) => candidate);
      for (const { racing } of asked) {
        expect(before).toEqual(expect.arrayContaining([...racing]));
        expect(racing[0]).toBe(0);
        before = [...racing];
      }
      expect(maps).toBeLessThanOrEqual(mostMaps);
      expect(found[winner]).toEqual(table[winner].slice(0, maps));
      const mean = (candidate: number) =>
        found[candidate].slice(0, maps).reduce((sum, value) => sum + value, 0);
      if (winner !== 0) expect(mean(winner)).toBeGreaterThan(mean(0));
    },
  );

  property.prop([fc.integer({ min: 0, max: 1000 })], { numRuns: 20 })(
    'seldom lets a candidate win that is no better on the whole',
    async (seed) => {
      const noise = (candidate: number, map: number) => {
        const value = Math.sin((map + 1) * 12.9898 + (candidate + 1) * 78.233 + seed) * 43758.5453;
        return value - Math.floor(value) - 0.5;
      };
      let wins = 0;
      const races = 40;
      for (let number = 0; number < races; number += 1) {
        const table = [0, 1].map((candidate) =>
          Array.from({ length: 40 }, (_, map) => 0.5 + 0.1 * noise(candidate + 2 * number, map)),
        );
        wins += (await run(table, { leastMaps: 8 })).winner;
      }
      // Two standard errors, one side, up to six looks: about 8 % of races.
      expect(wins).toBeLessThan(races / 3);
    },
  );
});
