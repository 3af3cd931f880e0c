import type { PoolingShape } from '../../core/index.js';
import type { LayerBase } from './base.js';

/** A maximum pooling; places outside the input never win. */
export interface MaxPoolShape extends PoolingShape {
  /** Steps between the places of a window; absent: 1. */
  readonly dilations?: readonly [y: number, x: number];
}

/** Input and output share one quantisation. */
export interface MaxPoolLayer extends LayerBase {
  readonly kind: 'max-pool';
  readonly shape: MaxPoolShape;
}

/** To `channels·height·width × 1 × 1`, in channel, height, width order; quantisation unchanged. */
export interface FlattenLayer extends LayerBase {
  readonly kind: 'flatten';
}

/** Puts the axes of what is stored into another order; quantisation unchanged. */
export interface TransposeLayer extends LayerBase {
  readonly kind: 'transpose';
  /** Sizes of the input's axes as stored, outermost first. */
  readonly dims: readonly number[];
  /** Axis k of the output is axis order[k] of the input. */
  readonly order: readonly number[];
}

/** Values of a tensor that lie one behind the other, as many as the output has; quantisation unchanged. */
export interface PartLayer extends LayerBase {
  readonly kind: 'part';
  /** The first of them, counted as stored. */
  readonly start: number;
}

/** Values of a tensor in other places, some of them repeated or left out, and a constant where none is; quantisation unchanged. */
export interface GatherLayer extends LayerBase {
  readonly kind: 'gather';
  /** Where each value of the output lies in the input, both as stored; −1: the constant. */
  readonly places: Int32Array;
  /** A float32 number, which the quantisation of the tensors holds where they have one. */
  readonly fill: number;
}
