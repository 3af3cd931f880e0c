import type { Quantization } from '../network.js';
import { type ActivationRange, quantizeRange, roundToQuantization } from './affine.js';
import type { Bin } from './histogram.js';

/** Each end of a range is tried at so many equal steps from 0 to the outermost value seen. */
const STEPS = 128;

/** Σ (x − x̂)² over the values of a histogram, each taken to lie at the centre of its bin. */
export function squaredError(bins: readonly Bin[], quantization: Quantization): number {
  let sum = 0;
  for (const { centre, count } of bins) {
    sum += count * (centre - roundToQuantization(centre, quantization)) ** 2;
  }
  return sum;
}

/**
 * A range of small squared error, clipping and rounding together. Its ends are multiples of 1/128 of
 * the ends of `widest` and are moved in turn, each to its best place, until neither improves; so
 * the error is never larger than that of `widest`. (The criterion: Nagel et al., "A White Paper on
 * Neural Network Quantization", arXiv:2106.08295, section 3.1.)
 *
 * @param widest from the smallest to the largest value seen
 * @returns a range that contains 0
 */
export function leastSquaresRange(bins: readonly Bin[], widest: ActivationRange): ActivationRange {
  const bottom = Math.min(widest.low, 0);
  const top = Math.max(widest.high, 0);
  let range = { low: bottom, high: top };
  let error = squaredError(bins, quantizeRange(range));

  /** Take the best of some candidates, if it is better than the range so far. */
  function improve(candidate: (share: number) => ActivationRange): boolean {
    const before = error;
    for (let step = 0; step <= STEPS; step += 1) {
      const tried = candidate(step / STEPS);
      if (tried.low === tried.high) continue;
      const triedError = squaredError(bins, quantizeRange(tried));
      if (triedError < error) {
        error = triedError;
        range = tried;
      }
    }
    return error < before;
  }

  // It ends, because the error falls each time and the ranges are finite in number.
  for (let improving = true; improving; ) {
    const { low } = range;
    const improvedHigh = top > 0 && improve((share) => ({ low, high: share * top }));
    const { high } = range;
    const improvedLow = bottom < 0 && improve((share) => ({ low: share * bottom, high }));
    improving = (improvedHigh || improvedLow) && bottom < 0 && top > 0;
  }
  return range;
}
