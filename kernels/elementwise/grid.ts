import { clamp, roundHalfEven } from '../quantize.js';

/** Integers from `low` to `high`, of which q stands for scale · (q − zeroPoint). */
export interface IntegerGrid {
  readonly scale: number;
  readonly zeroPoint: number;
  readonly low: number;
  readonly high: number;
}

/**
 * QuantizeLinear, then DequantizeLinear:
 * q = clamp(roundHalfEven(fround(x / scale)) + zeroPoint, low, high), fround(scale · (q − zeroPoint)).
 * ONNX leaves NaN open; it becomes the lowest integer here, as in `quantizeUint8`.
 */
export function quantizeToGrid(
  { scale, zeroPoint, low, high }: IntegerGrid,
  input: Float32Array,
  output: Float32Array,
): void {
  for (let index = 0; index < input.length; index += 1) {
    const scaled = Math.fround(input[index] / scale);
    const stored = Number.isNaN(scaled) ? low : clamp(roundHalfEven(scaled) + zeroPoint, low, high);
    output[index] = scale * (stored - zeroPoint);
  }
}
