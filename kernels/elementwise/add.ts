import { clamp, quantizeUint8, roundHalfEven } from '../quantize.js';
import { fusedMultiplyAdd } from './fused-multiply-add.js';
import { dequantizeStored, type StoredQuantization, storageOffset } from './quantization.js';

/** Quantisations of an addition; a, b and the output are all uint8 or all int8. */
export interface QuantizedAddSpecification {
  readonly a: StoredQuantization;
  readonly b: StoredQuantization;
  readonly output: StoredQuantization;
  /**
   * True when a is broadcast along the innermost dimension in which the operands have more than one value, or both
   * hold a single value, batch included: onnxruntime then exchanges the operands, which can round differently.
   */
  readonly exchanged?: boolean;
}

/**
 * The 65,536 results of com.microsoft QLinearAdd; entry 256·a + b is the output of the stored
 * values a and b. In float32, with r = scale / output scale, z the zero points and fma the fused
 * multiply-add, as onnxruntime's AVX2 kernel computes it:
 *
 *     constant = fround(z_output − fma(r_a, z_a, fround(r_b · z_b)))
 *     output = saturate(roundHalfEven(fma(a, r_a, fma(b, r_b, constant))))
 *
 * A sum of 2³¹ or more (scales of absurd ratio) becomes the least output, as its conversion to
 * int32 does.
 */
export function quantizedAddTable(specification: QuantizedAddSpecification): Uint8Array {
  const { output, exchanged } = specification;
  const [first, last] = exchanged
    ? [specification.a, specification.b]
    : [specification.b, specification.a];
  const offset = storageOffset(output);
  const firstRatio = Math.fround(first.scale / output.scale);
  const lastRatio = Math.fround(last.scale / output.scale);
  const zeroPoints = fusedMultiplyAdd(
    lastRatio,
    last.zeroPoint - offset,
    Math.fround(firstRatio * (first.zeroPoint - offset)),
  );
  const constant = Math.fround(output.zeroPoint - offset - zeroPoints);
  const [firstStride, lastStride] = exchanged ? [256, 1] : [1, 256];
  const table = new Uint8Array(65_536);
  for (let x = 0; x < 256; x++) {
    const partial = fusedMultiplyAdd(x - offset, firstRatio, constant);
    for (let y = 0; y < 256; y++) {
      const sum = fusedMultiplyAdd(y - offset, lastRatio, partial);
      table[x * firstStride + y * lastStride] =
        sum < 2 ** 31 ? clamp(roundHalfEven(sum) + offset, 0, 255) : 0;
    }
  }
  return table;
}

/**
 * Add in float32 between DequantizeLinear and QuantizeLinear, where onnxruntime does not fuse them:
 * saturate(roundHalfEven(fround(activation(fround(real(a) + real(b))) / s)) + z), in the order of
 * {@link quantizedAddTable}.
 * @param activation what stands between the sum and QuantizeLinear, a ReLU for instance
 */
export function realAddTable(
  a: StoredQuantization,
  b: StoredQuantization,
  output: StoredQuantization,
  activation: (real: number) => number = (real) => real,
): Uint8Array {
  return Uint8Array.from({ length: 65_536 }, (_, index) => {
    const sum = Math.fround(dequantizeStored(index >>> 8, a) + dequantizeStored(index & 255, b));
    return quantizeUint8(Math.fround(activation(sum)), output.scale, output.zeroPoint);
  });
}

/**
 * output[i] = table[256·a[i] + b[i]] for as many values as `a` has.
 * @param table of {@link quantizedAddTable} or {@link realAddTable}
 */
export function addWithTable(
  table: Uint8Array,
  a: Uint8Array,
  b: Uint8Array,
  output: Uint8Array,
): void {
  for (let index = 0; index < a.length; index++) {
    output[index] = table[256 * a[index] + b[index]];
  }
}
