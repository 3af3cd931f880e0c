import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { createCollector } from '../../campaign/execute/collector.js';
import {
  type Condition,
  fixedSize,
  MOST_MAPS,
  type Pilot,
  type StoppingRule,
  type Trial,
  type TrialResult,
} from '../../campaign/index.js';

const MITIGATIONS = ['none', 'clip'] as const;
const IMAGES = 10;
const STUDY = { mitigations: MITIGATIONS, imageChoice: 'drawn', within: 0.02 } as const;

/** Every second condition has a pilot, which chooses by what its trials gave. */
const PILOT: Pilot = {
  maps: 3,
  images: 4,
  mostImages: 100,
  choose: (results) =>
    2 + (results.reduce((sum, { outcomes: [{ correct }] }) => sum + correct, 0) % (IMAGES - 1)),
};

function imagesOf({ index }: Condition): number | Pilot {
  return index % 2 === 0 ? IMAGES : PILOT;
}

function conditions(count: number): Condition[] {
  return Array.from({ length: count }, (_, index) => ({
    index,
    model: 'alexnet',
    format: 'int8',
    accelerator: 'edge-16x16',
    storage: 'weights',
    source: { kind: 'model', name: 'flip', model: { model: 'uniform', faults: 'flip' } },
    scope: 'all',
    rate: index / 100,
  }));
}

/** Maps of pilots are numbered behind those of any study. */
const isPilotMap = (map: number) => map >= MOST_MAPS;

/** A result that depends on its trial alone. */
function resultOf(trial: Trial): TrialResult {
  const value = (salt: number) =>
    (trial.condition * 31 + trial.map * 17 + salt * 7) % (trial.images + 1);
  return {
    trial,
    requested: 1,
    injected: 1,
    cleanCorrect: trial.images,
    outcomes: trial.mitigations.map((mitigation) => ({
      mitigation,
      correct: value(MITIGATIONS.indexOf(mitigation as 'none')),
      sdc: 0,
      nonFinite: 0,
      effective: 1,
      firstLayer: null,
      seconds: 0,
    })),
  };
}

/** Stops a point when its right images reach a sum, so points stop at different maps. */
function sumRule(limit: number, maxMaps: number): StoppingRule {
  return {
    maxMaps,
    decide: ({ correct }) =>
      correct.reduce((sum, value) => sum + value, 0) >= limit ? 'stop' : 'continue',
    interval: () => ({ low: 0, high: 1 }),
  };
}

/** Run a study on `threads` threads, of which the next to finish is chosen by `choose`. */
function runInOrder(
  count: number,
  ruleOf: (condition: Condition) => StoppingRule,
  threads: number,
  choose: (running: number) => number,
) {
  const collector = createCollector(conditions(count), STUDY, { ruleOf, imagesOf });
  const accepted: TrialResult[] = [];
  const running = new Map<number, Trial>();
  for (;;) {
    for (let thread = 0; thread < threads; thread += 1) {
      const trial = running.has(thread) ? undefined : collector.next(thread);
      if (trial) running.set(thread, trial);
    }
    if (running.size === 0) break;
    const [thread, trial] = [...running][choose(running.size)];
    running.delete(thread);
    accepted.push(...collector.accept(resultOf(trial)));
  }
  const rowsOf = (isPilot: boolean) =>
    inOrder(accepted)
      .filter(({ trial }) => isPilotMap(trial.map) === isPilot)
      .flatMap(({ trial, outcomes }) =>
        outcomes.map(({ mitigation, correct }) => [
          ...[trial.condition, trial.map, mitigation],
          ...[correct, trial.images],
        ]),
      );
  return {
    ...{ collector, accepted, points: collector.points() },
    ...{ rows: rowsOf(false), pilots: rowsOf(true) },
  };
}

/** As a store gives them. */
function inOrder(results: readonly TrialResult[]): TrialResult[] {
  const ofPilot = ({ trial }: TrialResult) => Number(isPilotMap(trial.map));
  return results.toSorted(
    (a, b) =>
      a.trial.condition - b.trial.condition || ofPilot(b) - ofPilot(a) || a.trial.map - b.trial.map,
  );
}

