import { checkCount, checkLength, checkPositive, checkWithin } from './arguments.js';
import type { NestedVariances } from './nested.js';
import { expectedMaps } from './precision.js';

/**
 * What maps and images cost, in one unit. It must not be measured time, or results would depend on it: count faults
 * and multiply-accumulates.
 */
export interface MapCosts {
  /** Of a map itself, once for all the mitigations that it is tried with. */
  readonly map: number;
  /** Of so many images of a map under one mitigation. */
  readonly images: (count: number) => number;
}

/** All of a range are tried. */
const MOST_IMAGES = 1_000_000;

/**
 * Images a map with which all mitigations of a condition reach a precision at least expected cost. A mitigation takes
 * n(m) = `expectedMaps` of the variance betweenMaps + withinMap/m; the maps are shared, so they cost what the
 * longest-running mitigation needs, and each mitigation its own n(m)·images(m).
 *
 * @param variances one entry a mitigation, at least one
 * @param precision half-width of the interval, a fraction
 * @param range whole numbers up to a million that may be chosen; of equally cheap ones the smallest is
 * @throws RangeError for others, and where a variance or cost is negative or not finite
 */
export function imagesPerMap(
  variances: readonly NestedVariances[],
  costs: MapCosts,
  precision: number,
  range: { readonly least: number; readonly most: number },
): number {
  checkLength('variances', variances, 1);
  for (const { betweenMaps, withinMap } of variances) {
    checkWithin('betweenMaps', betweenMaps, 0, Number.MAX_VALUE);
    checkWithin('withinMap', withinMap, 0, Number.MAX_VALUE);
  }
  checkPositive('precision', precision, 1 / 2);
  checkCount('range.least', range.least, 1, MOST_IMAGES);
  checkCount('range.most', range.most, range.least, MOST_IMAGES);
  checkWithin('costs.map', costs.map, 0, Number.MAX_VALUE);
  const costOf = (images: number) => {
    const maps = variances.map(({ betweenMaps, withinMap }) =>
      expectedMaps(betweenMaps + withinMap / images, precision),
    );
    const runs = maps.reduce((sum, count) => sum + count, 0);
    const perMap = costs.images(images);
    checkWithin('costs.images', perMap, 0, Number.MAX_VALUE);
    return Math.max(...maps) * costs.map + runs * perMap;
  };
  let chosen = range.least;
  let least = costOf(chosen);
  for (let images = range.least + 1; images <= range.most; images += 1) {
    const cost = costOf(images);
    if (cost >= least) continue;
    least = cost;
    chosen = images;
  }
  return chosen;
}
