import type { FeatureShape } from '../core/index.js';
import { checkTensors } from './check.js';

/** The integer nearest to `value`, halves to the even one (IEEE 754 roundTiesToEven). */
export function roundHalfEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

/**
 * An int32 accumulator as a stored activation:
 * clamp(roundHalfEven(fround(fround(accumulator) · multiplier)) + zeroPoint, low, high).
 * @param multiplier finite float32 ratio of the accumulator's scale and the output's
 */
export function requantize(
  accumulator: number,
  multiplier: number,
  zeroPoint: number,
  low: number,
  high: number,
): number {
  const scaled = Math.fround(Math.fround(accumulator) * multiplier);
  return clamp(roundHalfEven(scaled) + zeroPoint, low, high);
}

/**
 * ONNX QuantizeLinear to uint8: saturate(roundHalfEven(fround(value / scale)) + zeroPoint).
 * ONNX leaves NaN open; it becomes 0 here.
 * @see https://onnx.ai/onnx/operators/onnx__QuantizeLinear.html
 * @param value float32 number
 * @param scale positive float32 number
 */
export function quantizeUint8(value: number, scale: number, zeroPoint: number): number {
  const scaled = Math.fround(value / scale);
  return Number.isNaN(scaled) ? 0 : clamp(roundHalfEven(scaled) + zeroPoint, 0, 255);
}

/** Added to a float64 of a few bits, this rounds it to the nearest integer, halves to even. */
const ROUNDING = 1.5 * 2 ** 52;

/**
 * `quantizeUint8` of `images` images, each channels × height × width, which are stored with the channels innermost: a
 * third of the time of value after value.
 */
export function quantizeImages(
  shape: FeatureShape,
  { scale, zeroPoint }: { readonly scale: number; readonly zeroPoint: number },
  input: Float32Array,
  output: Uint8Array,
  images: number,
): void {
  checkTensors({ input: shape, output: shape }, input, output, images);
  const { channels } = shape;
  const positions = shape.height * shape.width;
  const low = -zeroPoint;
  const high = 255 - zeroPoint;
  let source = 0;
  for (let image = 0; image < images; image++) {
    for (let channel = 0; channel < channels; channel++) {
      let target = image * channels * positions + channel;
      for (const end = source + positions; source < end; source++, target += channels) {
        const scaled = Math.fround(input[source] / scale);
        // A NaN is neither low nor high, and stored as 0.
        const bounded = scaled < low ? low : scaled > high ? high : scaled;
        output[target] = bounded + ROUNDING - ROUNDING + zeroPoint;
      }
    }
  }
}
