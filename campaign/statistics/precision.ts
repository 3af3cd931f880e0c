import { accuracyInterval, mean } from './accuracy.js';
import type { Interval } from './interval.js';
import { normalQuantile } from './special-functions.js';

/** Counts of the maps of one point: maps 0, 1, … in this order, each on images of its own. */
export interface NestedCounts {
  /** Images of each map. */
  readonly images: number;
  /** Right images of each map. */
  readonly correct: readonly number[];
}

/** Decides after each map whether a point has enough; pure, so the answer depends on the maps alone. */
export interface PrecisionRule {
  readonly maxMaps: number;
  decide(results: NestedCounts): 'continue' | 'stop';
  interval(results: NestedCounts): Interval;
}

/** Each look comes after this many times the maps of the last one. */
const LOOK_GROWTH = 1.1;

/**
 * The rule that stops when the accuracy is known within ±`precision`: half the width of
 * `accuracyInterval` is at most `precision`. It looks first after as many maps as would do if all
 * agreed, n = ln((1 − confidence)/2) / ln(1 − 2·precision) (about 1.8/precision, 91 for ±2 points),
 * and then each time the maps have grown by a tenth. It never stops on zero variance: the interval
 * has a width even then.
 *
 * Stopping when an interval is narrow favours samples that happen to spread little. That is what
 * breaks Student's t; it costs these intervals little, because they allow for collapses that the
 * sample does not show. There is no proof of that for a rule that looks more than once:
 * `bench/coverage.mjs` measures it, see docs/statistics.md.
 *
 * @param precision half-width of the interval, a fraction above 0 and below 1/2
 * @param maxMaps stop there at the latest, with the interval that was reached
 */
export function precisionRule(
  precision: number,
  maxMaps: number,
  confidence = 0.95,
): PrecisionRule {
  const firstLook = Math.ceil(Math.log((1 - confidence) / 2) / Math.log(1 - 2 * precision));
  const quantile = normalQuantile((1 + confidence) / 2);
  const interval = ({ correct, images }: NestedCounts) =>
    accuracyInterval(correct, images, confidence);
  return {
    maxMaps,
    interval,
    decide(results) {
      const { correct, images } = results;
      if (correct.length >= maxMaps) return 'stop';
      if (!isLook(correct.length, firstLook)) return 'continue';
      // The interval is never much narrower than the normal one, which costs less to know.
      const shares = correct.map((count) => count / images);
      if (quantile * Math.sqrt(variance(shares) / shares.length) > precision) return 'continue';
      const { low, high } = interval(results);
      return high - low <= 2 * precision ? 'stop' : 'continue';
    },
  };
}

function isLook(maps: number, firstLook: number): boolean {
  let look = firstLook;
  while (look < maps) look = Math.ceil(look * LOOK_GROWTH);
  return look === maps;
}

/** Components of the variance of one image's being right. */
export interface NestedVariances {
  /** Variance of the maps' accuracies. */
  readonly betweenMaps: number;
  /** Variance of one image within a map, mean over maps. */
  readonly withinMap: number;
}

/**
 * Variance components of a nested design by analysis of variance (W. G. Cochran, Sampling
 * Techniques, Wiley 1977, chapter 10): within a map the mean of p(1 − p)·m/(m − 1) for m images;
 * between maps what the variance of the shares exceeds withinMap/m, at least 0.
 *
 * @param results at least two maps of at least two images
 */
export function nestedVariances({ correct, images }: NestedCounts): NestedVariances {
  const shares = correct.map((count) => count / images);
  const withinMap = mean(shares.map((share) => share * (1 - share))) * (images / (images - 1));
  return { betweenMaps: Math.max(0, variance(shares) - withinMap / images), withinMap };
}

/**
 * Images a map that reach a precision at least cost, √(map/image · withinMap/betweenMaps): the
 * optimum of two-stage sampling (Cochran, Sampling Techniques, 1977, section 10.6), rounded, at
 * least 1 and at most `limit`. Maps that do not differ get the limit: only images matter then.
 *
 * The costs may be in any unit but must not be measured times, or results would depend on them:
 * count patched weights and multiply-accumulates.
 *
 * @param pilot variances of a few maps, or the largest of several mitigations that share images
 */
export function imagesPerMap(
  pilot: NestedVariances,
  costs: { readonly map: number; readonly image: number },
  limit: number,
): number {
  const { betweenMaps, withinMap } = pilot;
  if (betweenMaps === 0) return limit;
  const optimum = Math.sqrt(((costs.map / costs.image) * withinMap) / betweenMaps);
  return Math.min(limit, Math.max(1, Math.round(optimum)));
}

/** Unbiased sample variance. */
function variance(values: readonly number[]): number {
  const centre = mean(values);
  return values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1);
}
