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

/**
 * Images a map with which all mitigations of a condition reach a precision at least expected cost. A mitigation takes
 * n(m) = `expectedMaps` of the variance betweenMaps + withinMap/m; the maps are shared, so they cost what the
 * longest-running mitigation needs, and each mitigation its own n(m)·images(m).
 *
 * @param variances one entry a mitigation
 * @param precision half-width of the interval, a fraction
 * @param range whole numbers that may be chosen; of equally cheap ones the smallest is
 */
export function imagesPerMap(
  variances: readonly NestedVariances[],
  costs: MapCosts,
  precision: number,
  range: { readonly least: number; readonly most: number },
): number {
  const costOf = (images: number) => {
    const maps = variances.map(({ betweenMaps, withinMap }) =>
      expectedMaps(betweenMaps + withinMap / images, precision),
    );
    const runs = maps.reduce((sum, count) => sum + count, 0);
    return Math.max(...maps) * costs.map + runs * costs.images(images);
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
