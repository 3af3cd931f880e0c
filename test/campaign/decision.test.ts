import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { type CandidateCounts, decideCheapest, paretoFront } from '../../campaign/index.js';

const REQUIREMENT = { within: 2, yield: 0.9 };

/** A candidate of 100 images a map: so many maps that lose 1 image, and so many that lose 30. */
function candidate(
  mitigation: string,
  price: number | null,
  { good, bad, lost = 1 }: { good: number; bad: number; lost?: number },
): CandidateCounts {
  const correct = [...new Array<number>(good).fill(90 - lost), ...new Array<number>(bad).fill(60)];
  return {
    ...{ mitigation, price, notGiven: price === null ? ['no source'] : [] },
    images: 100,
    correct,
    cleanCorrect: correct.map(() => 90),
    sdc: correct.map((count) => 90 - count),
  };
}

const good = { good: 100, bad: 0 };
const bad = { good: 10, bad: 90 };
const between = { good: 91, bad: 9 };

function decide(...candidates: CandidateCounts[]) {
  return decideCheapest(candidates, REQUIREMENT);
}

describe('decideCheapest', () => {
  test('names the least price that meets the requirement, candidates by price', () => {
    const decision = decide(
      candidate('secded', 800, good),
      candidate('none', 0, bad),
      candidate('parity', 100, good),
      candidate('harden', null, good),
    );
    expect(decision).toMatchObject({
      ...{ within: 0.02, yield: 0.9, verdict: 'met', mitigation: 'parity', price: 100 },
    });
    expect(decision.candidates.map(({ mitigation, verdict }) => [mitigation, verdict])).toEqual([
      ['none', 'failed'],
      ['parity', 'met'],
      ['secded', 'met'],
      ['harden', 'met'],
    ]);
    const [none, parity, secded] = decision.candidates;
    expect(none.comparison).toMatchObject({ toldApart: true, moreMaps: null });
    expect(parity.comparison).toBeUndefined();
    expect(secded.comparison).toMatchObject({ mean: 0, toldApart: false, moreMaps: null });
  });

  test('is undecided while a lower price might meet it, and a dearer one does not matter', () => {
    const open = decide(candidate('clip', 0, between), candidate('secded', 8, good));
    expect(open).toMatchObject({ verdict: 'undecided', mitigation: 'secded', price: 8 });
    expect(open.candidates[0]).toMatchObject({ verdict: 'undecided' });
    expect(open.candidates[0].moreMaps).toBeGreaterThan(1000);
    expect(decide(candidate('clip', 0, good), candidate('secded', 8, between))).toMatchObject({
      ...{ verdict: 'met', mitigation: 'clip' },
    });
  });

  test('takes of equal prices the smallest loss, and says whether it was told apart', () => {
    const decision = decide(
      candidate('clip', 0, { ...good, lost: 2 }),
      candidate('clamp', 0, { ...good, lost: 1 }),
    );
    expect(decision.mitigation).toBe('clamp');
    const [{ comparison }] = decision.candidates;
    expect(comparison?.mean).toBeCloseTo(-0.01, 12);
    expect(comparison?.toldApart).toBe(false);
    // n equal differences of 0.01 leave 0 out from about ln(0.025)/ln(1/1.01) = 371 maps on.
    expect(comparison?.moreMaps).toBeGreaterThanOrEqual(268);
    expect(comparison?.moreMaps).toBeLessThan(275);
  });

  test('is none where all failed, and names nothing without a price', () => {
    expect(decide(candidate('none', 0, bad), candidate('harden', null, bad))).toMatchObject({
      ...{ verdict: 'none', mitigation: null, price: null },
    });
    expect(decide(candidate('none', 0, bad), candidate('harden', null, good))).toMatchObject({
      ...{ verdict: 'undecided', mitigation: null, price: null },
    });
  });

  test('bounds the mean loss, and says how many images a map it takes', () => {
    const [{ drop, yield: share }] = decide(candidate('none', 0, good)).candidates;
    expect(drop.mean).toBeCloseTo(0.01, 12);
    // n equal losses d: 1 − (1 − (1 + d)/2)·α^(1/n), as a place from −1 to 1.
    expect(drop.high).toBeCloseTo(1 - 0.99 * 0.025 ** (1 / 100), 9);
    // From −1 to 1 the lower bound is (1 + d)·α^(1/n) − 1.
    expect(drop.low).toBeCloseTo(1.01 * 0.025 ** (1 / 100) - 1, 9);
    // One changed image of 100 each: (1 − 1/100)/(100·99) of variance, against (0.02/2)².
    expect(share).toMatchObject({ within: 0.02, share: 1, imagesNeeded: 100 });
  });

  const counts = fc.record({ good: fc.integer({ min: 1, max: 80 }), bad: fc.nat(20) });
  const prices = fc.option(fc.integer({ min: 0, max: 3 }), { nil: null });
  property.prop([fc.array(fc.tuple(counts, prices), { minLength: 1, maxLength: 4 })], {
    numRuns: 40,
  })('never names what has no price or is not met, nor a dearer one than needed', (drawn) => {
    const all = drawn.map(([maps, price], at) => candidate(`m${at}`, price, maps));
    const { verdict, mitigation, price, candidates } = decide(...all);
    const priced = candidates.filter((one) => one.price !== null);
    if (mitigation !== null) {
      const found = candidates.find((one) => one.mitigation === mitigation);
      expect(found).toMatchObject({ verdict: 'met', price });
      expect(price).not.toBeNull();
    }
    const cheaper = priced.filter((one) => Number(one.price) < (price ?? Infinity));
    expect(cheaper.every((one) => one.verdict !== 'met')).toBe(true);
    if (verdict === 'met') expect(cheaper.every((one) => one.verdict === 'failed')).toBe(true);
    expect(verdict === 'none').toBe(candidates.every((one) => one.verdict === 'failed'));
  });
});

