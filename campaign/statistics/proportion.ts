import { checkBetween, checkConfidence, checkCount, finiteResult } from './arguments.js';
import type { Interval } from './interval.js';
import { betaQuantile, normalQuantile } from './special-functions.js';

/**
 * Clopper and Pearson's exact interval of a proportion of independent trials: it never undercovers. Images that share a fault map are not independent:
 * for a share of images use `accuracyInterval`, for a share of maps this function.
 *
 * @param trials at least one
 * @throws RangeError for other counts, and for a confidence that is not between 0 and 1
 */
export function clopperPearson(successes: number, trials: number, confidence = 0.95): Interval {
  checkProportion(successes, trials);
  checkConfidence(confidence);
  const tail = (1 - confidence) / 2;
  return {
    low: successes === 0 ? 0 : betaQuantile(tail, successes, trials - successes + 1),
    high: successes === trials ? 1 : betaQuantile(1 - tail, successes + 1, trials - successes),
  };
}

/**
 * Wilson's score interval of a proportion of independent trials: narrower than `clopperPearson`, and right on average over
 * proportions instead of for each one. For single-fault campaigns, where a trial is a fault of its own.
 *
 * @param trials at least one
 * @throws RangeError for other counts, and for a confidence that is not between 0 and 1
 */
export function wilson(successes: number, trials: number, confidence = 0.95): Interval {
  checkProportion(successes, trials);
  checkConfidence(confidence);
  const z = normalQuantile((1 + confidence) / 2);
  const share = successes / trials;
  const scale = 1 + (z * z) / trials;
  const centre = (share + (z * z) / (2 * trials)) / scale;
  const halfWidth =
    (z / scale) * Math.sqrt((share * (1 - share)) / trials + (z / (2 * trials)) ** 2);
  return {
    low: successes === 0 ? 0 : centre - halfWidth,
    high: successes === trials ? 1 : centre + halfWidth,
  };
}

function checkProportion(successes: number, trials: number): void {
  checkCount('trials', trials, 1);
  checkCount('successes', successes, 0, trials);
}

/**
 * How many single faults to draw from `population` so that the share of them with some effect is
 * known within ±`margin`: n = N / (1 + e²(N − 1)/(t² p(1 − p))), rounded up (Leveugle et al. 2009): the
 * normal approximation of sampling without replacement.
 *
 * @param population number of possible faults N; Infinity is allowed
 * @param margin half-width e of the interval, a fraction
 * @param options.share a guess of the share p; 1/2 needs most faults
 * @throws RangeError where the population is not a whole number above 0, or another argument not between 0 and 1
 */
export function faultSampleSize(
  population: number,
  margin: number,
  { confidence = 0.95, share = 0.5 } = {},
): number {
  if (population !== Infinity) checkCount('population', population, 1);
  checkBetween('margin', margin, 0, 1);
  checkConfidence(confidence);
  checkBetween('share', share, 0, 1);
  const z = normalQuantile((1 + confidence) / 2);
  const unlimited = (z * z * share * (1 - share)) / (margin * margin);
  const size =
    population === Infinity ? unlimited : population / (1 + (population - 1) / unlimited);
  return finiteResult('the number of faults', Math.ceil(size));
}
