import type { Mitigation } from '../mitigation/index.js';
import { type Condition, pointKey } from './plan.js';
import {
  addToTally,
  createTally,
  type PointTally,
  type StudyPoint,
  summarizePoint,
} from './point.js';
import type { StoppingRule } from './stopping.js';
import type { Study } from './study.js';
import type { Trial, TrialResult } from './trial.js';

/** A point of a condition while the study runs. */
interface PointState {
  readonly mitigation: Mitigation;
  readonly tally: PointTally;
  stopped: boolean;
}

interface ConditionState {
  readonly condition: Condition;
  readonly rule: StoppingRule;
  readonly points: readonly PointState[];
  /** Maps that were handed out. */
  handedOut: number;
  /** Maps whose results were accepted: 0 … accepted − 1. */
  accepted: number;
  /** Results that wait for those of earlier maps. */
  readonly waiting: Map<number, TrialResult>;
}

/** A point and where it stands in its study. */
export interface PointRow {
  readonly condition: number;
  readonly point: StudyPoint;
  /** Whether the stopping rule asks for no more maps. */
  readonly complete: boolean;
}

/**
 * Hands out the trials of a study and takes their results in. Trials are handed out network by network, because a
 * thread keeps one network at a time, and of each network map by map over its conditions that are still open. Of each
 * condition results are accepted in the order of the maps, and the stopping
 * rule is asked about each point after each map. Which results are accepted does therefore not depend
 * on the order in which they come; those of maps beyond the stop are dropped.
 */
export interface Collector {
  /** The next trial; undefined when none is left to hand out. */
  next(): Trial | undefined;
  /**
   * Take in the result of a trial that was handed out. Returns the results that are accepted now, with the outcomes
   * of the points that had not stopped: none when it has to wait for earlier maps.
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
  /** Trials accepted, and the most that there will be. */
  readonly trials: { readonly done: number; readonly most: number };
}

/**
 * @param design images a map, and whether all maps have the same
 * @param finished results that an earlier run accepted, in the order of the maps of each condition
 */
export function createCollector(
  conditions: readonly Condition[],
  mitigations: readonly Mitigation[],
  design: Pick<Study, 'images' | 'imageChoice'>,
  ruleOf: (condition: Condition) => StoppingRule,
  finished: readonly TrialResult[] = [],
): Collector {
  const states = conditions.map(
    (condition): ConditionState => ({
      condition,
      rule: ruleOf(condition),
      points: mitigations.map((mitigation) => ({
        mitigation,
        tally: createTally(
          pointKey(condition, mitigation),
          design,
          condition.source.kind !== 'file',
        ),
        stopped: false,
      })),
      handedOut: 0,
      accepted: 0,
      waiting: new Map(),
    }),
  );
  for (const result of finished) {
    const state = states[result.trial.condition];
    take(state, result);
    state.handedOut = state.accepted;
  }
  const openMitigations = ({ points }: ConditionState) =>
    points.filter(({ stopped }) => !stopped).map(({ mitigation }) => mitigation);
  const networks = byNetwork(states).map(roundRobin);

  return {
    next() {
      let state: ConditionState | undefined;
      for (const nextOf of networks) state ??= nextOf();
      if (!state) return undefined;
      const map = state.handedOut;
      state.handedOut += 1;
      return { condition: state.condition.index, map, mitigations: openMitigations(state) };
    },
    accept(result) {
      const state = states[result.trial.condition];
      state.waiting.set(result.trial.map, result);
      const results: TrialResult[] = [];
      for (let next = takeWaiting(state); next; next = takeWaiting(state)) results.push(next);
      return results;
    },
    pointsOf: (condition) => rowsOf(states[condition]),
    points: () => states.flatMap(rowsOf),
    get complete() {
      return states.every(isClosed);
    },
    get progress() {
      return {
        points: {
          done: states.reduce((sum, { points }) => sum + points.filter(isStopped).length, 0),
          total: states.length * mitigations.length,
        },
        trials: {
          done: states.reduce((sum, { accepted }) => sum + accepted, 0),
          most: states.reduce(
            (sum, state) => sum + (isClosed(state) ? state.accepted : state.rule.maxMaps),
            0,
          ),
        },
      };
    },
  };
}

const isStopped = ({ stopped }: PointState): boolean => stopped;
const isClosed = ({ points }: ConditionState): boolean => points.every(isStopped);

/** The conditions of each network in one word format, in the order of the study. */
function byNetwork(states: readonly ConditionState[]): ConditionState[][] {
  const groups = new Map<string, ConditionState[]>();
  for (const state of states) {
    const key = JSON.stringify([state.condition.model, state.condition.format]);
    groups.set(key, [...(groups.get(key) ?? []), state]);
  }
  return [...groups.values()];
}

/** A function that gives, again and again, the open condition with the fewest maps handed out; the first of equals. */
function roundRobin(states: readonly ConditionState[]): () => ConditionState | undefined {
  let map = 0;
  let position = 0;
  let someOpen = false;
  return () => {
    for (;;) {
      for (; position < states.length; position += 1) {
        const state = states[position];
        if (isClosed(state) || state.handedOut >= state.rule.maxMaps) continue;
        someOpen = true;
        if (state.handedOut <= map) return state;
      }
      if (!someOpen) return undefined;
      position = 0;
      someOpen = false;
      map += 1;
    }
  };
}

/** The result of the next map without the outcomes of points that have stopped; undefined: it is not there, or not wanted. */
function takeWaiting(state: ConditionState): TrialResult | undefined {
  if (isClosed(state)) {
    state.waiting.clear();
    return undefined;
  }
  const result = state.waiting.get(state.accepted);
  if (!result) return undefined;
  state.waiting.delete(state.accepted);
  return take(state, result);
}

function take(state: ConditionState, result: TrialResult): TrialResult {
  const outcomes = result.outcomes.filter(({ mitigation }) =>
    state.points.some((point) => point.mitigation === mitigation && !point.stopped),
  );
  for (const outcome of outcomes) {
    const point = state.points.find(({ mitigation }) => mitigation === outcome.mitigation);
    if (!point) throw new Error(`unknown mitigation ${outcome.mitigation}`);
    addToTally(point.tally, result, outcome);
    point.stopped =
      point.tally.correct.length >= state.rule.maxMaps || state.rule.decide(point.tally) === 'stop';
  }
  state.accepted += 1;
  return { ...result, outcomes };
}

function rowsOf({ condition, rule, points }: ConditionState): PointRow[] {
  return points
    .filter(({ tally }) => tally.correct.length > 0)
    .map(({ tally, stopped }, position) => ({
      condition: condition.index,
      point: summarizePoint(tally, rule, position === 0 ? undefined : points[0].tally),
      complete: stopped,
    }));
}
