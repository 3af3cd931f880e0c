import type { StudyDesign } from '../points/design.js';
import { type StudyPoint, summarizePoint } from '../points/point.js';
import type { Condition } from '../study/conditions.js';
import type { Trial, TrialResult } from '../trial/trial.js';
import {
  acceptInOrder,
  type ConditionState,
  createConditionState,
  expectedTrials,
  isClosed,
  mostTrials,
  type PointsOfStudy,
  pointsOf,
  stoppedPoints,
  take,
} from './condition-state.js';
import { createSchedule } from './schedule.js';

/** A point and where it stands in its study. */
export interface PointRow {
  readonly condition: number;
  readonly point: StudyPoint;
  /** Whether the stopping rule asks for no more maps. */
  readonly complete: boolean;
}

/**
 * Hands out the trials of a study (`createSchedule` says in which order) and takes their results in. Of each condition
 * results are accepted in the order of its trials, the pilot chooses the images, and the stopping rule is asked about
 * each point after each map. Which results are accepted does therefore not depend on the order in which they come;
 * those of maps beyond the stop are dropped.
 */
export interface Collector {
  /** The next trial of a thread; undefined when none can be handed out before a running one has ended. */
  next(thread: number): Trial | undefined;
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
 * @param points what the points of all conditions have in common
 * @param design the stopping rule, and the images or the pilot of a condition
 * @param finished results that an earlier run accepted, in the order of the trials of each condition
 */
export function createCollector(
  conditions: readonly Condition[],
  points: PointsOfStudy,
  { ruleOf, imagesOf }: StudyDesign,
  finished: readonly TrialResult[] = [],
): Collector {
  const states = conditions.map((condition) =>
    createConditionState(condition, ruleOf(condition), imagesOf(condition), points),
  );
  for (const result of finished) {
    const state = states[result.trial.condition];
    take(state, result);
    state.handedOut = state.accepted;
  }
  const schedule = createSchedule(states);
  const total = (value: (state: ConditionState) => number) =>
    states.reduce((sum, state) => sum + value(state), 0);

  return {
    next: schedule,
    accept: (result) => acceptInOrder(states[result.trial.condition], result),
    pointsOf: (condition) => rowsOf(states[condition]),
    points: () => states.flatMap(rowsOf),
    get complete() {
      return states.every(isClosed);
    },
    get progress() {
      return {
        points: { done: total(stoppedPoints), total: states.length * points.mitigations.length },
        trials: {
          done: total(({ accepted }) => accepted),
          expected: total(expectedTrials),
          most: total(mostTrials),
        },
      };
    },
  };
}

function rowsOf(state: ConditionState): PointRow[] {
  const points = pointsOf(state);
  const { rule, within, condition, remarksOf } = state;
  return points
    .filter(({ tally }) => tally.correct.length > 0)
    .map(({ mitigation, tally, stopped }, position) => ({
      condition: state.condition.index,
      point: summarizePoint(tally, {
        ...{ rule, within },
        reference: position === 0 ? undefined : points[0].tally,
        remarks: remarksOf?.(condition, mitigation),
      }),
      complete: stopped,
    }));
}
