import { didYouMean, excerpt, type FeatureShape, InputError } from '../core/index.js';
import type {
  AddLayer,
  AffineLayer,
  ArgLayer,
  ArrayLayer,
  AveragePoolLayer,
  BinaryLayer,
  ClipLayer,
  ConcatLayer,
  DequantizeLayer,
  FlattenLayer,
  Float32ArrayLayer,
  Float32WeightedLayer,
  FunctionLayer,
  GatherLayer,
  GlobalAveragePoolLayer,
  GridLayer,
  Int8ArrayLayer,
  Int8WeightedLayer,
  IslandLayer,
  Layout,
  LeakyReluLayer,
  MaxPoolLayer,
  NormalizeLayer,
  PartLayer,
  QuantizeLayer,
  ReduceLayer,
  ResponseLayer,
  SoftmaxLayer,
  TransposeLayer,
  WeightedLayer,
} from './layers/index.js';
import type { ElementType } from './onnx/index.js';

export * from './layers/index.js';

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

/** An activation tensor: uint8 values where it has a quantisation, otherwise float32 numbers. */
export interface Tensor {
  readonly name: string;
  readonly shape: FeatureShape;
  readonly quantization?: Quantization;
}

/** A layer without weights. An operator adds its type here, and its definition to `OPERATORS`. */
export type WeightlessLayer =
  | AddLayer
  | AffineLayer
  | ArgLayer
  | AveragePoolLayer
  | BinaryLayer
  | ClipLayer
  | ConcatLayer
  | DequantizeLayer
  | FlattenLayer
  | FunctionLayer
  | GlobalAveragePoolLayer
  | GridLayer
  | IslandLayer
  | LeakyReluLayer
  | MaxPoolLayer
  | NormalizeLayer
  | PartLayer
  | QuantizeLayer
  | ReduceLayer
  | ResponseLayer
  | SoftmaxLayer
  | GatherLayer
  | TransposeLayer;

export type Int8Layer = Int8WeightedLayer | WeightlessLayer;
export type Float32Layer = Float32WeightedLayer | WeightlessLayer;

/** A value of the file that a network takes or gives, for one sample. */
export interface NetworkValue {
  readonly name: string;
  /** Index into `Network.tensors`. */
  readonly tensor: number;
  /** In the file's order; the batch, where there is one, is 1. */
  readonly dims: readonly number[];
  readonly layout: Layout;
  /** Its type in the file: float32 is dequantised where the tensor is quantised. */
  readonly elementType: ElementType;
}

/** What a network has in either word format. */
export interface NetworkBase {
  readonly name: string;
  /** What errors call the ONNX file that it was read from. */
  readonly source?: string;
  /** SHA-256 (hexadecimal) of the ONNX file it was read from. */
  readonly checksum: string;
  readonly tensors: readonly Tensor[];
  /** Indices into `tensors`: those of the first input and output. */
  readonly input: number;
  readonly output: number;
  /**
   * All values that the file takes and gives; absent in networks made otherwise, which have one of each, stored
   * channels last (`networkInputs`, `networkOutputs`).
   */
  readonly inputs?: readonly NetworkValue[];
  readonly outputs?: readonly NetworkValue[];
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

/** Whether a layer has weights, and so lives in the weight memory. */
export function isWeighted<L extends Layer>(layer: L): layer is Extract<L, WeightedLayer> {
  return isOnArray(layer) || layer.kind === 'stored-weights';
}

/** Whether the systolic array computes a layer's product. */
export function isOnArray<L extends Layer>(layer: L): layer is Extract<L, ArrayLayer> {
  return layer.kind === 'convolution' || layer.kind === 'fully-connected';
}

/** Whether onnxruntime computes a layer on the host. */
export function isIsland(layer: Layer): layer is IslandLayer {
  return layer.kind === 'island';
}

/** What a sample holds, one value behind the other. */
export function networkInputs(network: Network): readonly NetworkValue[] {
  return network.inputs ?? [channelsLast(network, network.input)];
}

/** What a network makes of a sample, one value behind the other. */
export function networkOutputs(network: Network): readonly NetworkValue[] {
  return network.outputs ?? [channelsLast(network, network.output)];
}

function channelsLast({ tensors }: Network, tensor: number): NetworkValue {
  const { name, shape } = tensors[tensor];
  const { channels, height, width } = shape;
  const dims = height === 1 && width === 1 ? [1, channels] : [1, channels, height, width];
  return { name, tensor, dims, layout: 'channels-last', elementType: 'float32' };
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

/** The layers with weights, in network order. */
export function weightedLayers(network: Int8Network): Int8WeightedLayer[];
export function weightedLayers(network: Float32Network): Float32WeightedLayer[];
export function weightedLayers(network: Network): WeightedLayer[];
export function weightedLayers(network: Network): WeightedLayer[] {
  return (network.layers as readonly Layer[]).filter((layer) => isWeighted(layer));
}

/** The convolutions and fully connected layers, in network order. */
export function arrayLayers(network: Int8Network): Int8ArrayLayer[];
export function arrayLayers(network: Float32Network): Float32ArrayLayer[];
export function arrayLayers(network: Network): ArrayLayer[];
export function arrayLayers(network: Network): ArrayLayer[] {
  return (network.layers as readonly Layer[]).filter((layer) => isOnArray(layer));
}

/**
 * The layer with weights that has a name.
 *
 * @param where what names the layer, at the start of the message
 * @throws InputError when the network has none, with the nearest name
 */
export function layerNamed(network: Int8Network, name: string, where?: string): Int8WeightedLayer;
export function layerNamed(network: Network, name: string, where?: string): WeightedLayer;
export function layerNamed(network: Network, name: string, where?: string): WeightedLayer {
  return named(network, weightedLayers(network), name, where);
}

/**
 * The convolution or fully connected layer with a name.
 *
 * @throws InputError as `layerNamed` does
 */
export function arrayLayerNamed(network: Int8Network, name: string, where?: string): Int8ArrayLayer;
export function arrayLayerNamed(network: Network, name: string, where?: string): ArrayLayer;
export function arrayLayerNamed(network: Network, name: string, where?: string): ArrayLayer {
  return named(network, arrayLayers(network), name, where);
}

function named<L extends WeightedLayer>(
  network: Network,
  layers: readonly L[],
  name: string,
  where: string | undefined,
): L {
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
