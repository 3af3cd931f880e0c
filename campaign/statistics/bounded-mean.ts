import { checkConfidence, checkLength, checkPositive, checkWithin } from './arguments.js';
import type { Interval } from './interval.js';

/** Relative error of a bound. */
const TOLERANCE = 1e-10;

/** Step of the trapezoidal rule. */
const STEP = 0.0625;

/** A value and how often it was seen. */
interface Group {
  readonly value: number;
  readonly count: number;
}

interface Offset {
  readonly offset: number;
  readonly count: number;
}

/**
 * Confidence interval of the common mean of independent values in [0, 1], whatever their
 * distributions: Gaffke's bounds. The lower one is the (1 − confidence)/2 quantile of Σ Dᵢ xᵢ over the
 * values and one more value 0, where D is uniform on the simplex (Dirichlet with all parameters 1);
 * the upper one mirrors it with one more value 1.
 *
 * That each bound errs with at most half of 1 − confidence, for every number of values and every
 * distribution, is a conjecture without a known counterexample (E. Learned-Miller and P. S. Thomas,
 * arXiv:1905.06208). It is proved where all values are 0 or 1, for which this is the interval of Clopper
 * and Pearson; docs/statistics.md says more, and what simulations cover. For many values the interval
 * approaches the normal one. It has no width of zero: n equal values still leave about
 * −ln((1 − confidence)/2) / n.
 *
 * @param values at least one, each in [0, 1]
 * @throws RangeError for others, and for a confidence that is not between 0 and 1
 */
export function boundedMeanInterval(values: readonly number[], confidence = 0.95): Interval {
  return repeatedMeanInterval(values, 1, confidence);
}

/**
 * The `boundedMeanInterval` of a sample in which each value is there `times` as often: what more values like these
 * would give.
 *
 * @param times any number above 0
 * @throws RangeError for others
 */
export function repeatedMeanInterval(
  values: readonly number[],
  times: number,
  confidence = 0.95,
): Interval {
  checkConfidence(confidence);
  checkPositive('times', times);
  checkLength('values', values, 1);
  for (const value of values) checkWithin('value', value, 0, 1);
  const tail = (1 - confidence) / 2;
  const groups = groupValues(values).map(({ value, count }) => ({ value, count: times * count }));
  const mirrored = groups.map(({ value, count }) => ({ value: 1 - value, count }));
  return { low: scaledLowerBound(groups, tail), high: 1 - scaledLowerBound(mirrored, tail) };
}

/** The bound is proportional to the values; with a largest value of 1 no step loses its precision. */
function scaledLowerBound(values: readonly Group[], tail: number): number {
  const largest = values.reduce((most, { value }) => Math.max(most, value), 0);
  if (largest === 0) return 0;
  const scaled = values.map(({ value, count }) => ({ value: value / largest, count }));
  return largest * lowerBound(scaled, tail);
}

function groupValues(values: readonly number[]): Group[] {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].map(([value, count]) => ({ value, count }));
}

/** The x that the Dirichlet mean of the values, of which the largest is 1, and one 0 undercuts with probability `tail`. */
function lowerBound(values: readonly Group[], tail: number): number {
  const weights = values.reduce((sum, { count }) => sum + count, 1);
  const centre = values.reduce((sum, { value, count }) => sum + value * count, 0) / weights;
  const groups = [{ value: 0, count: 1 }, ...values];
  const spread = groups.reduce((sum, { value, count }) => sum + count * (value - centre) ** 2, 0);
  const deviation = Math.sqrt(spread / (weights * (weights + 1)));
  const excess = (x: number) => Math.log(dirichletMeanBelow(groups, x) / tail);

  let right = { x: centre, excess: excess(centre) };
  let left = right;
  while (left.excess > 0) {
    right = left;
    const x = Math.max(right.x - 2 * deviation, right.x / 2);
    left = { x, excess: excess(x) };
  }
  // Regula falsi, which halves the excess of an end that stays twice (the Illinois method).
  let stayed = 0;
  while (right.x - left.x > TOLERANCE * right.x) {
    const x = (left.x * right.excess - right.x * left.excess) / (right.excess - left.excess);
    const middle = { x, excess: excess(x) };
    if (Math.abs(middle.excess) < TOLERANCE) return x;
    if (middle.excess > 0) {
      right = middle;
      if (stayed === -1) left = { x: left.x, excess: left.excess / 2 };
      stayed = -1;
    } else {
      left = middle;
      if (stayed === 1) right = { x: right.x, excess: right.excess / 2 };
      stayed = 1;
    }
  }
  return left.x;
}

/**
 * P(Σ Dᵢ vᵢ ≤ x) for D uniform on the simplex and 0 < x < the largest v. Dirichlet weights are
 * exponential variables divided by their sum, so this is P(Σ Eᵢ (vᵢ − x) ≤ 0); its moment generating
 * function is Π 1/(1 − s(vᵢ − x)), and the Bromwich integral of M(s)/s along any vertical line with
 * −1/x < s < 0 gives the probability. The line is put through the saddle point of M, where
 * the integrand hardly oscillates, and t = sinh(u)/σ makes it fall off so fast that the trapezoidal rule is exact to about 1e-10.
 */
function dirichletMeanBelow(groups: readonly Group[], x: number): number {
  const offsets = groups.map(({ value, count }) => ({ offset: value - x, count }));
  const largest = groups.reduce((most, { value }) => Math.max(most, value), 0);
  const saddle = saddlePoint(offsets, -1 / x, 1 / (largest - x));
  const deviationAt = (s: number) =>
    Math.sqrt(sumOver(offsets, (offset) => (offset / (1 - s * offset)) ** 2));
  // Away from the pole of 1/s.
  const s = Math.min(saddle, -0.5 / deviationAt(0));
  const deviation = deviationAt(s);
  const slopes = offsets.map(({ offset, count }) => ({ offset: offset / (1 - s * offset), count }));
  let integral = 0;
  for (let step = 0; ; step += 1) {
    const u = step * STEP;
    const t = Math.sinh(u) / deviation;
    const logSize = -0.5 * sumOver(slopes, (slope) => Math.log1p((t * slope) ** 2));
    const angle = sumOver(slopes, (slope) => Math.atan(t * slope));
    const size = (Math.exp(logSize) * Math.cosh(u)) / (s * s + t * t);
    integral += (step === 0 ? 0.5 : 1) * size * (s * Math.cos(angle) + t * Math.sin(angle));
    if (size * Math.hypot(s, t) < 1e-14 * Math.abs(integral)) break;
  }
  const logScale = -sumOver(offsets, (offset) => Math.log1p(-s * offset));
  return (-integral * STEP * Math.exp(logScale)) / (Math.PI * deviation);
}

/** The s between the poles `low` and `high` at which Σ oᵢ/(1 − s·oᵢ) is 0, to a part in 1000. */
function saddlePoint(offsets: readonly Offset[], low: number, high: number): number {
  let left = low;
  let right = high;
  while (right - left > 1e-3 * Math.max(Math.abs(left), Math.abs(right))) {
    const middle = (left + right) / 2;
    if (sumOver(offsets, (offset) => offset / (1 - middle * offset)) > 0) right = middle;
    else left = middle;
    if (Math.abs(middle) < 1e-9 * (high - low)) break;
  }
  return (left + right) / 2;
}

function sumOver(offsets: readonly Offset[], term: (offset: number) => number): number {
  let sum = 0;
  for (const { offset, count } of offsets) sum += count * term(offset);
  return sum;
}
