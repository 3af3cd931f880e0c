import type { PointKey } from './plan.js';
import {
  accuracyInterval,
  clopperPearson,
  type Estimate,
  type Interval,
  mean,
  type YieldEstimate,
  yieldEstimate,
} from './statistics/index.js';
import type { PointResults, StoppingRule } from './stopping.js';
import { YIELD_WITHIN } from './study.js';
import type { Outcome, TrialResult } from './trial.js';

/** A share with its 95 % interval. */
export interface Share extends Interval {
  readonly share: number;
}

/** One row of a study: one condition with one mitigation, over its fault maps. */
export interface StudyPoint extends PointKey {
  readonly maps: number;
  /** Images per map. */
  readonly images: number;
  readonly accuracy: Estimate;
  /** Share of maps whose accuracy is at most `within` below the clean, unprotected one on the same images. */
  readonly yield: YieldEstimate;
  /** Silent data corruption: share of images whose top-1 class is not that of the fault-free run. */
  readonly sdc: Share;
  /** Images with a NaN or infinite output, mean per map. */
  readonly nonFinite: number;
  /** Means per map. */
  readonly faults: {
    readonly requested: number;
    readonly injected: number;
    readonly effective: number;
  };
}

/** The trials of one point so far, a growing list for each quantity, in the order of the maps. */
export interface PointTally extends PointResults {
  readonly key: PointKey;
  /** Whether the study's maps are drawn; a given map is not, only its images are. */
  readonly drawn: boolean;
  readonly correct: number[];
  readonly cleanCorrect: number[];
  readonly sdc: number[];
  readonly nonFinite: number[];
  readonly requested: number[];
  readonly injected: number[];
  readonly effective: number[];
}

export function createTally(key: PointKey, images: number, drawn: boolean): PointTally {
  return {
    key,
    images,
    drawn,
    correct: [],
    cleanCorrect: [],
    sdc: [],
    nonFinite: [],
    requested: [],
    injected: [],
    effective: [],
  };
}

/** Add the next map. */
export function addToTally(
  tally: PointTally,
  result: Omit<TrialResult, 'trial' | 'outcomes' | 'firstLayer'>,
  outcome: Pick<Outcome, 'correct' | 'sdc' | 'nonFinite'>,
): void {
  tally.correct.push(outcome.correct);
  tally.cleanCorrect.push(result.cleanCorrect);
  tally.sdc.push(outcome.sdc);
  tally.nonFinite.push(outcome.nonFinite);
  tally.requested.push(result.requested);
  tally.injected.push(result.injected);
  tally.effective.push(result.effective);
}

/** Summarise a point of at least one map. */
export function summarizePoint(tally: PointTally, rule: StoppingRule): StudyPoint {
  const { key, images, correct, cleanCorrect } = tally;
  const maps = correct.length;
  return {
    ...key,
    maps,
    images,
    accuracy: { mean: sum(correct) / (maps * images), ...rule.interval(tally) },
    yield: yieldEstimate({ images, correct, cleanCorrect }, YIELD_WITHIN),
    sdc: {
      share: sum(tally.sdc) / (maps * images),
      ...shareInterval(tally.sdc, images, tally.drawn),
    },
    nonFinite: mean(tally.nonFinite),
    faults: {
      requested: mean(tally.requested),
      injected: mean(tally.injected),
      effective: mean(tally.effective),
    },
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/**
 * Interval of a share of images. Maps are drawn, and images afresh for each map, so the shares of the maps are
 * independent and their spread holds both sources. A given map is not drawn: only its images are.
 *
 * @param counts images of each map
 */
export function shareInterval(counts: readonly number[], images: number, drawn: boolean): Interval {
  return drawn ? accuracyInterval(counts, images) : clopperPearson(counts[0], images);
}
