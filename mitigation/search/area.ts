import { InputError } from '../../core/index.js';

/**
 * The area under the curve of accuracy against fault rate: the trapezoid rule over the index of the rate (equally
 * spaced abscissae), normalised so that an accuracy of 1 at every rate gives 1. Rate 0 is no point of the curve.
 *
 * @param accuracies shares, in ascending order of the rate
 * @throws InputError when there is no accuracy
 */
export function areaUnderCurve(accuracies: readonly number[]): number {
  if (accuracies.length === 0) {
    throw new InputError('An area under the curve needs at least one fault rate above 0.');
  }
  if (accuracies.length === 1) return accuracies[0];
  const inner = accuracies.slice(1, -1).reduce((sum, accuracy) => sum + accuracy, 0);
  const ends = (accuracies[0] + accuracies[accuracies.length - 1]) / 2;
  return (ends + inner) / (accuracies.length - 1);
}

/**
 * The area under the curve of all images of all maps together.
 *
 * @param counts images put into their class, by rate (ascending) and map
 * @param images images of each map
 */
export function areaOfCounts(counts: readonly (readonly number[])[], images: number): number {
  return areaUnderCurve(
    counts.map(
      (ofMaps) => ofMaps.reduce((sum, count) => sum + count, 0) / (ofMaps.length * images),
    ),
  );
}

/** The area under the curve of each map alone; the mean of them is that of all maps together. */
export function areasOfMaps(counts: readonly (readonly number[])[], images: number): number[] {
  return counts[0].map((_, map) => areaUnderCurve(counts.map((ofMaps) => ofMaps[map] / images)));
}
