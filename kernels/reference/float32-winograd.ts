import type { ConvolutionShape } from '../../core/index.js';
import type { WinogradTiles } from '../float32/plan.js';
import {
  transformKernel,
  type WinogradTransforms,
  winogradTransforms,
} from '../float32/winograd.js';

/**
 * One output channel of one image by F(m×m,3×3). Each of the (m + 2)² elements of a tile is a sum over the
 * input channels, ascending, that starts at +0 and adds fround(transformed input · transformed weight),
 * rounding after each addition; the bias is added after the output transform, in one rounded addition.
 * @param filter weights of the channel: input channel, ky, kx
 */
export function winogradSums(
  shape: ConvolutionShape,
  tiles: WinogradTiles,
  image: Float32Array,
  filter: Float32Array,
  bias: number,
  store: (position: number, sum: number) => void,
): void {
  const { outputs, inputs, elements, rows, columns } = tiles;
  const transforms = winogradTransforms(outputs);
  const { height, width } = shape.output;
  const kernels = Array.from({ length: shape.input.channels }, (_, channel) =>
    transformKernel(transforms, filter.subarray(channel * 9, channel * 9 + 9)),
  );
  for (let tileY = 0; tileY < rows; tileY++) {
    for (let tileX = 0; tileX < columns; tileX++) {
      const tile = new Float32Array(elements);
      for (const [channel, kernel] of kernels.entries()) {
        const values = inputTile(shape, transforms, image, channel, tileY, tileX);
        for (let element = 0; element < elements; element++) {
          tile[element] += Math.fround(values[element] * kernel[element]);
        }
      }
      alongBothAxes(tile, inputs, outputs, transforms.output);
      for (let y = 0; y < outputs && tileY * outputs + y < height; y++) {
        for (let x = 0; x < outputs && tileX * outputs + x < width; x++) {
          const position = (tileY * outputs + y) * width + tileX * outputs + x;
          store(position, Math.fround(tile[y * inputs + x] + bias));
        }
      }
    }
  }
}

/** The inputs of a tile, +0 outside the image, transformed. */
function inputTile(
  shape: ConvolutionShape,
  { outputs, input }: WinogradTransforms,
  image: Float32Array,
  channel: number,
  tileY: number,
  tileX: number,
): Float32Array {
  const size = outputs + 2;
  const { height, width, channels } = shape.input;
  const values = new Float32Array(size * size);
  for (let i = 0; i < size; i++) {
    const y = tileY * outputs - shape.pads[0] + i;
    for (let j = 0; j < size; j++) {
      const x = tileX * outputs - shape.pads[1] + j;
      const inside = y >= 0 && y < height && x >= 0 && x < width;
      if (inside) values[i * size + j] = image[(y * width + x) * channels + channel];
    }
  }
  alongBothAxes(values, size, size, input);
  return values;
}

/** Transforms the columns of a size × size tile, then as many rows as that leaves. */
function alongBothAxes(
  values: Float32Array,
  size: number,
  rows: number,
  transform: (values: Float32Array, first: number, stride: number) => void,
): void {
  for (let x = 0; x < size; x++) transform(values, x, size);
  for (let y = 0; y < rows; y++) transform(values, y * size, 1);
}
