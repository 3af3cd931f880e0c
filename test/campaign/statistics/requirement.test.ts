import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import {
  clopperPearson,
  judgeShares,
  type ShareCounts,
  tellApart,
} from '../../../campaign/statistics/index.js';
import { createRandomStream } from '../../../core/index.js';

const counts = fc
  .integer({ min: 1, max: 200 })
  .chain((trials) => fc.record({ trials: fc.constant(trials), successes: fc.nat(trials) }));

describe('judgeShares', () => {
  property.prop([counts, fc.double({ min: 0.05, max: 0.99, noNaN: true })])(
    'of one share is whether the wanted one lies in the interval of Clopper and Pearson',
    (one, wanted) => {
      const [{ share, low, high, verdict }] = judgeShares([one], wanted);
      const interval = clopperPearson(one.successes, one.trials);
      expect(share).toBe(one.successes / one.trials);
      expect(verdict).toBe(
        interval.low >= wanted ? 'met' : interval.high <= wanted ? 'failed' : 'undecided',
      );
      expect(low).toBeCloseTo(interval.low, 9);
      expect(high).toBeCloseTo(interval.high, 9);
    },
  );

  test('takes ln(0.025/m)/ln(wanted) good maps of m candidates, and fewer of the last', () => {
    // 0.9^36 = 0.0225; 0.9^42 = 0.01197 and 0.9^41 = 0.0133 around 0.0125.
    const good = (trials: number) => ({ trials, successes: trials });
    const verdicts = (...shares: ShareCounts[]) =>
      judgeShares(shares, 0.9).map(({ verdict }) => verdict);
    expect(verdicts(good(35))).toEqual(['undecided']);
    expect(verdicts(good(36))).toEqual(['met']);
    expect(verdicts(good(41), good(41))).toEqual(['undecided', 'undecided']);
    expect(verdicts(good(42), good(36))).toEqual(['met', 'met']);
    expect(verdicts({ trials: 42, successes: 0 }, good(42))).toEqual(['failed', 'met']);
  });

  test('says about how many more maps would decide', () => {
    const more = (successes: number, trials: number, wanted = 0.9) =>
      judgeShares([{ successes, trials }], wanted)[0].moreTrials;
    // ln 0.025/ln 0.9 = 35.01.
    expect(more(30, 30)).toBe(6);
    expect(more(36, 36)).toBeUndefined();
    expect(more(45, 50)).toBeUndefined();
    expect(more(30, 30, 1)).toBeUndefined();
    const [of96, of84] = [more(48, 50), more(42, 50)];
    expect(judgeShares([{ successes: 0.96 * 250, trials: 250 }], 0.9)[0].verdict).toBe('met');
    expect(of96).toBeLessThanOrEqual(200);
    expect(of84).toBeGreaterThan(50);
  });

  property.prop([
    fc.array(counts, { minLength: 1, maxLength: 6 }),
    fc.double({ min: 0.05, max: 0.99, noNaN: true }),
  ])('has bounds that say what the verdicts say, and adds doubt with candidates', (all, wanted) => {
    const judged = judgeShares(all, wanted);
    for (const [at, { verdict, low, high, share }] of judged.entries()) {
      expect(verdict === 'met').toBe(low >= wanted);
      if (verdict === 'failed') expect(high).toBeLessThanOrEqual(wanted + 1e-12);
      expect(low).toBeLessThanOrEqual(share);
      expect(high).toBeGreaterThanOrEqual(share - 1e-12);
      const [alone] = judgeShares([all[at]], wanted);
      expect(['undecided', alone.verdict]).toContain(verdict);
    }
  });

  test('is right of all candidates together, which share their maps', () => {
    const random = createRandomStream(1, 0, 0);
    let draws = 0;
    const uniform = () => {
      draws += 1;
      return random.uniform(draws);
    };
    const populations = [
      [0.9, 0.9, 0.9, 0.9],
      [0.8999, 0.8999, 0.95, 1],
      [0.5, 0.9, 0.9, 0.97],
    ];
    for (const truth of populations) {
      let wrong = 0;
      const studies = 400;
      for (let study = 0; study < studies; study += 1) {
        const good = truth.map(() => 0);
        for (let map = 0; map < 60; map += 1) {
          const luck = uniform();
          for (const [at, share] of truth.entries()) {
            if ((at % 2 === 0 ? luck : uniform()) < share) good[at] += 1;
          }
        }
        const judged = judgeShares(
          good.map((successes) => ({ successes, trials: 60 })),
          0.9,
        );
        const isWrong = judged.some(({ verdict, low, high }, at) => {
          const isMet = truth[at] >= 0.9;
          return (
            verdict === (isMet ? 'failed' : 'met') || truth[at] < low || truth[at] > high + 1e-12
          );
        });
        if (isWrong) wrong += 1;
      }
      // Four standard errors above 5 %.
      expect(wrong / studies).toBeLessThan(0.05 + 4 * Math.sqrt((0.05 * 0.95) / studies));
    }
  });

  test('refuses what are no counts or shares', () => {
    expect(() => judgeShares([{ successes: 2, trials: 1 }], 0.9)).toThrow('successes 2');
    expect(() => judgeShares([{ successes: 0, trials: 0 }], 0.9)).toThrow('trials 0');
    expect(() => judgeShares([{ successes: 1, trials: 1 }], 0)).toThrow('wanted 0');
  });
});

describe('tellApart', () => {
  const flat = (length: number, value: number) => new Array<number>(length).fill(value);

  test('needs the interval of the paired difference to leave 0 out', () => {
    expect(tellApart(flat(200, 90), flat(200, 80), 100)).toMatchObject({
      mean: expect.closeTo(0.1, 12),
      toldApart: true,
      moreMaps: undefined,
    });
    expect(tellApart(flat(10, 90), flat(10, 90), 100)).toMatchObject({
      mean: 0,
      toldApart: false,
      moreMaps: undefined,
    });
  });

  test('says about how many more maps would', () => {
    // n equal differences d leave d − (1 + d)(1 − 0.025^(1/n)): above 0 for d = 0.1 from n = 38.7 on.
    const { toldApart, moreMaps } = tellApart(flat(20, 80), flat(20, 90), 100);
    expect(toldApart).toBe(false);
    expect(moreMaps).toBe(19);
    expect(tellApart(flat(39, 80), flat(39, 90), 100).toldApart).toBe(true);
    expect(tellApart(flat(38, 80), flat(38, 90), 100).toldApart).toBe(false);
  });

  property.prop([
    fc.array(fc.record({ first: fc.nat(20), second: fc.nat(20) }), {
      minLength: 1,
      maxLength: 30,
    }),
  ])('tells the same in either order', (maps) => {
    const [first, second] = [maps.map((map) => map.first), maps.map((map) => map.second)];
    const [one, other] = [tellApart(first, second, 20), tellApart(second, first, 20)];
    expect(one.toldApart).toBe(other.toldApart);
    expect(one.low).toBeCloseTo(-other.high, 8);
    expect(Math.abs((one.moreMaps ?? 0) - (other.moreMaps ?? 0))).toBeLessThanOrEqual(
      1 + 0.002 * (maps.length + (one.moreMaps ?? 0)),
    );
  });
});
