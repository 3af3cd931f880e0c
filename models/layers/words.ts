import type { LayerBase } from './base.js';

/** float32 numbers to the output's uint8 values, as QuantizeLinear does. */
export interface QuantizeLayer extends LayerBase {
  readonly kind: 'quantize';
}

/** uint8 values to float32 numbers: fround(scale · (q − zeroPoint)). */
export interface DequantizeLayer extends LayerBase {
  readonly kind: 'dequantize';
}

/** QuantizeLinear to more than 8 bits, and DequantizeLinear: float32 numbers on the grid of such integers. */
export interface GridLayer extends LayerBase {
  readonly kind: 'grid';
  readonly scale: number;
  readonly zeroPoint: number;
  /** The integers reach from `low` to `high`. */
  readonly low: number;
  readonly high: number;
}
