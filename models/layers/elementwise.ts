import type { PoolingShape } from '../../core/index.js';
import type { JoiningLayer, LayerBase } from './base.js';

/**
 * Order in which onnxruntime sums a window in float32: row by row, or as its library MLAS does, whose kernels depend
 * on the window.
 */
export type SummationOrder = 'rows' | 'mlas';

/** A mean that onnxruntime computes in integers, or, in some quantised networks, in float32. */
export interface AverageBase extends LayerBase {
  /** Present when it is computed on dequantised numbers, in float32 and in this order, and then quantised. */
  readonly inFloat32?: SummationOrder;
}

/** Mean of each window. */
export interface AveragePoolLayer extends AverageBase {
  readonly kind: 'average-pool';
  readonly shape: PoolingShape;
  /**
   * Whether padding counts as values of 0, or the mean is over what lies inside the input. What windows reach beyond
   * the padding (ceil_mode) counts in int8 networks, as onnxruntime has it, and not in float32 ones.
   */
  readonly countIncludePad: boolean;
}

/** Mean of each channel. */
export interface GlobalAveragePoolLayer extends AverageBase {
  readonly kind: 'global-average-pool';
}

/** Sum of two tensors of one shape. */
export interface AddLayer extends JoiningLayer {
  readonly kind: 'add';
  readonly inputs: readonly [number, number];
  /** Present when onnxruntime computes it on dequantised numbers, in float32, and then quantises. */
  readonly inFloat32?: true;
  /** Whether a ReLU follows. */
  readonly relu: boolean;
}

/** Joins tensors of one height and width along their channels. */
export interface ConcatLayer extends JoiningLayer {
  readonly kind: 'concat';
  readonly inputs: readonly number[];
}

/** x, or alpha · x where x is negative. */
export interface LeakyReluLayer extends LayerBase {
  readonly kind: 'leaky-relu';
  readonly alpha: number;
}

/** Restricts values to [low, high], of which either may be infinite; [0, ∞] is a ReLU. */
export interface ClipLayer extends LayerBase {
  readonly kind: 'clip';
  readonly low: number;
  readonly high: number;
}

/** Batch normalisation that no weights could take up: fround(fround(x · factors[c]) + offsets[c]). */
export interface AffineLayer extends LayerBase {
  readonly kind: 'affine';
  readonly factors: Float32Array;
  readonly offsets: Float32Array;
}