function frontOf(...counts: CandidateCounts[]) {
  return paretoFront(decide(...counts).candidates, counts);
}

describe('the Pareto front', () => {
  const losing = (lost: number, maps = 100) => ({ good: maps, bad: 0, lost });

  test('has what no other one beats, and says what is told apart', () => {
    const front = frontOf(
      candidate('secded', 800, losing(0)),
      candidate('rotate', 300, losing(60)),
      candidate('none', 0, losing(50)),
      candidate('parity', 100, losing(20)),
      candidate('invert', 400, losing(21)),
      candidate('harden', null, losing(0)),
    );
    expect(front).toMatchObject([
      { mitigation: 'none', price: 0, isOnFront: true, toldApart: true },
      { mitigation: 'parity', price: 100, isOnFront: true, toldApart: true },
      { mitigation: 'rotate', price: 300, isOnFront: false, toldApart: true },
      // A point worse than parity, for more; 100 maps do not tell a point.
      { mitigation: 'invert', price: 400, isOnFront: false, toldApart: false },
      { mitigation: 'secded', price: 800, isOnFront: true, toldApart: true },
      { mitigation: 'harden', price: null, isOnFront: null, toldApart: null },
    ]);
    expect(front[1].drop.mean).toBeCloseTo(0.2, 12);
  });

  test('holds all of one price and one loss, not told apart, and none that is dearer with the same loss', () => {
    expect(
      frontOf(
        candidate('clip', 8, losing(3)),
        candidate('clamp', 8, losing(3)),
        candidate('secded', 9, losing(3)),
      ),
    ).toMatchObject([
      { mitigation: 'clip', isOnFront: true, toldApart: false },
      { mitigation: 'clamp', isOnFront: true, toldApart: false },
      { mitigation: 'secded', isOnFront: false, toldApart: false },
    ]);
  });

  test('compares on the maps that both have', () => {
    const [none, clip] = frontOf(
      candidate('none', 0, losing(50, 200)),
      candidate('clip', 8, losing(0, 90)),
    );
    expect([none.isOnFront, clip.isOnFront, clip.toldApart]).toEqual([true, true, true]);
  });

  const lossOf = fc.record({
    good: fc.integer({ min: 1, max: 30 }),
    bad: fc.nat(10),
    lost: fc.constantFrom(0, 1, 5, 40),
  });
  const priceOf = fc.option(fc.integer({ min: 0, max: 3 }), { nil: null });
  property.prop([fc.array(fc.tuple(lossOf, priceOf), { minLength: 1, maxLength: 5 })], {
    numRuns: 40,
  })('is what the definition says, of every pair', (drawn) => {
    const front = frontOf(...drawn.map(([maps, price], at) => candidate(`m${at}`, price, maps)));
    const priced = front.flatMap((one) =>
      one.price === null ? [] : [{ ...one, cost: one.price }],
    );
    for (const one of priced) {
      const isBeaten = priced.some(
        (other) =>
          other.cost <= one.cost &&
          other.drop.mean <= one.drop.mean &&
          (other.cost < one.cost || other.drop.mean < one.drop.mean),
      );
      expect(one.isOnFront).toBe(!isBeaten);
      // The cheapest one alone is beaten by nothing, whatever comes.
      const others = priced.filter((other) => other !== one && other.cost <= one.cost);
      if (others.length === 0) expect(one.toldApart).toBe(true);
    }
    for (const one of front) expect(one.isOnFront === null).toBe(one.price === null);
    if (priced.length > 0) expect(priced.some(({ isOnFront }) => isOnFront)).toBe(true);
  });
});
