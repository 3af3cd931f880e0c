/** Checks of what callers pass: a statistic of wrong numbers would look like any other, or never end. */

/** @throws RangeError unless above 0 and below 1 */
export function checkConfidence(confidence: number): void {
  checkBetween('confidence', confidence, 0, 1);
}

/** @throws RangeError unless above `low` and below `high` */
export function checkBetween(name: string, value: number, low: number, high: number): void {
  if (!(value > low && value < high)) {
    throw new RangeError(`${name} ${value}: expected a number above ${low} and below ${high}`);
  }
}

/** @throws RangeError unless from `low` to `high`, finite */
export function checkWithin(name: string, value: number, low: number, high: number): void {
  if (!(value >= low && value <= high && Number.isFinite(value))) {
    throw new RangeError(`${name} ${value}: expected a number from ${low} to ${high}`);
  }
}

/** @throws RangeError unless above 0 and at most `most`, finite */
export function checkPositive(name: string, value: number, most: number = Number.MAX_VALUE): void {
  if (!(value > 0 && value <= most)) {
    throw new RangeError(`${name} ${value}: expected a number above 0, at most ${most}`);
  }
}

/** @throws RangeError unless a whole number from `least` to `most` */
export function checkCount(
  name: string,
  value: number,
  least: number,
  most: number = Number.MAX_SAFE_INTEGER,
): void {
  if (!(Number.isSafeInteger(value) && value >= least && value <= most)) {
    throw new RangeError(`${name} ${value}: expected a whole number from ${least} to ${most}`);
  }
}

/** @throws RangeError unless there are at least `fewest` whole numbers from 0 to `most` */
export function checkCounts(
  name: string,
  counts: readonly number[],
  most: number,
  fewest = 1,
): void {
  checkLength(name, counts, fewest);
  for (const count of counts) checkCount(name, count, 0, most);
}

/** @throws RangeError for fewer than `fewest` values */
export function checkLength(name: string, values: ArrayLike<unknown>, fewest: number): void {
  if (!(values.length >= fewest)) {
    throw new RangeError(`${name}: expected at least ${fewest} values, not ${values.length}`);
  }
}

/** @throws RangeError where counts of the same maps are not as many */
export function checkSameMaps(what: string, first: readonly number[], second: readonly number[]) {
  if (first.length !== second.length) {
    throw new RangeError(`${what} needs the same maps, not ${first.length} and ${second.length}`);
  }
}

/** @throws RangeError where a result is beyond the range of numbers */
export function finiteResult(name: string, value: number): number {
  if (!Number.isFinite(value)) throw new RangeError(`${name} is not finite for these arguments`);
  return value;
}
