import {
  checkConfidence,
  checkCount,
  checkCounts,
  checkLength,
  checkSameMaps,
  finiteResult,
} from './arguments.js';
import { boundedMeanInterval } from './bounded-mean.js';
import type { Estimate, Interval } from './interval.js';

/** Images of each map: one number where all have as many, else one for each. */
export type ImagesOfMaps = number | readonly number[];

/** The images of a map. */
export function imagesOfMap(images: ImagesOfMaps, map: number): number {
  return typeof images === 'number' ? images : images[map];
}

/** @throws RangeError unless there are images of each map, at least `fewest` */
export function checkImages(images: ImagesOfMaps, maps: number, fewest = 1): void {
  if (typeof images === 'number') {
    checkCount('images', images, fewest);
    return;
  }
  if (images.length !== maps) {
    throw new RangeError(`images: expected those of ${maps} maps, not of ${images.length}`);
  }
  for (const count of images) checkCount('images', count, fewest);
}

/** @throws RangeError unless there are at least `fewest` counts, each of the images of its map */
export function checkMapCounts(
  name: string,
  counts: readonly number[],
  images: ImagesOfMaps,
  fewest = 1,
): void {
  checkLength(name, counts, fewest);
  for (const [map, count] of counts.entries()) checkCount(name, count, 0, imagesOfMap(images, map));
}

/**
 * Arithmetic mean.
 *
 * @param values at least one, finite
 * @throws RangeError for others
 */
export function mean(values: readonly number[]): number {
  const sum = values.reduce((total, value) => total + value, 0);
  return finiteResult('mean', sum / values.length);
}

/**
 * Interval of a mean share over fault maps, each judged on `images` images of its own (nested
 * design): accuracy, changed classes, non-finite outputs. The shares of the maps are independent and
 * hold both sources of chance, maps and images, so `boundedMeanInterval` applies to them as they
 * are: it covers for any population of maps, rare collapses included. That has a price in width:
 * n maps that agree still leave about 3.7/n, because a collapse of 1 map in n would go unseen.
 * Without maps it is [0, 1].
 *
 * @param counts for each map the images that count, 0 … `images`
 * @throws RangeError for others, and for a confidence that is not between 0 and 1
 */
export function accuracyInterval(
  counts: readonly number[],
  images: number,
  confidence = 0.95,
): Interval {
  checkConfidence(confidence);
  checkCount('images', images, 1);
  checkCounts('counts', counts, images, 0);
  if (counts.length === 0) return { low: 0, high: 1 };
  return boundedMeanInterval(
    counts.map((count) => count / images),
    confidence,
  );
}

/**
 * Mean difference of two shares, first − second, of the same maps and images, with its interval:
 * `boundedMeanInterval` of the differences of the maps, which lie in [−1, 1]. What both have in
 * common (hard images, maps with many faults) cancels.
 *
 * @param first for each map, at least one, the images that count, 0 … `images`
 * @param second of the same maps
 * @param images of every map, or of each
 * @throws RangeError for others, and for a confidence that is not between 0 and 1
 */
export function pairedDifference(
  first: readonly number[],
  second: readonly number[],
  images: ImagesOfMaps,
  confidence = 0.95,
): Estimate {
  checkSameMaps('a paired difference', first, second);
  checkImages(images, first.length);
  checkMapCounts('first', first, images);
  checkMapCounts('second', second, images);
  const differences = first.map((count, map) => (count - second[map]) / imagesOfMap(images, map));
  const { low, high } = boundedMeanInterval(
    differences.map((difference) => (difference + 1) / 2),
    confidence,
  );
  return { mean: mean(differences), low: 2 * low - 1, high: 2 * high - 1 };
}
