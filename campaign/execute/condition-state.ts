import { type Pilot, pilotMap } from '../points/pilot.js';
import { addToTally, createTally, type PointTally } from '../points/point.js';
import type { StoppingRule } from '../points/stopping.js';
import { pointKey } from '../study/columns.js';
import type { Condition } from '../study/conditions.js';
import type { Study } from '../study/study.js';
import type { Trial, TrialResult } from '../trial/trial.js';

/** A point of a condition while the study runs. */
export interface PointState {
  readonly mitigation: string;
  readonly tally: PointTally;
  stopped: boolean;
}

/** The points of a condition, once their images are known. */
interface ConditionPoints {
  /** Images a map. */
  readonly images: number;
  readonly points: readonly PointState[];
}

/** A condition while the study runs: first its pilot, if it has one, then its maps. */
export interface ConditionState {
  readonly condition: Condition;
  readonly rule: StoppingRule;
  readonly mitigations: readonly string[];
  readonly imageChoice: Study['imageChoice'];
  readonly within: number;
  readonly remarksOf: PointsOfStudy['remarksOf'];
  readonly pilot: Pilot | undefined;
  readonly pilotResults: TrialResult[];
  /** Undefined while the pilot runs. */
  started: ConditionPoints | undefined;
  /** Trials that were handed out, the pilot's included. */
  handedOut: number;
  /** Trials whose results were accepted, in the order in which they are handed out. */
  accepted: number;
  /** Results that wait for those of earlier trials, by map. */
  readonly waiting: Map<number, TrialResult>;
}

/** What the points of a study's conditions have in common. */
export interface PointsOfStudy {
  /** Names, in the order of the study. */
  readonly mitigations: readonly string[];
  readonly imageChoice: Study['imageChoice'];
  /** What a good map may lose, a fraction. */
  readonly within: number;
  /** What is to be remarked on a point. */
  readonly remarksOf?:
    | ((condition: Condition, mitigation: string) => readonly string[])
    | undefined;
}

/** @param images of a map, or the pilot that chooses them */
export function createConditionState(
  condition: Condition,
  rule: StoppingRule,
  images: number | Pilot,
  { mitigations, imageChoice, within, remarksOf }: PointsOfStudy,
): ConditionState {
  const state: ConditionState = {
    ...{ condition, rule, mitigations, imageChoice, within, remarksOf },
    pilot: typeof images === 'number' ? undefined : images,
    pilotResults: [],
    started: undefined,
    handedOut: 0,
    accepted: 0,
    waiting: new Map(),
  };
  if (typeof images === 'number') start(state, images);
  return state;
}

function start(state: ConditionState, images: number): void {
  const { condition, mitigations, imageChoice } = state;
  state.started = {
    images,
    points: mitigations.map((mitigation) => ({
      mitigation,
      tally: createTally(pointKey(condition, mitigation), images, imageChoice, condition.source),
      stopped: false,
    })),
  };
}

export function pointsOf({ started }: ConditionState): readonly PointState[] {
  return started?.points ?? [];
}

const isStopped = ({ stopped }: PointState): boolean => stopped;

/** Points that ask for no more maps. */
export function stoppedPoints(state: ConditionState): number {
  return pointsOf(state).filter(isStopped).length;
}

/** Whether a condition asks for no more trials. */
export function isClosed({ started }: ConditionState): boolean {
  return started?.points.every(isStopped) ?? false;
}

/** The most trials that a condition has. */
export function mostTrials(state: ConditionState): number {
  return isClosed(state) ? state.accepted : (state.pilot?.maps ?? 0) + state.rule.maxMaps;
}

/** About how many trials a condition will have had. */
export function expectedTrials(state: ConditionState): number {
  if (isClosed(state)) return state.accepted;
  const { rule, started, pilot } = state;
  const open = started?.points.filter((point) => !isStopped(point)).map(({ tally }) => tally);
  const tallies = open ?? [{ images: 1, correct: [], cleanCorrect: [] }];
  const maps = tallies.map((tally) => rule.expectedMaps?.(tally) ?? rule.maxMaps);
  return (pilot?.maps ?? 0) + Math.max(...maps);
}

/** `wait`: the next trial depends on results of the pilot that are not there yet. `none`: there is none. */
export type HandOut = 'trial' | 'wait' | 'none';

export function nextHandOut(state: ConditionState): HandOut {
  if (isClosed(state) || state.handedOut >= mostTrials(state)) return 'none';
  return state.started || state.handedOut < (state.pilot?.maps ?? 0) ? 'trial' : 'wait';
}

/** Reserve the next trial of a condition that has one; returns its number. */
export function reserveTrial(state: ConditionState): number {
  const number = state.handedOut;
  state.handedOut += 1;
  return number;
}

/** A reserved trial as it is to be run now; undefined once the condition asks for no more. */
export function reservedTrial(state: ConditionState, number: number): Trial | undefined {
  if (isClosed(state)) return undefined;
  const { condition, pilot, started, mitigations } = state;
  const map = mapOf(state, number);
  if (pilot && number < pilot.maps) {
    return { condition: condition.index, map, images: pilot.images, mitigations };
  }
  if (!started) throw new Error('a trial before the end of the pilot');
  const open = started.points.filter((point) => !isStopped(point));
  return {
    condition: condition.index,
    map,
    images: started.images,
    mitigations: open.map(({ mitigation }) => mitigation),
  };
}

/** The map of the next trial of a condition that has one. */
export function nextMap(state: ConditionState): number {
  return mapOf(state, state.handedOut);
}

/** The map of a condition's trial. */
function mapOf({ pilot }: ConditionState, trial: number): number {
  const maps = pilot?.maps ?? 0;
  return trial < maps ? pilotMap(trial) : trial - maps;
}

/** Keep a result until its turn comes, and accept those whose turn it is. */
export function acceptInOrder(state: ConditionState, result: TrialResult): TrialResult[] {
  state.waiting.set(result.trial.map, result);
  const accepted: TrialResult[] = [];
  while (!isClosed(state)) {
    const map = mapOf(state, state.accepted);
    const next = state.waiting.get(map);
    if (!next) return accepted;
    state.waiting.delete(map);
    accepted.push(take(state, next));
  }
  state.waiting.clear();
  return accepted;
}

/** Take in the next result; returns it without the outcomes of points that have stopped. */
export function take(state: ConditionState, result: TrialResult): TrialResult {
  state.accepted += 1;
  const { pilot, pilotResults, rule } = state;
  if (pilot && pilotResults.length < pilot.maps) {
    pilotResults.push(result);
    if (pilotResults.length === pilot.maps) start(state, pilot.choose(pilotResults));
    return result;
  }
  const points = pointsOf(state);
  const outcomes = result.outcomes.filter(({ mitigation }) =>
    points.some((point) => point.mitigation === mitigation && !point.stopped),
  );
  for (const outcome of outcomes) {
    const point = points.find(({ mitigation }) => mitigation === outcome.mitigation);
    if (!point) throw new Error(`unknown mitigation ${outcome.mitigation}`);
    addToTally(point.tally, result, outcome);
    point.stopped =
      point.tally.correct.length >= rule.maxMaps || rule.decide(point.tally) === 'stop';
  }
  return { ...result, outcomes };
}
