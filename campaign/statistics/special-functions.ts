import { chiSquareTail } from '../../fault/index.js';
import { checkBetween, checkPositive, checkWithin, finiteResult } from './arguments.js';

/** Natural logarithm of the gamma function for x > 0 (Lanczos approximation, g = 7, 9 terms). */
function logGamma(x: number): number {
  const coefficients = [
    0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313,
    -176.61502916214059, 12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6,
    1.5056327351493116e-7,
  ];
  const shifted = x - 1;
  const base = shifted + 7.5;
  const series = coefficients.reduce((sum, c, index) =>
    index === 0 ? c : sum + c / (shifted + index),
  );
  return 0.5 * Math.log(2 * Math.PI) + (shifted + 0.5) * Math.log(base) - base + Math.log(series);
}

/** Largest parameter of a beta distribution. */
const MOST_BETA = 1e9;

/**
 * Regularised incomplete beta function I_x(a, b), a and b > 0, 0 ≤ x ≤ 1, by its continued fraction
 * (section 8.17 of the NIST Digital Library of Mathematical Functions), evaluated with Lentz's method.
 *
 * The difference of logarithms of gamma functions costs digits: 10⁻⁸ of the value is left to doubt with parameters of
 * 10⁷, 10⁻⁵ with MOST_BETA.
 *
 * @throws RangeError for other arguments, and for parameters above MOST_BETA
 */
export function regularizedBeta(x: number, a: number, b: number): number {
  checkWithin('x', x, 0, 1);
  checkPositive('a', a, MOST_BETA);
  checkPositive('b', b, MOST_BETA);
  if (x === 0) return 0;
  if (x === 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - regularizedBeta(1 - x, b, a);
  const smallest = 1e-300;
  const awayFromZero = (value: number) => (Math.abs(value) < smallest ? smallest : value);
  let numeratorRatio = 1;
  let denominatorRatio = 1 / awayFromZero(1 - ((a + b) * x) / (a + 1));
  let fraction = denominatorRatio;
  for (let m = 1; m < 10_000; m += 1) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    let change = 1;
    for (const term of [even, odd]) {
      denominatorRatio = 1 / awayFromZero(1 + term * denominatorRatio);
      numeratorRatio = awayFromZero(1 + term / numeratorRatio);
      change = denominatorRatio * numeratorRatio;
      fraction *= change;
    }
    if (Math.abs(change - 1) < 1e-15) break;
  }
  const logFactor =
    logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x);
  return finiteResult('the beta function', (Math.exp(logFactor) * fraction) / a);
}

/** The argument in [low, high] at which the increasing function reaches `target`, by bisection. */
function invertIncreasing(
  f: (x: number) => number,
  target: number,
  low: number,
  high: number,
): number {
  let left = low;
  let right = high;
  for (let step = 0; step < 200 && right - left > Number.EPSILON * Math.abs(left); step += 1) {
    const middle = (left + right) / 2;
    if (f(middle) < target) left = middle;
    else right = middle;
  }
  return (left + right) / 2;
}

/**
 * The p-quantile of the beta distribution with parameters a and b.
 *
 * @throws RangeError where p is not from 0 to 1, or for parameters that `regularizedBeta` refuses
 */
export function betaQuantile(p: number, a: number, b: number): number {
  checkWithin('p', p, 0, 1);
  return invertIncreasing((x) => regularizedBeta(x, a, b), p, 0, 1);
}

/** With more degrees of freedom the error of `studentQuantile`'s expansion is below rounding. */
const MANY_DEGREES_OF_FREEDOM = 1e8;

/**
 * The p-quantile (1/2 ≤ p < 1) of Student's t distribution: by that of the beta distribution, or with very many degrees
 * of freedom ν by the first terms of its expansion, z + (z³ + z)/(4ν).
 *
 * @param degreesOfFreedom above 0
 * @throws RangeError for others, and where the quantile is beyond the range of numbers
 */
export function studentQuantile(p: number, degreesOfFreedom: number): number {
  checkWithin('p', p, 1 / 2, 1 - Number.EPSILON / 2);
  checkPositive('degreesOfFreedom', degreesOfFreedom);
  if (degreesOfFreedom > MANY_DEGREES_OF_FREEDOM) {
    const z = normalQuantile(p);
    return z + (z ** 3 + z) / (4 * degreesOfFreedom);
  }
  const x = betaQuantile(2 * (1 - p), degreesOfFreedom / 2, 0.5);
  return finiteResult('the quantile', Math.sqrt((degreesOfFreedom * (1 - x)) / x));
}

/**
 * The p-quantile of the standard normal distribution, 0 < p < 1, by bisection: of its distribution function,
 * 1/2 + φ(z)(z + z³/3 + z⁵/(3·5) + …), or, where that would
 * lose a small tail to rounding, of the tail of z², which is chi-square distributed.
 *
 * @throws RangeError for other p
 */
export function normalQuantile(p: number): number {
  checkBetween('p', p, 0, 1);
  const tail = Math.min(p, 1 - p);
  if (tail > 1e-4) return invertIncreasing(normalBelow, p, -10, 10);
  const size = invertIncreasing((z) => -chiSquareTail(z * z, 1) / 2, -tail, 0, 40);
  return p < 1 / 2 ? -size : size;
}

function normalBelow(z: number): number {
  let term = z;
  let series = 0;
  for (let odd = 3; Math.abs(term) > 1e-18 * Math.abs(series) && odd < 1000; odd += 2) {
    series += term;
    term *= (z * z) / odd;
  }
  return 0.5 + (series * Math.exp(-0.5 * z * z)) / Math.sqrt(2 * Math.PI);
}
