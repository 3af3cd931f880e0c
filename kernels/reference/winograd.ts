/**
 * Winograd's F(4×4, 3×3) (Winograd 1980; Lavin and Gray, arXiv:1509.09308, for these matrices) in integers
 * modulo 2^32. Over the rationals a tile of outputs is Y = Aᵀ[(G w Gᵀ) ∘ (Bᵀ x B)]A. The rows of G are
 * scaled to integers here, by s = (24, 6, 6, 24, 24, 6); Aᵀ's columns by 24/s make up for it, and its rows
 * hold the common factors f = (1, 2, 4, 4) less. So element (i, j) of the result is 24² y / (f_i f_j), and
 * 24² = 9 · 2^6: multiplying by 9⁻¹ modulo 2^32 leaves y · 2^6 / (f_i f_j) modulo 2^32, which an arithmetic
 * shift turns into y where −2^25 ≤ y < 2^25. Every other step is a sum or a product modulo 2^32, so no
 * intermediate value has to fit.
 */
const INPUT_MATRIX = [
  [4, 0, -5, 0, 1, 0],
  [0, -4, -4, 1, 1, 0],
  [0, 4, -4, -1, 1, 0],
  [0, -2, -1, 2, 1, 0],
  [0, 2, -1, -2, 1, 0],
  [0, 4, 0, -5, 0, 1],
];

const WEIGHT_MATRIX = [
  [6, 0, 0],
  [-1, -1, -1],
  [-1, 1, -1],
  [1, 2, 4],
  [1, -2, 4],
  [0, 0, 6],
];

const OUTPUT_MATRIX = [
  [1, 4, 4, 1, 1, 0],
  [0, 2, -2, 1, -1, 0],
  [0, 1, 1, 1, 1, 0],
  [0, 1, -1, 2, -2, 1],
];

/** Binary logarithms of the factors f. */
const ROW_SHIFTS = [0, 1, 2, 2];

const INVERSE_OF_9 = 0x38e38e39;

/** Sums of one output channel below which F(4×4, 3×3) is exact, and at or above whose negative it is. */
export const WINOGRAD_4X4_LIMIT = 2 ** 25;

type Matrix = readonly (readonly number[])[];

/** 6×6 transformed inputs: int16 for inputs in 0…255 less any zero point in 0…255. */
export function transformInput(input: Matrix): number[][] {
  return sandwich(INPUT_MATRIX, input);
}

/** 6×6 transformed weights: int16 for int8 weights less any int8 zero point. */
export function transformWeights(weights: Matrix): number[][] {
  return sandwich(WEIGHT_MATRIX, weights);
}

/** 4×4 sums from 6×6 sums of products of transformed inputs and weights, taken modulo 2^32. */
export function transformOutput(products: Matrix): number[][] {
  return sandwich(OUTPUT_MATRIX, products).map((row, i) =>
    row.map((scaled, j) => Math.imul(scaled, INVERSE_OF_9) >> (6 - ROW_SHIFTS[i] - ROW_SHIFTS[j])),
  );
}

/** M X Mᵀ modulo 2^32. */
function sandwich(matrix: Matrix, x: Matrix): number[][] {
  const rows = matrix.map((row) => x[0].map((_, j) => dot(row, (k) => x[k][j])));
  return rows.map((row) => matrix.map((column) => dot(column, (k) => row[k])));
}

function dot(factors: readonly number[], value: (index: number) => number): number {
  return factors.reduce((sum, factor, k) => (sum + Math.imul(factor, value(k))) | 0, 0);
}
