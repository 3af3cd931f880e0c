import { accuracyInterval } from './accuracy.js';
import {
  checkConfidence,
  checkCount,
  checkCounts,
  checkPositive,
  checkWithin,
} from './arguments.js';
import type { Interval } from './interval.js';
import { type NestedCounts, variance } from './nested.js';
import { normalQuantile } from './special-functions.js';

/** Decides after each map whether a point has enough; pure, so the answer depends on the maps alone. */
export interface PrecisionRule {
  readonly maxMaps: number;
  decide(results: NestedCounts): 'continue' | 'stop';
  /** About how many maps it will take, as far as the maps so far can tell. */
  expectedMaps(results: NestedCounts): number;
  interval(results: NestedCounts): Interval;
}

/** Each look comes after this many times the maps of the last one. */
export const LOOK_GROWTH = 1.1;

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
 * @param precision half-width of the interval, a fraction above 0, at most 1/2
 * @param maxMaps stop there at the latest, with the interval that was reached
 * @throws RangeError for others, and for a confidence that is not between 0 and 1
 */
export function precisionRule(
  precision: number,
  maxMaps: number,
  confidence = 0.95,
): PrecisionRule {
  checkPositive('precision', precision, 1 / 2);
  checkCount('maxMaps', maxMaps, 1);
  checkConfidence(confidence);
  const first = firstLook(precision, confidence);
  const quantile = normalQuantile((1 + confidence) / 2);
  const interval = ({ correct, images }: NestedCounts) =>
    accuracyInterval(correct, images, confidence);
  return {
    maxMaps,
    interval,
    expectedMaps({ correct, images }) {
      checkCount('images', images, 1);
      checkCounts('correct', correct, images, 0);
      const known = correct.length < 2 ? 0 : variance(correct.map((count) => count / images));
      const expected = Math.ceil(expectedMaps(known, precision, confidence));
      return Math.min(maxMaps, Math.max(correct.length + 1, expected));
    },
    decide(results) {
      const { correct, images } = results;
      checkCount('images', images, 1);
      if (correct.length >= maxMaps) return 'stop';
      if (!isLook(correct.length, first)) return 'continue';
      checkCounts('correct', correct, images);
      // The interval is never much narrower than the normal one, which costs less to know.
      const shares = correct.map((count) => count / images);
      if (quantile * Math.sqrt(variance(shares) / shares.length) > precision) return 'continue';
      const { low, high } = interval(results);
      return high - low <= 2 * precision ? 'stop' : 'continue';
    },
  };
}

function firstLook(precision: number, confidence: number): number {
  return Math.max(1, Math.ceil(Math.log((1 - confidence) / 2) / Math.log1p(-2 * precision)));
}

function isLook(maps: number, first: number): boolean {
  let look = first;
  while (look < maps) look = Math.ceil(look * LOOK_GROWTH);
  return look === maps;
}

/**
 * About how many maps `precisionRule` takes: those of its first look, and those that the normal approximation needs,
 * z²·variance/precision². On the populations of docs/statistics.md the mean number of maps is within a tenth of it.
 *
 * @param variance of the maps' shares, each on its own images
 * @throws RangeError where it is negative, the precision is not above 0 and at most 1/2, or the confidence not between 0 and 1
 */
export function expectedMaps(variance: number, precision: number, confidence = 0.95): number {
  checkWithin('variance', variance, 0, Number.MAX_VALUE);
  checkPositive('precision', precision, 1 / 2);
  checkConfidence(confidence);
  const quantile = normalQuantile((1 + confidence) / 2);
  const perVariance = Math.min((quantile / precision) ** 2, Number.MAX_VALUE);
  return Math.min(firstLook(precision, confidence) + variance * perVariance, Number.MAX_VALUE);
}
