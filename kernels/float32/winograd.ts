/**
 * The transforms of F(2×2,3×3) and F(4×4,3×3) (A. Lavin and S. Gray, "Fast Algorithms for Convolutional
 * Neural Networks", CVPR 2016), with the order of every rounding. Each works along one axis on values
 * `stride` apart; a tile is transformed along y (its columns), then along x (its rows).
 */
export interface WinogradTransforms {
  /** Outputs along one side of a tile. */
  readonly outputs: 2 | 4;
  /** Bᵀ·d in float32: m + 2 inputs to m + 2 elements. */
  input(values: Float32Array, first: number, stride: number): void;
  /** Aᵀ·m in float32: m + 2 elements to m outputs, at the first m places. */
  output(values: Float32Array, first: number, stride: number): void;
  /** Rows of G times `scales`: small integers. */
  readonly weightRows: readonly (readonly [number, number, number])[];
  readonly scales: readonly number[];
}

const round = Math.fround;

const TWO_OUTPUTS: WinogradTransforms = {
  outputs: 2,
  input(values, first, stride) {
    const at = (index: number): number => values[first + index * stride];
    const [d0, d1, d2, d3] = [at(0), at(1), at(2), at(3)];
    values[first] = d0 - d2;
    values[first + stride] = d1 + d2;
    values[first + 2 * stride] = d2 - d1;
    values[first + 3 * stride] = d1 - d3;
  },
  output(values, first, stride) {
    const at = (index: number): number => values[first + index * stride];
    const [m0, m1, m2, m3] = [at(0), at(1), at(2), at(3)];
    values[first] = round(m0 + m1) + m2;
    values[first + stride] = round(m1 - m2) - m3;
  },
  weightRows: [
    [1, 0, 0],
    [1, 1, 1],
    [1, -1, 1],
    [0, 0, 1],
  ],
  scales: [1, 2, 2, 1],
};

const FOUR_OUTPUTS: WinogradTransforms = {
  outputs: 4,
  input(values, first, stride) {
    const at = (index: number): number => values[first + index * stride];
    const [d0, d1, d2, d3, d4, d5] = [at(0), at(1), at(2), at(3), at(4), at(5)];
    const even = round(d4 - round(4 * d2));
    const odd = round(d3 - round(4 * d1));
    const evenHalf = round(d4 - d2);
    const oddHalf = round(d3 - d1);
    const oddTwice = round(2 * oddHalf);
    values[first] = round(4 * round(d0 - d2)) + evenHalf;
    values[first + stride] = even + odd;
    values[first + 2 * stride] = even - odd;
    values[first + 3 * stride] = evenHalf + oddTwice;
    values[first + 4 * stride] = evenHalf - oddTwice;
    values[first + 5 * stride] = round(d5 - d3) - round(4 * oddHalf);
  },
  output(values, first, stride) {
    const at = (index: number): number => values[first + index * stride];
    const [m0, m1, m2, m3, m4, m5] = [at(0), at(1), at(2), at(3), at(4), at(5)];
    const sum1 = round(m1 + m2);
    const difference1 = round(m1 - m2);
    const sum2 = round(m3 + m4);
    const difference2 = round(m3 - m4);
    values[first] = round(m0 + sum1) + sum2;
    values[first + stride] = difference1 + round(2 * difference2);
    values[first + 2 * stride] = sum1 + round(4 * sum2);
    values[first + 3 * stride] = round(difference1 + round(8 * difference2)) + m5;
  },
  weightRows: [
    [1, 0, 0],
    [-1, -1, -1],
    [-1, 1, -1],
    [1, 2, 4],
    [1, -2, 4],
    [0, 0, 1],
  ],
  scales: [4, 6, 6, 24, 24, 1],
};

export function winogradTransforms(outputs: 2 | 4): WinogradTransforms {
  return outputs === 2 ? TWO_OUTPUTS : FOUR_OUTPUTS;
}

/**
 * G·g·Gᵀ of one 3×3 kernel: in float64, along y, then along x, each row's terms added in ascending order;
 * then divided by the product of the two scales and rounded once to float32.
 * @param kernel 9 weights in the order ky, kx
 */
export function transformKernel(
  { weightRows, scales }: WinogradTransforms,
  kernel: ArrayLike<number>,
): Float32Array {
  const size = scales.length;
  const alongY = weightRows.map(([a, b, c]) =>
    [0, 1, 2].map((x) => a * kernel[x] + b * kernel[3 + x] + c * kernel[6 + x]),
  );
  const elements = new Float32Array(size * size);
  for (let i = 0; i < size; i++) {
    const [g0, g1, g2] = alongY[i];
    for (let j = 0; j < size; j++) {
      const [a, b, c] = weightRows[j];
      elements[i * size + j] = (a * g0 + b * g1 + c * g2) / (scales[i] * scales[j]);
    }
  }
  return elements;
}
