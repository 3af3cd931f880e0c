import {
  acceptInOrder,
  type ConditionState,
  createConditionState,
  expectedTrials,
  handOut,
  isClosed,
  mostTrials,
  nextHandOut,
  pointsOf,
  stoppedPoints,
  take,
} from './condition-state.js';
import type { Condition } from './plan.js';
import { type StudyPoint, summarizePoint } from './point.js';
import type { PreparedStudy } from './prepare-study.js';
import type { Study } from './study.js';
import type { Trial, TrialResult } from './trial.js';

/** A point and where it stands in its study. */
export interface PointRow {
  readonly condition: number;
  readonly point: StudyPoint;
  /** Whether the stopping rule asks for no more maps. */
  readonly complete: boolean;
}

/**
 * Hands out the trials of a study and takes their results in. Trials are handed out network by network, because a
 * thread keeps one network at a time, and of each network trial by trial over its conditions that are still open; of a
 * condition first those of its pilot. Of each condition results are accepted in the order of its trials, the pilot
 * chooses the images, and the stopping rule is asked about each point after each map. Which results are accepted does
 * therefore not depend on the order in which they come; those of maps beyond the stop are dropped.
 */
export interface Collector {
  /** The next trial; undefined when none can be handed out before a running one has ended. */
  next(): Trial | undefined;
  /**
   * Take in the result of a trial that was handed out. Returns the results that are accepted now, with the outcomes
   * of the points that had not stopped: none when it has to wait for earlier trials.
   */
  accept(result: TrialResult): readonly TrialResult[];
  /** The points of a condition that have a map, in the order of the study. */
  pointsOf(condition: number): PointRow[];
  /** All points that have a map, in the order of the study. */
  points(): PointRow[];
  /** Whether every point is complete. */
  readonly complete: boolean;
  readonly progress: CollectorProgress;
}

/** How far a study is. */
export interface CollectorProgress {
  readonly points: { readonly done: number; readonly total: number };
  /** Trials accepted, those of pilots included, about how many there will be, and the most. */
  readonly trials: { readonly done: number; readonly expected: number; readonly most: number };
}

/**
 * @param study its mitigations, and whether all maps have the same images
 * @param design the stopping rule, and the images or the pilot of a condition
 * @param finished results that an earlier run accepted, in the order of the trials of each condition
 */
export function createCollector(
  conditions: readonly Condition[],
  study: Pick<Study, 'mitigations' | 'imageChoice'>,
  { ruleOf, imagesOf }: Pick<PreparedStudy, 'ruleOf' | 'imagesOf'>,
  finished: readonly TrialResult[] = [],
): Collector {
  const states = conditions.map((condition) =>
    createConditionState(condition, ruleOf(condition), imagesOf(condition), study),
  );
  for (const result of finished) {
    const state = states[result.trial.condition];
    take(state, result);
    state.handedOut = state.accepted;
  }
  const networks = byNetwork(states).map(roundRobin);
  const total = (value: (state: ConditionState) => number) =>
    states.reduce((sum, state) => sum + value(state), 0);

  return {
    next() {
      for (const nextOf of networks) {
        const state = nextOf();
        // The next network waits, too: changing networks costs more than the rest of a pilot.
        if (state === 'wait') return undefined;
        if (state) return handOut(state);
      }
      return undefined;
    },
    accept: (result) => acceptInOrder(states[result.trial.condition], result),
    pointsOf: (condition) => rowsOf(states[condition]),
    points: () => states.flatMap(rowsOf),
    get complete() {
      return states.every(isClosed);
    },
    get progress() {
      return {
        points: { done: total(stoppedPoints), total: states.length * study.mitigations.length },
        trials: {
          done: total(({ accepted }) => accepted),
          expected: total(expectedTrials),
          most: total(mostTrials),
        },
      };
    },
  };
}

/** The conditions of each network in one word format, in the order of the study. */
function byNetwork(states: readonly ConditionState[]): ConditionState[][] {
  const groups = new Map<string, ConditionState[]>();
  for (const state of states) {
    const key = JSON.stringify([state.condition.model, state.condition.format]);
    groups.set(key, [...(groups.get(key) ?? []), state]);
  }
  return [...groups.values()];
}

/**
 * A function that gives, again and again, the condition with the fewest trials handed out of those that have one to
 * hand out, the first of equals; `wait` when only pilots that have not ended will have one.
 */
function roundRobin(states: readonly ConditionState[]): () => ConditionState | 'wait' | undefined {
  let trial = 0;
  let position = 0;
  let someOpen = false;
  let someWait = false;
  return () => {
    for (;;) {
      for (; position < states.length; position += 1) {
        const state = states[position];
        const next = nextHandOut(state);
        if (next === 'wait') someWait = true;
        if (next !== 'trial') continue;
        someOpen = true;
        if (state.handedOut <= trial) return state;
      }
      const waits = someWait;
      position = 0;
      someWait = false;
      if (!someOpen) return waits ? 'wait' : undefined;
      someOpen = false;
      trial += 1;
    }
  };
}

function rowsOf(state: ConditionState): PointRow[] {
  const points = pointsOf(state);
  return points
    .filter(({ tally }) => tally.correct.length > 0)
    .map(({ tally, stopped }, position) => ({
      condition: state.condition.index,
      point: summarizePoint(tally, state.rule, position === 0 ? undefined : points[0].tally),
      complete: stopped,
    }));
}
