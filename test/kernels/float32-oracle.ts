import { type ConvolutionShape, featureCount, windowSize } from '../../core/index.js';
import { planFloat32Convolution } from '../../kernels/index.js';
import { forEachPosition, forEachTap } from '../../kernels/reference/window.js';
import type { Float32Case } from './arbitraries.js';

/**
 * The sums by the direct definition: from the bias on, every product of the window in ascending order.
 * @param round Math.fround for the definition; the identity for sums in float64
 */
export function directSums(
  {
    specification: { shape, weights, bias },
    input,
    images,
  }: Pick<Float32Case, 'specification' | 'input' | 'images'>,
  round: (value: number) => number,
): number[] {
  const { channels } = shape.output;
  const window = windowSize(shape);
  const inputLength = featureCount(shape.input);
  const sums: number[] = [];
  forEachPosition(shape, images, (_row, image, y, x) => {
    for (let channel = 0; channel < channels; channel++) {
      let sum = bias[channel];
      const group = Math.floor((channel * shape.groups) / channels);
      forEachTap(shape, group, y, x, (tap, weight) => {
        const activation = tap < 0 ? 0 : input[image * inputLength + tap];
        sum = round(sum + round(activation * weights[channel * window + weight]));
      });
      sums.push(sum);
    }
  });
  return sums;
}

type Matrix = readonly (readonly number[])[];

/** The matrices of Lavin and Gray (2016), as published. */
const MATRICES: Readonly<Record<string, { b: Matrix; g: Matrix; a: Matrix }>> = {
  'winograd-2x2': {
    b: [
      [1, 0, -1, 0],
      [0, 1, 1, 0],
      [0, -1, 1, 0],
      [0, 1, 0, -1],
    ],
    g: [
      [1, 0, 0],
      [1 / 2, 1 / 2, 1 / 2],
      [1 / 2, -1 / 2, 1 / 2],
      [0, 0, 1],
    ],
    a: [
      [1, 1, 1, 0],
      [0, 1, -1, -1],
    ],
  },
  'winograd-4x4': {
    b: [
      [4, 0, -5, 0, 1, 0],
      [0, -4, -4, 1, 1, 0],
      [0, 4, -4, -1, 1, 0],
      [0, -2, -1, 2, 1, 0],
      [0, 2, -1, -2, 1, 0],
      [0, 4, 0, -5, 0, 1],
    ],
    g: [
      [1 / 4, 0, 0],
      [-1 / 6, -1 / 6, -1 / 6],
      [-1 / 6, 1 / 6, -1 / 6],
      [1 / 24, 1 / 12, 1 / 6],
      [1 / 24, -1 / 12, 1 / 6],
      [0, 0, 1],
    ],
    a: [
      [1, 1, 1, 1, 1, 0],
      [0, 1, -1, 2, -2, 0],
      [0, 1, 1, 4, 4, 0],
      [0, 1, -1, 8, -8, 1],
    ],
  },
};

/**
 * For each output of one image, |b| + |Aᵀ| (Σ |G||g||Gᵀ| ⊙ |Bᵀ||d||B|) |A|: what a Winograd algorithm adds
 * if nothing cancels, of which its rounding error is a share.
 */
export function winogradMagnitudes(
  { shape, weights, bias }: Float32Case['specification'],
  input: Float32Array,
): number[] {
  const { algorithm } = planFloat32Convolution(shape);
  const { b, g, a } = MATRICES[algorithm];
  const [absoluteB, absoluteG, absoluteA] = [b, g, a].map(absolute);
  const { height, width, channels } = shape.output;
  const magnitudes = new Array<number>(featureCount(shape.output));
  const kernels = Array.from({ length: channels * shape.input.channels }, (_, kernel) =>
    sandwich(absoluteG, (y, x) => Math.abs(weights[kernel * 9 + y * 3 + x])),
  );
  for (let tileY = 0; tileY < height; tileY += a.length) {
    for (let tileX = 0; tileX < width; tileX += a.length) {
      const inputs = Array.from({ length: shape.input.channels }, (_, channel) =>
        sandwich(absoluteB, (y, x) =>
          Math.abs(inputAt(shape, input, channel, tileY + y, tileX + x)),
        ),
      );
      for (let channel = 0; channel < channels; channel++) {
        const sums = sandwich(absoluteA, (y, x) =>
          inputs.reduce(
            (sum, values, from) =>
              sum + values[y][x] * kernels[channel * inputs.length + from][y][x],
            0,
          ),
        );
        for (let y = 0; y < a.length && tileY + y < height; y++) {
          for (let x = 0; x < a.length && tileX + x < width; x++) {
            const place = ((tileY + y) * width + tileX + x) * channels + channel;
            magnitudes[place] = Math.abs(bias[channel]) + sums[y][x];
          }
        }
      }
    }
  }
  return magnitudes;
}

/** The input at a position of the padded image. */
function inputAt(
  { input: { height, width, channels }, pads }: ConvolutionShape,
  values: Float32Array,
  channel: number,
  paddedY: number,
  paddedX: number,
): number {
  const y = paddedY - pads[0];
  const x = paddedX - pads[1];
  const inside = y >= 0 && y < height && x >= 0 && x < width;
  return inside ? values[(y * width + x) * channels + channel] : 0;
}

function absolute(matrix: Matrix): Matrix {
  return matrix.map((row) => row.map(Math.abs));
}

/** M·X·Mᵀ. */
function sandwich(matrix: Matrix, at: (y: number, x: number) => number): number[][] {
  const size = matrix[0].length;
  const left = matrix.map((row) =>
    Array.from({ length: size }, (_, x) => row.reduce((sum, m, y) => sum + m * at(y, x), 0)),
  );
  return left.map((row) => matrix.map((other) => other.reduce((sum, m, x) => sum + m * row[x], 0)));
}
