import { checkConfidence, checkCounts } from './arguments.js';
import { boundedMeanInterval } from './bounded-mean.js';
import type { Interval } from './interval.js';
import { studentQuantile } from './special-functions.js';

/** Every map judged on the same images: how often each map, and each image, was right. */
export interface CrossedCounts {
  /** Right images of each map; at least two maps. */
  readonly perMap: readonly number[];
  /** Maps that got each image right; at least two images, the same sum as `perMap`. */
  readonly perImage: readonly number[];
}

/** Variance of the mean of a crossed design, and the degrees of freedom of its estimate. */
export interface CrossedVariance {
  readonly variance: number;
  readonly degreesOfFreedom: number;
}

/**
 * Variance of the mean accuracy over random maps and random images when every map saw the same
 * images: the two-way random-effects model without replication. Var(mean) = σ²maps/a + σ²images/b + σ²rest/(ab)
 * is estimated by (MSmaps + MSimages − MSrest)/(ab) for a maps and b images, or MSrest/(ab) if that
 * is more (a negative component counts as 0). The degrees of freedom are Satterthwaite's. A right image counts 1, a wrong one 0, so the counts hold all sums of squares.
 *
 * @throws RangeError for counts that cannot be of the same maps and images
 */
export function crossedVariance({ perMap, perImage }: CrossedCounts): CrossedVariance {
  checkCounts('perMap', perMap, perImage.length, 2);
  checkCounts('perImage', perImage, perMap.length, 2);
  const maps = perMap.length;
  const images = perImage.length;
  const cells = maps * images;
  const total = sum(perMap);
  if (total !== sum(perImage)) {
    throw new RangeError(
      `perMap and perImage must have the same sum, not ${total} and ${sum(perImage)}`,
    );
  }
  const correction = (total * total) / cells;
  const ofMaps = sum(perMap.map((count) => count * count)) / images - correction;
  const ofImages = sum(perImage.map((count) => count * count)) / maps - correction;
  const squares = [
    { meanSquare: ofMaps / (maps - 1), freedom: maps - 1 },
    { meanSquare: ofImages / (images - 1), freedom: images - 1 },
    {
      meanSquare: Math.max(0, total - correction - ofMaps - ofImages) / ((maps - 1) * (images - 1)),
      freedom: (maps - 1) * (images - 1),
    },
  ];
  const [mapSquare, imageSquare, rest] = squares.map(({ meanSquare }) => meanSquare);
  const combined = Math.max(mapSquare + imageSquare - rest, rest);
  const uncertainty = sum(squares.map(({ meanSquare, freedom }) => meanSquare ** 2 / freedom));
  return {
    variance: combined / cells,
    degreesOfFreedom: uncertainty === 0 ? 1 : Math.max(1, combined ** 2 / uncertainty),
  };
}

/**
 * Interval of the mean accuracy over random maps and random images when every map saw the same
 * images: Student's t with `crossedVariance`, never narrower than the bounded-mean interval of the
 * maps (on these images) nor that of the images (on these maps), which know rare collapses and have
 * no width of zero.
 *
 * @throws RangeError as `crossedVariance`, and for a confidence that is not between 0 and 1
 */
export function crossedAccuracyInterval(counts: CrossedCounts, confidence = 0.95): Interval {
  checkConfidence(confidence);
  const { perMap, perImage } = counts;
  const centre = sum(perMap) / (perMap.length * perImage.length);
  const { variance, degreesOfFreedom } = crossedVariance(counts);
  const halfWidth = studentQuantile((1 + confidence) / 2, degreesOfFreedom) * Math.sqrt(variance);
  const bounds = [
    { low: Math.max(0, centre - halfWidth), high: Math.min(1, centre + halfWidth) },
    boundedMeanInterval(
      perMap.map((count) => count / perImage.length),
      confidence,
    ),
    boundedMeanInterval(
      perImage.map((count) => count / perMap.length),
      confidence,
    ),
  ];
  return {
    low: Math.min(...bounds.map(({ low }) => low)),
    high: Math.max(...bounds.map(({ high }) => high)),
  };
}

/**
 * Interval of the mean of the maps' shares where the maps have different numbers of images, all of them the first of
 * one order: the `crossedAccuracyInterval` of the images that every map has, which it is as wide as around the mean of
 * the shares, never narrower than the bounded-mean interval of the shares. More images of some maps make no part of
 * the variance larger, so it is wider than it would have to be, never narrower.
 *
 * @param shares of each map, of all of its images
 * @param common counts of the images that every map has
 * @throws RangeError as `crossedVariance`, for shares that are none or not as many, and for a confidence that is not
 *   between 0 and 1
 */
export function unevenAccuracyInterval(
  shares: readonly number[],
  common: CrossedCounts,
  confidence = 0.95,
): Interval {
  if (shares.length !== common.perMap.length) {
    throw new RangeError(`shares: expected ${common.perMap.length} values, not ${shares.length}`);
  }
  const own = boundedMeanInterval(shares, confidence);
  const { low, high } = crossedAccuracyInterval(common, confidence);
  const centre = sum(common.perMap) / (common.perMap.length * common.perImage.length);
  const shift = sum(shares) / shares.length - centre;
  return {
    low: Math.max(0, Math.min(own.low, low + shift)),
    high: Math.min(1, Math.max(own.high, high + shift)),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
