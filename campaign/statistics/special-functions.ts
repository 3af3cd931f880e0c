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

/**
 * Regularised incomplete beta function I_x(a, b), a and b > 0, 0 ≤ x ≤ 1, by its continued fraction
 * (NIST Digital Library of Mathematical Functions 8.17.22), evaluated with Lentz's method.
 */
export function regularizedBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
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
  return (Math.exp(logFactor) * fraction) / a;
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

/** The p-quantile of the beta distribution with parameters a and b. */
export function betaQuantile(p: number, a: number, b: number): number {
  return invertIncreasing((x) => regularizedBeta(x, a, b), p, 0, 1);
}

/** The p-quantile (p ≥ 1/2) of Student's t distribution. */
export function studentQuantile(p: number, degreesOfFreedom: number): number {
  const x = betaQuantile(2 * (1 - p), degreesOfFreedom / 2, 0.5);
  return Math.sqrt((degreesOfFreedom * (1 - x)) / x);
}

/**
 * The p-quantile of the standard normal distribution, 0 < p < 1, by bisection of its distribution
 * function, 1/2 + φ(z)(z + z³/3 + z⁵/(3·5) + …) (NIST Digital Library of Mathematical Functions 7.6.2).
 */
export function normalQuantile(p: number): number {
  return invertIncreasing(normalBelow, p, -10, 10);
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
