import { clamp, quantizeUint8, roundHalfEven } from '../quantize.js';
import { type Broadcast, overImages } from './axes/broadcast.js';
import { dequantizeStored, type StoredQuantization, storageOffset } from './quantization.js';

/** Quantisations of two operands and of what they make; all uint8 or all int8. */
export interface QuantizedOperands {
  readonly a: StoredQuantization;
  readonly b: StoredQuantization;
  readonly output: StoredQuantization;
}

/**
 * The 65,536 results of com.microsoft QLinearMul; entry 256·a + b is the output of the stored values a and b, as
 * onnxruntime's SSE2 kernel computes it (`onnxruntime/core/mlas/lib/qlmul.cpp`), each operation rounded to float32:
 *
 *     ratio = s_a · s_b / s_y
 *     output = saturate(roundHalfEven((a − z_a)(b − z_b) · ratio + z_y))
 *
 * The zero point is added before rounding (as an int8 number, if the tensors are int8), and 2³¹ or more becomes the
 * least output.
 */
export function quantizedMultiplyTable({ a, b, output }: QuantizedOperands): Uint8Array {
  const offset = storageOffset(output);
  const zeroPoint = output.zeroPoint - offset;
  const ratio = Math.fround(Math.fround(a.scale * b.scale) / output.scale);
  return Uint8Array.from({ length: 65_536 }, (_, index) => {
    const product = ((index >>> 8) - a.zeroPoint) * ((index & 255) - b.zeroPoint);
    const shifted = Math.fround(Math.fround(product * ratio) + zeroPoint);
    return shifted < 2 ** 31 ? clamp(roundHalfEven(shifted) + offset, 0, 255) : 0;
  });
}

/**
 * A function of two values in float32 between DequantizeLinear and QuantizeLinear, where onnxruntime does not fuse
 * them, in the order of {@link quantizedMultiplyTable}.
 * @param combine gives a float32 number
 */
export function realBinaryTable(
  { a, b, output }: QuantizedOperands,
  combine: (a: number, b: number) => number,
): Uint8Array {
  return Uint8Array.from({ length: 65_536 }, (_, index) =>
    quantizeUint8(
      combine(dequantizeStored(index >>> 8, a), dequantizeStored(index & 255, b)),
      output.scale,
      output.zeroPoint,
    ),
  );
}

/** An operand: values that lie one image behind the other, or a constant for all images. */
export interface BinaryOperand<Values extends Float32Array | Uint8Array> {
  readonly values: Values;
  /** Values of one image; 0 for a constant. */
  readonly length: number;
}

/**
 * output = table[256·a + b], broadcast.
 * @param table of {@link quantizedMultiplyTable}, {@link realBinaryTable} or `quantizedAddTable`
 */
export function createTableBinary(
  table: Uint8Array,
  broadcast: Broadcast,
  a: BinaryOperand<Uint8Array>,
  b: BinaryOperand<Uint8Array>,
  output: Uint8Array,
): (images: number) => void {
  const run = overImages(broadcast, [a.length, b.length]);
  return (images) =>
    run(images, (first, count, placeA, stepA, placeB, stepB) => {
      for (let index = 0; index < count; index++) {
        const left = a.values[placeA + index * stepA];
        output[first + index] = table[256 * left + b.values[placeB + index * stepB]];
      }
    });
}

/** Dequantised: the float32 numbers of the 256 values that a tensor can store. */
export function storedReals(quantization: StoredQuantization): Float32Array {
  return Float32Array.from({ length: 256 }, (_, stored) => dequantizeStored(stored, quantization));
}
