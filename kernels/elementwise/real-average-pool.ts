import { featureCount } from '../../core/index.js';
import { checkPoolingShape, checkTensors } from '../check.js';
import { quantizeUint8 } from '../quantize.js';
import type { AveragePoolSpecification } from './average-pool.js';
import { dequantizeStored } from './quantization.js';

/**
 * In which order onnxruntime sums a window in float32: always row by row from operator set 19 on, and before that by
 * the kernels of its library MLAS (`onnxruntime/core/mlas/lib/pooling.cpp`), which depend on the window.
 */
export type PoolingOrder = 'rows' | 'mlas';

/** What MLAS's vector kernel takes: a stride of 1 or 2, and a window and a row that are not too long. */
const VECTOR_STRIDE = 2;
const VECTOR_WINDOW = 32;
const VECTOR_ROW = 2045;

/**
 * AveragePool in float32 between DequantizeLinear and QuantizeLinear, where onnxruntime does not fuse them, channels
 * innermost:
 *
 *     average = fround(Σ fround(s_x · (x − z_x)) / count), rounded after each addition
 *     y = saturate(roundHalfEven(fround(average / s_y)) + z_y)
 *
 * The sum starts at 0 and takes the window row by row; or (MLAS's vector kernel) first each column of the window,
 * then the columns' sums from left to right; or, for a window that is the whole input (its global kernel), every
 * fourth position, then (a + c) + (b + d) of these four, then what is left.
 */
export function realAveragePool(
  { shape, countIncludePad, input: from, output: to }: AveragePoolSpecification,
  order: PoolingOrder,
  input: Uint8Array,
  output: Uint8Array,
  images: number,
): void {
  checkPoolingShape(shape, 'average');
  checkTensors(shape, input, output, images);
  const reals = Float32Array.from({ length: 256 }, (_, stored) => dequantizeStored(stored, from));
  const { channels, height, width } = shape.input;
  const [kernelHeight, kernelWidth] = shape.kernel;
  const sum = summationOf(shape, order);
  let target = 0;
  for (let image = 0; image < images; image++) {
    const first = image * featureCount(shape.input);
    for (let outputY = 0; outputY < shape.output.height; outputY++) {
      const startY = outputY * shape.strides[0] - shape.pads[0];
      const rows = [Math.max(startY, 0), Math.min(startY + kernelHeight, height)] as const;
      for (let outputX = 0; outputX < shape.output.width; outputX++) {
        const startX = outputX * shape.strides[1] - shape.pads[1];
        const columns = [Math.max(startX, 0), Math.min(startX + kernelWidth, width)] as const;
        const count = countIncludePad
          ? kernelHeight * kernelWidth
          : (rows[1] - rows[0]) * (columns[1] - columns[0]);
        for (let channel = 0; channel < channels; channel++) {
          const at = (y: number, x: number) =>
            reals[input[first + (y * width + x) * channels + channel]];
          const average = Math.fround(sum(at, rows, columns) / count);
          output[target++] = quantizeUint8(average, to.scale, to.zeroPoint);
        }
      }
    }
  }
}

type Range = readonly [start: number, end: number];
type Summation = (at: (y: number, x: number) => number, rows: Range, columns: Range) => number;

function summationOf(
  { input, kernel, strides, pads }: AveragePoolSpecification['shape'],
  order: PoolingOrder,
): Summation {
  if (order === 'rows') return sumByRows;
  const isWhole = kernel[0] === input.height && kernel[1] === input.width;
  if (isWhole && [...pads, strides[0] - 1, strides[1] - 1].every((size) => size === 0)) {
    return sumByFour;
  }
  const isVector =
    strides[1] <= VECTOR_STRIDE &&
    Math.max(...kernel) <= VECTOR_WINDOW &&
    input.width + pads[1] + pads[3] <= VECTOR_ROW;
  return isVector ? sumByColumns : sumByRows;
}

function sumByRows(...[at, [top, bottom], [left, right]]: Parameters<Summation>): number {
  let sum = 0;
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) sum = Math.fround(sum + at(y, x));
  }
  return sum;
}

function sumByColumns(...[at, [top, bottom], [left, right]]: Parameters<Summation>): number {
  let sum = 0;
  for (let x = left; x < right; x++) {
    let column = 0;
    for (let y = top; y < bottom; y++) column = Math.fround(column + at(y, x));
    sum = Math.fround(sum + column);
  }
  return sum;
}

function sumByFour(...[at, [, height], [, width]]: Parameters<Summation>): number {
  const positions = height * width;
  const four = new Float32Array(4);
  const value = (position: number) => at(Math.floor(position / width), position % width);
  const vectors = positions - (positions % 4);
  for (let position = 0; position < vectors; position++) four[position % 4] += value(position);
  let sum = Math.fround(Math.fround(four[0] + four[2]) + Math.fround(four[1] + four[3]));
  for (let position = vectors; position < positions; position++) {
    sum = Math.fround(sum + value(position));
  }
  return sum;
}
