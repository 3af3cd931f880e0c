import type { ConvolutionShape } from '../../core/index.js';
import type { LayerBase, NamedLayer } from './base.js';

/** What every layer with words in the weight memory has. Weights are flat, in network order. */
export interface StoringLayer extends NamedLayer {
  /** Of weights without a product: outputs × inputs, as of a fully connected layer. */
  readonly shape: ConvolutionShape;
  /** Present when an earlier layer reads the same stored words, which then exist once. */
  readonly sharedWeights?: SharedWeights;
}

/**
 * Convolution or fully connected layer. Weights are in network order (output channel, input channel
 * of the group, ky, kx), flat. The fully connected layer's inputs are in channel, height, width order.
 */
export interface ArrayLayerBase extends LayerBase, StoringLayer {
  readonly kind: 'convolution' | 'fully-connected';
  /** Whether a ReLU follows. */
  readonly relu: boolean;
  /**
   * The largest output, a positive real number, where the ReLU has one (6 in ReLU6). In int8 networks the
   * output's quantisation must hold nothing larger, and so implies it.
   */
  readonly upper?: number;
}

/** Whose words a layer reads. */
export interface SharedWeights {
  /** Name of the first layer that reads them. */
  readonly layer: string;
  /** Whether its weight matrix (outputs × inputs) is read transposed. */
  readonly transposed: boolean;
}

/** real weight = scales[c] · (w − zeroPoints[c]) */
export interface Int8Words {
  readonly weights: Int8Array;
  /** float32 values, one per output channel. */
  readonly scales: Float32Array;
  /** One per output channel. */
  readonly zeroPoints: Int32Array;
  /**
   * Present when the words are uint8 in ONNX files and in the weight memory: `weights` and `zeroPoints` are 128 less.
   */
  readonly unsignedWeights?: true;
}

/**
 * real bias = scale_x · scales[c] · bias[c]. Where the output holds float32 numbers, so that nothing is requantised:
 * - from uint8: fround(fround(accumulator) · fround(scale_x · scales[c])) + realBias[c], as onnxruntime's
 *   MatMulIntegerToFloat and QGemm have it;
 * - from float32 numbers: the float32 product with the dequantised weights and `realBias`; `bias` is 0.
 */
export interface Int8ArrayLayer extends ArrayLayerBase, Int8Words {
  readonly bias: Int32Array;
  /** float32 numbers that are added behind the accumulator; only where the output holds float32 numbers. */
  readonly realBias?: Float32Array;
}

export interface Float32ArrayLayer extends ArrayLayerBase {
  readonly weights: Float32Array;
  readonly bias: Float32Array;
}

export interface StoredWeightsBase extends StoringLayer {
  readonly kind: 'stored-weights';
  readonly inputs: readonly [];
}

/** Weights that an operator outside the array takes as a tensor: float32 numbers as they are read, dequantised. */
export type Int8StoredWeights = StoredWeightsBase & Int8Words;
export interface Float32StoredWeights extends StoredWeightsBase {
  readonly weights: Float32Array;
}

export type Int8WeightedLayer = Int8ArrayLayer | Int8StoredWeights;
export type Float32WeightedLayer = Float32ArrayLayer | Float32StoredWeights;

/** A layer whose product the systolic array computes. */
export type ArrayLayer = Int8ArrayLayer | Float32ArrayLayer;
/** A layer with words in the weight memory. */
export type WeightedLayer = Int8WeightedLayer | Float32WeightedLayer;
