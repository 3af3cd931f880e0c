import type { Mitigation } from '../mitigation/index.js';
import type { WordFormat } from '../models/index.js';
import { pointRates } from './plan.js';
import {
  accuracyInterval,
  clopperPearson,
  type Estimate,
  type Interval,
  mean,
  type YieldEstimate,
  yieldEstimate,
} from './statistics/index.js';
import { type Study, YIELD_WITHIN } from './study.js';
import type { Outcome, TrialResult } from './trial.js';

/** One row of a study: one network, word format, mitigation and fault rate, over all maps. */
export interface StudyPoint {
  readonly model: string;
  readonly format: WordFormat;
  readonly mitigation: Mitigation;
  readonly rate: number;
  readonly maps: number;
  /** Images per map. */
  readonly images: number;
  readonly accuracy: Estimate;
  /** Share of maps whose accuracy is at most `within` below the clean, unprotected one on the same images. */
  readonly yield: YieldEstimate;
  /** Images with a NaN or infinite output, mean per map. */
  readonly nonFinite: number;
  /** Means per map. */
  readonly faults: {
    readonly requested: number;
    readonly injected: number;
    readonly effective: number;
  };
}

/** Summarise trials, one point per format, rate and mitigation, in the order of the study. */
export function summarize(
  study: Study,
  results: readonly TrialResult[],
  mapRate?: number,
): StudyPoint[] {
  return study.formats.flatMap((format) => {
    const ofFormat = results.filter(({ trial }) => trial.format === format);
    const clean = new Map(
      ofFormat
        .filter(({ trial }) => trial.rate === 0)
        .map((result) => [result.trial.map, outcomeOf(result, 'none').correct]),
    );
    return pointRates(study, format, mapRate).flatMap((rate) => {
      const atRate = ofFormat.filter(({ trial }) => trial.rate === rate);
      return study.mitigations.map((mitigation) =>
        summarizePoint(study, format, rate, mitigation, atRate, clean),
      );
    });
  });
}

function summarizePoint(
  study: Study,
  format: WordFormat,
  rate: number,
  mitigation: Mitigation,
  results: readonly TrialResult[],
  clean: ReadonlyMap<number, number>,
): StudyPoint {
  const outcomes = results.map((result) => outcomeOf(result, mitigation));
  const correct = outcomes.map((outcome) => outcome.correct);
  const allCorrect = correct.reduce((sum, value) => sum + value, 0);
  const cleanCorrect = results.map(({ trial }) => {
    const count = clean.get(trial.map);
    if (count === undefined) throw new Error(`map ${trial.map} has no fault-free trial`);
    return count;
  });
  return {
    model: study.model,
    format,
    mitigation,
    rate,
    maps: results.length,
    images: study.images,
    accuracy: {
      mean: allCorrect / (results.length * study.images),
      ...intervalOf(study, correct),
    },
    yield: yieldEstimate({ images: study.images, correct, cleanCorrect }, YIELD_WITHIN),
    nonFinite: mean(outcomes.map(({ nonFinite }) => nonFinite)),
    faults: {
      requested: mean(results.map(({ requested }) => requested)),
      injected: mean(results.map(({ injected }) => injected)),
      effective: mean(results.map(({ effective }) => effective)),
    },
  };
}

/**
 * Maps are drawn, and images afresh for each map, so the accuracies of the maps are
 * independent and their spread holds both sources. A given map is not drawn: only its images are.
 */
function intervalOf(study: Study, correct: readonly number[]): Interval {
  return study.faultMap === undefined
    ? accuracyInterval(correct, study.images)
    : clopperPearson(correct[0], study.images);
}

function outcomeOf(result: TrialResult, mitigation: Mitigation): Outcome {
  const outcome = result.outcomes.find((candidate) => candidate.mitigation === mitigation);
  if (!outcome) throw new Error(`trial without the mitigation ${mitigation}`);
  return outcome;
}
