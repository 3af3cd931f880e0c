import { type FeatureShape, featureCount, type PoolingShape } from '../../core/index.js';
import { checkPoolingShape, checkTensors } from '../check.js';
import { clamp, requantize, roundHalfEven } from '../quantize.js';
import { dequantizeStored, type StoredQuantization, storageOffset } from './quantization.js';

export interface AveragePoolSpecification {
  readonly shape: PoolingShape;
  readonly input: StoredQuantization;
  readonly output: StoredQuantization;
  /** True: divide by the size of the window; false: by the positions of it that are in the input. */
  readonly countIncludePad: boolean;
}

/**
 * com.microsoft QLinearGlobalAveragePool, channels innermost:
 * multiplier = fround(s_x / fround(s_y · n)) for n positions, then the integer sum of (x − z_x) is
 * requantised like a convolution's accumulator.
 * @param output images × channels
 */
export function globalAveragePool(
  shape: FeatureShape,
  quantizations: { readonly input: StoredQuantization; readonly output: StoredQuantization },
  input: Uint8Array,
  output: Uint8Array,
  images: number,
): void {
  checkTensors({ input: shape, output: { ...shape, height: 1, width: 1 } }, input, output, images);
  const positions = shape.height * shape.width;
  const { input: from, output: to } = quantizations;
  const multiplier = Math.fround(from.scale / Math.fround(to.scale * positions));
  for (let image = 0; image < images; image++) {
    const first = image * featureCount(shape);
    for (let channel = 0; channel < shape.channels; channel++) {
      let sum = -from.zeroPoint * positions;
      for (let position = 0; position < positions; position++) {
        sum += input[first + position * shape.channels + channel];
      }
      output[image * shape.channels + channel] = requantize(sum, multiplier, to.zeroPoint, 0, 255);
    }
  }
}

/**
 * com.microsoft QLinearAveragePool, channels innermost. A window that is the whole unpadded input
 * is a {@link globalAveragePool}. Any other is summed in float32, row by row, from 0:
 *
 *     average = fround(Σ fround(s_x · (x − z_x)) / count), rounded after each addition
 *     y = saturate(roundHalfEven(fround(fround(average / s_y) + z_y)))
 *
 * with the zero point added before rounding (as an int8 number, if the tensor is int8). As in
 * {@link quantizedAddTable}, 2³¹ or more becomes the least output.
 * Windows that `ceil_mode` lets reach beyond the padding are `shape.output`'s concern.
 */
export function averagePool(
  specification: AveragePoolSpecification,
  input: Uint8Array,
  output: Uint8Array,
  images: number,
): void {
  const { shape, countIncludePad, output: to } = specification;
  checkPoolingShape(shape, 'average');
  checkTensors(shape, input, output, images);
  if (isGlobal(shape)) {
    globalAveragePool(shape.input, specification, input, output, images);
    return;
  }
  const reals = Float32Array.from({ length: 256 }, (_, stored) =>
    dequantizeStored(stored, specification.input),
  );
  const { channels, height, width } = shape.input;
  const [kernelHeight, kernelWidth] = shape.kernel;
  const offset = storageOffset(to);
  const zeroPoint = to.zeroPoint - offset;
  const sums = new Float32Array(channels);
  let target = 0;
  for (let image = 0; image < images; image++) {
    const first = image * featureCount(shape.input);
    for (let outputY = 0; outputY < shape.output.height; outputY++) {
      const start = outputY * shape.strides[0] - shape.pads[0];
      const top = Math.max(start, 0);
      const bottom = Math.min(start + kernelHeight, height);
      for (let outputX = 0; outputX < shape.output.width; outputX++) {
        const startX = outputX * shape.strides[1] - shape.pads[1];
        const left = Math.max(startX, 0);
        const right = Math.min(startX + kernelWidth, width);
        sums.fill(0);
        for (let y = top; y < bottom; y++) {
          for (let x = left; x < right; x++) {
            const source = first + (y * width + x) * channels;
            for (let channel = 0; channel < channels; channel++) {
              sums[channel] += reals[input[source + channel]];
            }
          }
        }
        const count = countIncludePad
          ? kernelHeight * kernelWidth
          : (bottom - top) * (right - left);
        for (let channel = 0; channel < channels; channel++) {
          const scaled = Math.fround(Math.fround(sums[channel] / count) / to.scale);
          const shifted = Math.fround(scaled + zeroPoint);
          output[target++] = shifted < 2 ** 31 ? clamp(roundHalfEven(shifted) + offset, 0, 255) : 0;
        }
      }
    }
  }
}

function isGlobal({ input, kernel, pads }: PoolingShape): boolean {
  return (
    kernel[0] === input.height &&
    kernel[1] === input.width &&
    pads.every((padding) => padding === 0)
  );
}
