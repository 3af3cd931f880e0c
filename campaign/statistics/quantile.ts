import { checkImages, checkMapCounts, type ImagesOfMaps, imagesOfMap } from './accuracy.js';
import { checkLength, checkWithin, finiteResult } from './arguments.js';

/** The spread of the fault maps of a point: accuracies of single maps, as fractions. */
export interface MapSpread {
  readonly worst: number;
  readonly lowerQuartile: number;
  readonly median: number;
  readonly upperQuartile: number;
  readonly best: number;
}

/**
 * The p-quantile of a sample: type 7 of R's `quantile`, its default and NumPy's. Of n ascending values the one at position
 * (n − 1)p, counted from 0, between two values in proportion.
 *
 * @param ascending at least one value
 * @param p from 0 to 1
 * @throws RangeError for others, and for values that are not finite
 */
export function quantile(ascending: ArrayLike<number>, p: number): number {
  checkLength('ascending', ascending, 1);
  checkWithin('p', p, 0, 1);
  const position = (ascending.length - 1) * p;
  const below = Math.floor(position);
  const above = Math.min(below + 1, ascending.length - 1);
  const between = (position - below) * (ascending[above] - ascending[below]);
  return finiteResult('quantile', ascending[below] + between);
}

/**
 * Smallest and largest share, quartiles and median of the maps.
 *
 * @param counts for each map, at least one, the images that count, 0 … `images`
 * @param images of every map, or of each
 * @throws RangeError for others
 */
export function mapSpread(counts: readonly number[], images: ImagesOfMaps): MapSpread {
  checkImages(images, counts.length);
  checkMapCounts('counts', counts, images);
  const ascending = Float64Array.from(
    counts,
    (count, map) => count / imagesOfMap(images, map),
  ).sort();
  return {
    worst: ascending[0],
    lowerQuartile: quantile(ascending, 0.25),
    median: quantile(ascending, 0.5),
    upperQuartile: quantile(ascending, 0.75),
    best: ascending[ascending.length - 1],
  };
}
