import { fusedMultiplyAdd } from '../elementwise/fused-multiply-add.js';

const { fround } = Math;

/** Float32 coefficients, of the highest power first. */
function coefficients(...values: readonly number[]): Float32Array {
  return Float32Array.from(values);
}

/** A polynomial by Horner's rule, each step one fused multiply-add. */
function polynomial(terms: Float32Array, x: number): number {
  let sum = terms[0];
  for (let index = 1; index < terms.length; index++) sum = fusedMultiplyAdd(sum, x, terms[index]);
  return sum;
}

/** Value within [-bound, bound]; NaN stays. */
function within(value: number, bound: number): number {
  return value < -bound ? -bound : value > bound ? bound : value;
}

const SIGMOID_ODD = coefficients(
  4.37031012579801e-11,
  1.15627324459942e-7,
  6.08574864600143e-5,
  8.51377133304701e-3,
  2.48287947061529e-1,
);
const SIGMOID_EVEN = coefficients(
  6.10247389755681e-13,
  5.76102136993427e-9,
  6.2910678501704e-6,
  1.70198817374094e-3,
  1.16817656904453e-1,
  9.9315192102318e-1,
);

/**
 * 1 / (1 + e⁻ˣ) as onnxruntime's library MLAS computes it with AVX2 (`onnxruntime/core/mlas/lib/logistic.cpp`): a
 * ratio of polynomials on [-18, 18].
 */
export function sigmoid(x: number): number {
  const value = within(x, 18);
  const square = fround(value * value);
  const odd = fround(polynomial(SIGMOID_ODD, square) * value);
  const result = fround(fround(odd / polynomial(SIGMOID_EVEN, square)) + 0.5);
  return result < 0 ? 0 : result > 1 ? 1 : result;
}

const TANH_ODD = coefficients(
  -2.76076847742355e-16,
  2.00018790482477e-13,
  -8.60467152213735e-11,
  5.12229709037114e-8,
  1.48572235717979e-5,
  6.37261928875436e-4,
  4.89352455891786e-3,
);
const TANH_EVEN = coefficients(
  1.19825839466702e-6,
  1.18534705686654e-4,
  2.268434632439e-3,
  4.89352518554385e-3,
);

/** The hyperbolic tangent as MLAS computes it (`tanh.cpp`): a ratio of polynomials on [-9, 9]. */
export function tanh(x: number): number {
  const value = within(x, 9);
  const square = fround(value * value);
  const odd = fround(polynomial(TANH_ODD, square) * value);
  return fround(odd / polynomial(TANH_EVEN, square));
}

const LOG2_RECIPROCAL = fround(Math.LOG2E);
const LOG2_HIGH = fround(-6.93145752e-1);
const LOG2_LOW = fround(-1.42860677e-6);
/** Adding and subtracting it rounds to an integer. */
const ROUNDING = 1.5 * 2 ** 23;

/** 2^(m − 256), far beyond the exponents of float32; much faster than `**`. */
const POWERS = Float64Array.from({ length: 512 }, (_, index) => 2 ** (index - 256));

/** e^f · 2^m for x = f + m · log 2, m an integer. */
function exponentialBy(terms: Float32Array, x: number): number {
  const power = fround(fusedMultiplyAdd(x, LOG2_RECIPROCAL, ROUNDING) - ROUNDING);
  const rest = fusedMultiplyAdd(power, LOG2_LOW, fusedMultiplyAdd(power, LOG2_HIGH, x));
  return fround(polynomial(terms, rest) * POWERS[power + 256]);
}

const EXPONENTIAL = coefficients(
  0x1694 * 2 ** -22,
  0x1125edc * 2 ** -31,
  0x1555b5a * 2 ** -29,
  0x155545 * 2 ** -23,
  0x1fffff6 * 2 ** -26,
  1,
  1,
);

/**
 * eˣ for x ≤ 0 as MLAS computes it inside Softmax (`compute.cpp`): by a polynomial on half a binade around 0. Below
 * -88.376 it is that of -88.376.
 */
export function softmaxExponential(x: number): number {
  return exponentialBy(EXPONENTIAL, x < -88.3762626647949 ? fround(-88.3762626647949) : x);
}

const ERF_SMALL = coefficients(
  -5.99104969e-4,
  4.99339588e-3,
  -2.67667342e-2,
  1.12818025e-1,
  -3.76124859e-1,
  1.28379151e-1,
);
const ERF_LARGE = coefficients(
  1.7294893e-5,
  -3.8320868e-4,
  3.88393435e-3,
  -2.42545605e-2,
  1.06777847e-1,
  6.34846687e-1,
  1.28717512e-1,
);
const ERF_EXPONENTIAL = coefficients(
  1.38319808e-3,
  8.37550033e-3,
  4.16689515e-2,
  1.66664466e-1,
  4.99999851e-1,
  1,
  1,
);

/**
 * The error function as MLAS computes it (`erf.cpp`): x + x · P(x²) up to 0.921875, and beyond it 1 − e^(−x − x · P(x)),
 * with the sign of x.
 */
export function erf(x: number): number {
  const magnitude = Math.abs(x);
  if (magnitude > 0.921875) {
    const bounded = Math.min(magnitude, fround(3.925));
    const exponent = fusedMultiplyAdd(polynomial(ERF_LARGE, bounded), bounded, bounded);
    return Math.sign(x) * fround(1 - exponentialBy(ERF_EXPONENTIAL, -exponent));
  }
  return fusedMultiplyAdd(polynomial(ERF_SMALL, fround(x * x)), x, x);
}
