/**
 * How the real numbers of a tensor are stored as uint8: real = scale · (stored − zeroPoint).
 * An int8 tensor is stored with 128 added to its values and to its zero point. Only the sums that
 * onnxruntime rounds after adding the zero point (addition, average pooling) can tell the two apart.
 */
export interface StoredQuantization {
  /** Positive, finite float32 number. */
  readonly scale: number;
  /** In 0…255. */
  readonly zeroPoint: number;
  /** True for an int8 tensor. */
  readonly signed?: boolean;
}

/** What an int8 tensor's stored values exceed its int8 values by; 0 for uint8. */
export function storageOffset(quantization: StoredQuantization): number {
  return quantization.signed ? 128 : 0;
}

/** ONNX DequantizeLinear: fround(scale · (stored − zeroPoint)). */
export function dequantizeStored(stored: number, { scale, zeroPoint }: StoredQuantization): number {
  return Math.fround(scale * (stored - zeroPoint));
}

/**
 * The one quantisation that onnxruntime (from the level `basic` on) puts in the place of two that
 * follow each other, QuantizeLinear → DequantizeLinear → QuantizeLinear → DequantizeLinear, each
 * used once: it covers the intersection of both ranges. In float32,
 *
 *     scale = fround(fround(high − low) / 255)
 *     zeroPoint = round(fround(least − fround(low / scale))), halves away from 0
 *
 * where `least` is 0, or -128 for int8. Two equal ones stay as they are. Ranges that have only 0 in
 * common (zero points 0 and 255) give the scale 0, which nothing can be quantised with.
 */
export function mergedQuantization(
  first: StoredQuantization,
  second: StoredQuantization,
): StoredQuantization {
  if (first.scale === second.scale && first.zeroPoint === second.zeroPoint) return first;
  const low = Math.max(dequantizeStored(0, first), dequantizeStored(0, second));
  const high = Math.min(dequantizeStored(255, first), dequantizeStored(255, second));
  const scale = Math.fround(Math.fround(high - low) / 255);
  const offset = storageOffset(first);
  const exact = Math.fround(-offset - Math.fround(low / scale));
  const zeroPoint = Math.sign(exact) * Math.round(Math.abs(exact)) + offset;
  return { ...first, scale, zeroPoint };
}
