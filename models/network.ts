import {
  type ConvolutionShape,
  didYouMean,
  excerpt,
  type FeatureShape,
  InputError,
  type PoolingShape,
} from '../core/index.js';

/** The stored form of a weight: two's complement byte or IEEE 754 single. */
export type WordFormat = 'int8' | 'float32';

/** Width of a weight word in bits. */
export const WORD_BITS: Readonly<Record<WordFormat, 8 | 32>> = { int8: 8, float32: 32 };

/** Affine quantisation of an activation tensor to uint8: real = scale · (q − zeroPoint). */
export interface Quantization {
  readonly scale: number;
  readonly zeroPoint: number;
  /**
   * Present when the tensor is int8 in ONNX files: values and zero point there are 128 less. Tensors of QDQ files
   * that onnxruntime rewrites to uint8 are uint8.
   */
  readonly signed?: true;
}

/** An activation tensor; float32 networks have no quantisation. */
export interface Tensor {
  readonly name: string;
  readonly shape: FeatureShape;
  readonly quantization?: Quantization;
}

/** What every layer has. */
export interface NamedLayer {
  /** Unique in the network. */
  readonly name: string;
  /** Index into `Network.tensors`. */
  readonly output: number;
}

/** A layer with one input. */
export interface LayerBase extends NamedLayer {
  /** Index into `Network.tensors`. */
  readonly input: number;
}

/**
 * Convolution or fully connected layer. Weights are in network order (output channel, input channel
 * of the group, ky, kx), flat. The fully connected layer's inputs are in channel, height, width order.
 */
export interface WeightedLayerBase extends LayerBase {
  readonly kind: 'convolution' | 'fully-connected';
  readonly shape: ConvolutionShape;
  /** Whether a ReLU follows. */
  readonly relu: boolean;
  /**
   * The largest output, a positive real number, where the ReLU has one (6 in ReLU6). In int8 networks the
   * output's quantisation must hold nothing larger, and so implies it.
   */
  readonly upper?: number;
  /** Present when an earlier layer reads the same stored words, which then exist once. */
  readonly sharedWeights?: SharedWeights;
}

/** Whose words a layer reads. */
export interface SharedWeights {
  /** Name of the first layer that reads them. */
  readonly layer: string;
  /** Whether its weight matrix (outputs × inputs) is read transposed. */
  readonly transposed: boolean;
}

/** real weight = scales[c] · (w − zeroPoints[c]); real bias = scale_x · scales[c] · bias[c]. */
export interface Int8WeightedLayer extends WeightedLayerBase {
  readonly weights: Int8Array;
  /** float32 values, one per output channel. */
  readonly scales: Float32Array;
  /** One per output channel. */
  readonly zeroPoints: Int32Array;
  readonly bias: Int32Array;
  /**
   * Present when the words are uint8 in ONNX files and in the weight memory: `weights` and `zeroPoints` are 128 less.
   */
  readonly unsignedWeights?: true;
}

export interface Float32WeightedLayer extends WeightedLayerBase {
  readonly weights: Float32Array;
  readonly bias: Float32Array;
}

/** Input and output share one quantisation. */
export interface MaxPoolLayer extends LayerBase {
  readonly kind: 'max-pool';
  readonly shape: PoolingShape;
}

/** To `channels·height·width × 1 × 1`, in channel, height, width order; quantisation unchanged. */
export interface FlattenLayer extends LayerBase {
  readonly kind: 'flatten';
}

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
export interface AddLayer extends NamedLayer {
  readonly kind: 'add';
  readonly inputs: readonly [number, number];
  /** Present when onnxruntime computes it on dequantised numbers, in float32, and then quantises. */
  readonly inFloat32?: true;
  /** Whether a ReLU follows. */
  readonly relu: boolean;
}

