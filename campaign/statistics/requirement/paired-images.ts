import { checkConfidence, checkCount } from '../arguments.js';
import { boundedMeanInterval } from '../bounded-mean.js';
import type { Estimate } from '../interval.js';

/** Images on which two networks differ. */
export interface PairedImages {
  /** Those that the first one gets right and the second one wrong. */
  readonly lost: number;
  /** The other way round. */
  readonly gained: number;
}

/** Each takes a number. */
const MOST_IMAGES = 1_000_000;

/**
 * Accuracy of the second network minus that of the first, over images of which these are a sample, with its interval.
 * An image adds −1, 0 or 1, so the interval is `boundedMeanInterval` of values in [−1, 1]; images on which both
 * agree, which are most of them, make it narrow. It is exact in that sense for every number of images.
 *
 * @param images of the sample, 1 to 1,000,000
 * @throws RangeError for counts that are more than these, and for a confidence that is not between 0 and 1
 */
export function pairedImagesDifference(
  { lost, gained }: PairedImages,
  images: number,
  confidence = 0.95,
): Estimate {
  checkConfidence(confidence);
  checkCount('images', images, 1, MOST_IMAGES);
  checkCount('lost', lost, 0, images);
  checkCount('gained', gained, 0, images - lost);
  const places = new Array<number>(images).fill(0.5);
  places.fill(0, 0, lost);
  places.fill(1, lost, lost + gained);
  const { low, high } = boundedMeanInterval(places, confidence);
  return { mean: (gained - lost) / images, low: 2 * low - 1, high: 2 * high - 1 };
}
