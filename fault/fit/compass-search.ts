/** Halvings of the first step after which a maximum is found: a thousandth of it. */
const HALVINGS = 10;

/** A smaller gain is none: of a log-likelihood it says nothing. */
const LEAST_GAIN = 1e-3;

/**
 * A local maximum of a log-likelihood of a few parameters, by compass search: a step along each axis in turn, taken
 * where it leads upwards, and halved where none does. It needs no derivatives.
 *
 * @param start where it begins
 * @param step the first step along every axis
 */
export function compassSearch(
  valueAt: (point: readonly number[]) => number,
  start: readonly number[],
  step: number,
): { readonly point: readonly number[]; readonly value: number } {
  let best = { point: start, value: valueAt(start) };
  for (let halving = 0, size = step; halving <= HALVINGS; ) {
    const better = neighbours(best.point, size)
      .map((point) => ({ point, value: valueAt(point) }))
      .find(({ value }) => value > best.value + LEAST_GAIN);
    if (better === undefined) {
      halving += 1;
      size /= 2;
    } else {
      best = better;
    }
  }
  return best;
}

function neighbours(point: readonly number[], size: number): number[][] {
  return point.flatMap((coordinate, axis) =>
    [-size, size].map((step) => point.with(axis, coordinate + step)),
  );
}
