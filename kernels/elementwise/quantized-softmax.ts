import { clamp, roundHalfEven } from '../quantize.js';
import type { Grouping } from './axes/grouping.js';
import { type StoredQuantization, storageOffset } from './quantization.js';

const LARGEST_FLOAT32 = (2 - 2 ** -23) * 2 ** 127;

/**
 * com.microsoft QLinearSoftmax (`onnxruntime/contrib_ops/cpu/quantization/qlinear_softmax.cc`) over n values each. With
 * shift = max(0, fround(log(fround(largest float32 / n))) − 5) / s_x, the powers
 *
 *     e(d) = fround(exp((shift − d) · s_x)), d = largest x − x
 *
 * are as large as their sum may be in float32, which adds them one after the other, and
 *
 *     y = saturate(roundHalfEven(fround(fround(e · ⌊1 / s_y⌋) / Σ e)) + z_y)
 *
 * 1 / s_y is rounded down to an integer. A product beyond float32, of a scale below e⁻⁵ / n, converts to 0 for uint8
 * and to -2³¹ for int8, to which the zero point is added in 32 bits.
 */
export function createQuantizedSoftmax(
  { starts, members }: Grouping,
  quantizations: { readonly input: StoredQuantization; readonly output: StoredQuantization },
): (input: Uint8Array, output: Uint8Array, images: number) => void {
  const { input: from, output: to } = quantizations;
  const room = Math.fround(Math.log(Math.fround(LARGEST_FLOAT32 / members.length)));
  const shift = Math.max(0, room - 5) / from.scale;
  const powers = Float32Array.from({ length: 256 }, (_, distance) =>
    Math.exp((shift - distance) * from.scale),
  );
  const factor = Math.floor(Math.fround(1 / to.scale));
  const offset = storageOffset(to);
  const zeroPoint = to.zeroPoint - offset;
  const beyond = to.signed ? clamp((-(2 ** 31) + zeroPoint) | 0, -128, 127) : zeroPoint;
  const length = starts.length * members.length;

  function store(power: number, sum: number): number {
    const share = Math.fround(Math.fround(power * factor) / sum);
    const value = share === Infinity ? beyond : roundHalfEven(share) + zeroPoint;
    return clamp(value + offset, 0, 255);
  }

  return (input, output, images) => {
    for (let image = 0; image < images; image++) {
      for (const start of starts) {
        const first = image * length + start;
        let largest = 0;
        for (const member of members) largest = Math.max(largest, input[first + member]);
        let sum = 0;
        for (const member of members) {
          sum = Math.fround(sum + powers[largest - input[first + member]]);
        }
        for (const member of members) {
          output[first + member] = store(powers[largest - input[first + member]], sum);
        }
      }
    }
  };
}
