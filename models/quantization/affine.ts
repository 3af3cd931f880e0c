import type { Quantization } from '../network.js';

/** Scales never fall below this, so that products of scales stay normal float32 numbers. */
export const SMALLEST_SCALE = 2 ** -40;
const LARGEST_ACTIVATION = 255;

/** Real numbers that a tensor's uint8 values are to cover. */
export interface ActivationRange {
  readonly low: number;
  readonly high: number;
}

/**
 * The affine map of [low, high], widened to contain 0, onto 0…255; 0 itself is exactly representable
 * (Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
 * Inference", CVPR 2018).
 */
export function quantizeRange({ low, high }: ActivationRange): Quantization {
  const bottom = Math.min(low, 0);
  const top = Math.max(high, 0);
  // A tensor that is always 0 is taken for one from 0 to 1: a useful scale for the next layer's bias.
  if (top === bottom) return quantizeRange({ low: 0, high: 1 });
  const scale = Math.fround(Math.max((top - bottom) / LARGEST_ACTIVATION, SMALLEST_SCALE));
  // 0 − bottom, unlike −bottom, is never −0.
  return { scale, zeroPoint: Math.min(Math.round((0 - bottom) / scale), LARGEST_ACTIVATION) };
}

/** The real number that a value becomes when it is quantised to uint8 and back. */
export function roundToQuantization(value: number, { scale, zeroPoint }: Quantization): number {
  const step = Math.round(value / scale);
  return scale * Math.max(-zeroPoint, Math.min(LARGEST_ACTIVATION - zeroPoint, step));
}
