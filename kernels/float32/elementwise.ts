import type { FeatureShape, PoolingShape } from '../../core/index.js';
import { checkPoolingShape, checkTensors } from '../check.js';

/** output[i] = fround(a[i] + b[i]), then perhaps a ReLU (x > 0 or NaN: x, otherwise +0). */
export function addFloat32(
  a: Float32Array,
  b: Float32Array,
  output: Float32Array,
  relu: boolean,
): void {
  if (!relu) {
    for (let index = 0; index < a.length; index++) output[index] = a[index] + b[index];
    return;
  }
  for (let index = 0; index < a.length; index++) {
    const sum = Math.fround(a[index] + b[index]);
    // In float64 exact, and without a branch on the sign, which would be foreseen half of the time.
    output[index] = sum === -Infinity ? 0 : (sum + Math.abs(sum)) * 0.5;
  }
}

/**
 * Joins parts of `positions` × channels values along their channels.
 * @param output `positions` × sum of the parts' channels
 */
export function concatFloat32(
  parts: readonly { readonly values: Float32Array; readonly channels: number }[],
  output: Float32Array,
  positions: number,
): void {
  const stride = parts.reduce((sum, { channels }) => sum + channels, 0);
  let first = 0;
  for (const { values, channels } of parts) {
    for (let position = 0; position < positions; position++) {
      const start = position * channels;
      output.set(values.subarray(start, start + channels), position * stride + first);
    }
    first += channels;
  }
}

/**
 * Mean of each window, channels innermost: the sum starts at +0 and adds the values inside the input for ky,
 * then kx, ascending, rounding after each addition; fround(sum / count) ends it.
 * @param countIncludePad whether `count` is what of the window lies inside the padded input, or the input
 */
export function averagePoolFloat32(
  shape: PoolingShape,
  countIncludePad: boolean,
  input: Float32Array,
  output: Float32Array,
  images: number,
): void {
  checkPoolingShape(shape, 'average');
  checkTensors(shape, input, output, images);
  const { channels, height, width } = shape.input;
  const [kernelHeight, kernelWidth] = shape.kernel;
  let target = 0;
  for (let image = 0; image < images; image++) {
    const first = image * channels * height * width;
    for (let outputY = 0; outputY < shape.output.height; outputY++) {
      const startY = outputY * shape.strides[0] - shape.pads[0];
      const top = Math.max(startY, 0);
      const bottom = Math.min(startY + kernelHeight, height);
      for (let outputX = 0; outputX < shape.output.width; outputX++) {
        const startX = outputX * shape.strides[1] - shape.pads[1];
        const left = Math.max(startX, 0);
        const right = Math.min(startX + kernelWidth, width);
        const count = countIncludePad
          ? (Math.min(startY + kernelHeight, height + shape.pads[2]) - startY) *
            (Math.min(startX + kernelWidth, width + shape.pads[3]) - startX)
          : (bottom - top) * (right - left);
        for (let channel = 0; channel < channels; channel++) {
          let sum = 0;
          for (let y = top; y < bottom; y++) {
            for (let x = left; x < right; x++) {
              sum = Math.fround(sum + input[first + (y * width + x) * channels + channel]);
            }
          }
          output[target++] = sum / count;
        }
      }
    }
  }
}

/** The average pooling over a whole map. */
export function globalAveragePoolFloat32(
  shape: FeatureShape,
  input: Float32Array,
  output: Float32Array,
  images: number,
): void {
  averagePoolFloat32(wholeWindow(shape), false, input, output, images);
}

/** A pooling whose one window is the whole map. */
export function wholeWindow(shape: FeatureShape): PoolingShape {
  const { channels, height, width } = shape;
  return {
    input: shape,
    output: { channels, height: 1, width: 1 },
    kernel: [height, width],
    strides: [1, 1],
    pads: [0, 0, 0, 0],
  };
}

/** x, or fround(alpha · x) where x is negative. */
export function leakyReluFloat32(input: Float32Array, output: Float32Array, alpha: number): void {
  for (let index = 0; index < input.length; index++) {
    const value = input[index];
    output[index] = value < 0 ? alpha * value : value;
  }
}

/** low where x ≤ low, high where x ≥ high; NaN stays NaN. `input` may be `output`. */
export function clipFloat32(
  input: Float32Array,
  output: Float32Array,
  low: number,
  high: number,
): void {
  for (let index = 0; index < input.length; index++) {
    const value = input[index];
    output[index] = value <= low ? low : value >= high ? high : value;
  }
}

/** fround(fround(x · factors[c]) + offsets[c]), channels innermost. */
export function affineFloat32(
  input: Float32Array,
  output: Float32Array,
  factors: Float32Array,
  offsets: Float32Array,
): void {
  const channels = factors.length;
  for (let first = 0; first < input.length; first += channels) {
    for (let channel = 0; channel < channels; channel++) {
      const product = Math.fround(input[first + channel] * factors[channel]);
      output[first + channel] = product + offsets[channel];
    }
  }
}