/** Joins tensors of one height and width along their channels. */
export interface ConcatLayer extends NamedLayer {
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

/** Layers that move values and change neither them nor their quantisation. */
export type MovingLayer = MaxPoolLayer | FlattenLayer;

/** Layers without weights that compute. */
export type ElementwiseLayer =
  | AveragePoolLayer
  | GlobalAveragePoolLayer
  | AddLayer
  | ConcatLayer
  | LeakyReluLayer
  | ClipLayer;

export type Int8Layer = Int8WeightedLayer | MovingLayer | ElementwiseLayer;
export type Float32Layer = Float32WeightedLayer | MovingLayer | ElementwiseLayer | AffineLayer;

/** What a network has in either word format. */
export interface NetworkBase {
  readonly name: string;
  /** What errors call the ONNX file that it was read from. */
  readonly source?: string;
  /** SHA-256 (hexadecimal) of the ONNX file it was read from. */
  readonly checksum: string;
  readonly tensors: readonly Tensor[];
  /** Indices into `tensors`. */
  readonly input: number;
  readonly output: number;
}

/** Layers in an order in which each follows its inputs. */
export interface Int8Network extends NetworkBase {
  readonly format: 'int8';
  readonly layers: readonly Int8Layer[];
  /**
   * Nodes of the file that onnxruntime computes in float32, and Bitcell in integers, so that a value near a tie may
   * lie one step beside onnxruntime's; absent when there are none.
   */
  readonly unfused?: readonly string[];
}

export interface Float32Network extends NetworkBase {
  readonly format: 'float32';
  readonly layers: readonly Float32Layer[];
}

export type Network = Int8Network | Float32Network;
export type Layer = Int8Layer | Float32Layer;
export type WeightedLayer = Int8WeightedLayer | Float32WeightedLayer;

/** Whether a layer has weights, and so lives in the weight memory. */
export function isWeighted<L extends Layer>(layer: L): layer is Extract<L, WeightedLayer> {
  return layer.kind === 'convolution' || layer.kind === 'fully-connected';
}

/** Whether a layer only moves values, so that its input and output share one quantisation. */
export function isMoving(layer: Layer): layer is MovingLayer {
  return layer.kind === 'max-pool' || layer.kind === 'flatten';
}

/**
 * Whether a tensor can hold numbers above a bound, by more than float32's epsilon: then onnxruntime
 * does not leave out a Clip to that bound before it.
 */
export function holdsMoreThan({ scale, zeroPoint }: Quantization, upper: number): boolean {
  return Math.fround(scale * (255 - zeroPoint)) - upper > 2 ** -23;
}

/** Indices of the tensors that a layer takes. */
export function inputsOf(layer: Layer): readonly number[] {
  return 'inputs' in layer ? layer.inputs : [layer.input];
}

/** The convolutions and fully connected layers, in network order. */
export function weightedLayers(network: Int8Network): Int8WeightedLayer[];
export function weightedLayers(network: Float32Network): Float32WeightedLayer[];
export function weightedLayers(network: Network): WeightedLayer[];
export function weightedLayers(network: Network): WeightedLayer[] {
  return (network.layers as readonly Layer[]).filter((layer) => isWeighted(layer));
}

/**
 * The convolution or fully connected layer with a name.
 *
 * @param where what names the layer, at the start of the message
 * @throws InputError when the network has none, with the nearest name
 */
export function layerNamed(network: Int8Network, name: string, where?: string): Int8WeightedLayer;
export function layerNamed(network: Network, name: string, where?: string): WeightedLayer;
export function layerNamed(network: Network, name: string, where?: string): WeightedLayer {
  const layers = weightedLayers(network);
  const found = layers.find((layer) => layer.name === name);
  if (found) return found;
  const hint = didYouMean(
    name,
    layers.map((layer) => layer.name),
  );
  throw new InputError(
    `${where === undefined ? '' : `${where}: `}${network.name} has no layer "${excerpt(name)}" with weights${hint}`,
  );
}

/**
 * Position of `layerNamed` among all layers.
 *
 * @throws InputError as `layerNamed` does
 */
export function layerIndex(network: Network, name: string): number {
  return (network.layers as readonly Layer[]).indexOf(layerNamed(network, name));
}

/**
 * Requantisation factors S_c = fround(fround(s_x · s_w[c]) / s_y), one per output channel: two
 * float32 roundings, the product first, as onnxruntime computes them.
 */
export function requantizationMultipliers(
  inputScale: number,
  weightScales: Float32Array,
  outputScale: number,
): Float32Array {
  return weightScales.map((scale) => Math.fround(inputScale * scale) / outputScale);
}
