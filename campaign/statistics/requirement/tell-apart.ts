import { pairedDifference } from '../accuracy.js';
import { repeatedMeanInterval } from '../bounded-mean.js';
import type { Estimate } from '../interval.js';
import { leastTimes } from './least-times.js';

/** Whether two mitigations were told apart on the same maps and images. */
export interface Comparison extends Estimate {
  /** Whether the interval of the difference leaves 0 out. */
  readonly toldApart: boolean;
  /** About how many more maps would tell them apart, if they come out as these did; undefined: told apart, or none. */
  readonly moreMaps: number | undefined;
}

/** Beyond these many maps no number is given. */
const MOST_MAPS = 1e7;

/**
 * Tell two mitigations apart by the paired difference of their accuracies, first − second (`pairedDifference`).
 *
 * @param first for each map, at least one, the images that are right, 0 … `images`
 * @param second of the same maps
 * @throws RangeError for others, and for a confidence that is not between 0 and 1
 */
export function tellApart(
  first: readonly number[],
  second: readonly number[],
  images: number,
  confidence = 0.95,
): Comparison {
  const { low, high } = pairedDifference(first, second, images, confidence);
  // Of whole numbers, so that what is equal has a difference of 0.
  const difference = { mean: (sum(first) - sum(second)) / (first.length * images), low, high };
  const toldApart = difference.low > 0 || difference.high < 0;
  const moreMaps =
    toldApart || difference.mean === 0 ? undefined : moreMapsFor(first, second, images, confidence);
  return { ...difference, toldApart, moreMaps };
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

function moreMapsFor(
  first: readonly number[],
  second: readonly number[],
  images: number,
  confidence: number,
): number | undefined {
  const maps = first.length;
  const places = first.map((count, map) => ((count - second[map]) / images + 1) / 2);
  const times = leastTimes((factor) => {
    const { low, high } = repeatedMeanInterval(places, factor, confidence);
    return low > 0.5 || high < 0.5;
  }, MOST_MAPS / maps);
  return times === undefined ? undefined : Math.max(1, Math.ceil((times - 1) * maps));
}
