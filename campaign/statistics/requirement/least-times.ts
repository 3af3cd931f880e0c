/**
 * The least factor from 1 on that is enough, to a part in a thousand, of those from which on all are.
 *
 * @returns undefined when `most` is not
 */
export function leastTimes(isEnough: (times: number) => boolean, most: number): number | undefined {
  let high = 1;
  while (!isEnough(high)) {
    if (high >= most) return undefined;
    high = Math.min(2 * high, most);
  }
  let low = high / 2;
  while (high - low > 1e-3 * high) {
    const middle = (low + high) / 2;
    if (isEnough(middle)) high = middle;
    else low = middle;
  }
  return high;
}