describe('createCollector', () => {
  property.prop([
    fc.integer({ min: 1, max: 4 }),
    fc.integer({ min: 1, max: 60 }),
    fc.integer({ min: 1, max: 12 }),
    fc.integer({ min: 1, max: 6 }),
    fc.infiniteStream(fc.nat()),
  ])(
    'accepts the same for any number of threads and order',
    (count, limit, maxMaps, threads, draws) => {
      const rule = () => sumRule(limit, maxMaps);
      const alone = runInOrder(count, rule, 1, () => 0);
      const together = runInOrder(count, rule, threads, (running) => draws.next().value % running);
      expect(together.rows).toEqual(alone.rows);
      expect(together.pilots).toEqual(alone.pilots);
      expect(together.points).toEqual(alone.points);
      expect(alone.pilots.length).toBe(Math.floor(count / 2) * PILOT.maps * MITIGATIONS.length);
      expect(together.collector.complete).toBe(true);
      // Every point has maps 0 … n − 1, and stopped as soon as the rule said so.
      for (const { condition, point } of alone.points) {
        const maps = alone.rows.filter(([c, , m]) => c === condition && m === point.mitigation);
        expect(maps.map(([, map]) => map)).toEqual(Array.from(maps.keys()));
        const sums = maps.map((_, n) =>
          maps.slice(0, n + 1).reduce((sum, [, , , correct]) => sum + Number(correct), 0),
        );
        expect(sums.slice(0, -1).every((sum) => sum < limit)).toBe(true);
        const pilot = alone.accepted.filter(
          ({ trial }) => trial.condition === condition && isPilotMap(trial.map),
        );
        const images = pilot.length === 0 ? IMAGES : PILOT.choose(pilot);
        expect(point.images).toBe(images);
        expect(new Set(maps.map((row) => row[4]))).toEqual(new Set([images]));
        expect(maps.length === maxMaps || (sums.at(-1) ?? 0) >= limit).toBe(true);
      }
    },
  );

  property.prop([fc.nat(), fc.integer({ min: 1, max: 60 }), fc.infiniteStream(fc.nat())])(
    'continues what an earlier run accepted, wherever that ended',
    (end, limit, draws) => {
      const rule = () => sumRule(limit, 8);
      const whole = runInOrder(3, rule, 3, (running) => draws.next().value % running);
      const kept = whole.accepted.slice(0, end % (whole.accepted.length + 1));
      const finished = inOrder(kept);
      const resumed = createCollector(conditions(3), STUDY, { ruleOf: rule, imagesOf }, finished);
      const more: TrialResult[] = [];
      for (let trial = resumed.next(0); trial; trial = resumed.next(0)) {
        more.push(...resumed.accept(resultOf(trial)));
      }
      expect(resumed.points()).toEqual(whole.points);
      expect(kept.length + more.length).toBe(whole.accepted.length);
    },
  );

  test('hands the trials out map by map, all rates of a map to one thread, the lowest rate first', () => {
    const order = handOutAll(createCollector(conditions(3).map(descending), STUDY, DESIGN), 1);
    expect(order).toEqual([
      [0, 0, 2],
      [0, 0, 1],
      [0, 0, 0],
      [0, 1, 2],
      [0, 1, 1],
      [0, 1, 0],
    ]);
  });

  test('gives each thread a map of its own, and in the end the last trial of another thread', () => {
    const order = handOutAll(createCollector(conditions(3), STUDY, DESIGN), 2);
    expect(order).toEqual([
      [0, 0, 0],
      [1, 1, 0],
      [0, 0, 1],
      [1, 1, 1],
      [0, 0, 2],
      [1, 1, 2],
    ]);
    const alone = createCollector(conditions(3), STUDY, { ...DESIGN, ruleOf: () => sized(1) });
    expect(handOutAll(alone, 2)).toEqual([
      [0, 0, 0],
      [1, 0, 2],
      [0, 0, 1],
    ]);
  });
});

const sized = (maps: number) => fixedSize(maps, () => ({ low: 0, high: 1 }));

const DESIGN = { ruleOf: () => sized(2), imagesOf: () => IMAGES };

function descending(condition: Condition): Condition {
  return { ...condition, rate: 1 - condition.rate };
}

/** Thread, map and condition of each trial, threads taking turns. */
function handOutAll({ next }: ReturnType<typeof createCollector>, threads: number): number[][] {
  const order: number[][] = [];
  for (let thread = 0; ; thread = (thread + 1) % threads) {
    const trial = next(thread);
    if (!trial) return order;
    order.push([thread, trial.map, trial.condition]);
  }
}
