import { quantizeUint8 } from '../quantize.js';
import { dequantizeStored, type StoredQuantization } from './quantization.js';

/**
 * The 256 results of dequantising a stored value, applying `activation` to the real number and
 * quantising what it gives: entry `stored` is the output of `stored`.
 * @param activation real function; its result is rounded to float32
 */
export function activationTable(
  input: StoredQuantization,
  output: StoredQuantization,
  activation: (real: number) => number,
): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, stored) =>
    quantizeUint8(
      Math.fround(activation(dequantizeStored(stored, input))),
      output.scale,
      output.zeroPoint,
    ),
  );
}

/** Change of scale and zero point: DequantizeLinear, then QuantizeLinear. */
export function requantizationTable(
  input: StoredQuantization,
  output: StoredQuantization,
): Uint8Array {
  return activationTable(input, output, (real) => real);
}

/**
 * com.microsoft QLinearLeakyRelu, or LeakyRelu between DequantizeLinear and QuantizeLinear.
 * @param alpha float32 slope of the negative side
 */
export function leakyReluTable(
  input: StoredQuantization,
  output: StoredQuantization,
  alpha: number,
): Uint8Array {
  return activationTable(input, output, (real) => (real >= 0 ? real : alpha * real));
}

/**
 * Clip between DequantizeLinear and QuantizeLinear; with the bounds 0 and Infinity, Relu.
 * @param low float32 bounds; where low > high, high wins
 */
export function clipTable(
  input: StoredQuantization,
  output: StoredQuantization,
  low: number,
  high: number,
): Uint8Array {
  return activationTable(input, output, (real) => Math.min(Math.max(real, low), high));
}

/** Parameters of one channel of a batch normalisation, float32 numbers. */
export interface BatchNormalization {
  readonly scale: number;
  readonly bias: number;
  readonly mean: number;
  readonly variance: number;
  readonly epsilon: number;
}

/**
 * One channel of BatchNormalization between DequantizeLinear and QuantizeLinear. In float32,
 * rounded after each operation: slope = scale · (1 / √(variance + epsilon)),
 * y = x · slope + (bias − mean · slope).
 */
export function batchNormalizationTable(
  input: StoredQuantization,
  output: StoredQuantization,
  { scale, bias, mean, variance, epsilon }: BatchNormalization,
): Uint8Array {
  const { fround } = Math;
  const slope = fround(scale * fround(1 / fround(Math.sqrt(fround(variance + epsilon)))));
  const shift = fround(bias - fround(mean * slope));
  return activationTable(input, output, (real) => fround(real * slope) + shift);
}

/** output[i] = table[input[i]] for as many values as `input` has; `input` may be `output`. */
export function applyTable(table: Uint8Array, input: Uint8Array, output: Uint8Array): void {
  for (let index = 0; index < input.length; index++) output[index] = table[input[index]];
}
