/** ln Γ(x) for x > 0: Stirling's series, reached by Γ(x + 1) = x Γ(x). */
export function logGamma(x: number): number {
  let shift = 0;
  let z = x;
  for (; z < 10; z += 1) shift += Math.log(z);
  const inverse = 1 / (z * z);
  const series =
    (1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse * (1 / 1680 - inverse / 1188)))) /
    z;
  return (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + series - shift;
}

const PRECISION = 1e-15;
const TINY = 1e-300;

/** γ(a, x) / Γ(a) by its power series; converges fast for x < a + 1. */
function lowerBySeries(a: number, x: number): number {
  let term = 1 / a;
  let sum = term;
  for (let n = 1; Math.abs(term) > PRECISION * sum; n += 1) {
    term *= x / (a + n);
    sum += term;
  }
  return sum * Math.exp(a * Math.log(x) - x - logGamma(a));
}

/** Γ(a, x) / Γ(a) by its continued fraction, evaluated by Lentz's method. */
function upperByFraction(a: number, x: number): number {
  let b = x + 1 - a;
  let c = 1 / TINY;
  let d = 1 / b;
  let fraction = d;
  let change = 0;
  for (let n = 1; Math.abs(change - 1) > PRECISION; n += 1) {
    const numerator = -n * (n - a);
    b += 2;
    d = numerator * d + b;
    if (Math.abs(d) < TINY) d = TINY;
    c = b + numerator / c;
    if (Math.abs(c) < TINY) c = TINY;
    d = 1 / d;
    change = d * c;
    fraction *= change;
  }
  return fraction * Math.exp(a * Math.log(x) - x - logGamma(a));
}

/**
 * Probability that a chi-square variable exceeds a value: Q(freedom / 2, value / 2), the regularised
 * upper incomplete gamma function.
 *
 * @param value At least 0.
 * @param freedom Degrees of freedom, above 0.
 */
export function chiSquareTail(value: number, freedom: number): number {
  const a = freedom / 2;
  const x = value / 2;
  if (x <= 0) return 1;
  return x < a + 1 ? 1 - lowerBySeries(a, x) : upperByFraction(a, x);
}
