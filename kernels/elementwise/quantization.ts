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
