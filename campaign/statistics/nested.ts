import { mean } from './accuracy.js';
import { checkCount, checkCounts } from './arguments.js';

/** Counts of the maps of one point: maps 0, 1, … in this order, each on images of its own. */
export interface NestedCounts {
  /** Images of each map. */
  readonly images: number;
  /** Right images of each map. */
  readonly correct: readonly number[];
}

/** Components of the variance of one image's being right. */
export interface NestedVariances {
  /** Variance of the maps' accuracies. */
  readonly betweenMaps: number;
  /** Variance of one image within a map, mean over maps. */
  readonly withinMap: number;
}

/**
 * Variance components of a nested design by analysis of variance: within a map the mean of p(1 − p)·m/(m − 1) for m images;
 * between maps what the variance of the shares exceeds withinMap/m, at least 0.
 *
 * @param results at least two maps of at least two images
 * @throws RangeError for others
 */
export function nestedVariances({ correct, images }: NestedCounts): NestedVariances {
  checkCount('images', images, 2);
  checkCounts('correct', correct, images, 2);
  const shares = correct.map((count) => count / images);
  const withinMap = mean(shares.map((share) => share * (1 - share))) * (images / (images - 1));
  return { betweenMaps: Math.max(0, variance(shares) - withinMap / images), withinMap };
}

/** Unbiased sample variance of at least two values. */
export function variance(values: readonly number[]): number {
  const centre = mean(values);
  return values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1);
}
