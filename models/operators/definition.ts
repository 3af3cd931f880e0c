import type { FeatureShape } from '../../core/index.js';
import type { DeltaKernels, DeltaLayer, KernelBackend } from '../../kernels/index.js';
import type { Form } from '../graph/form.js';
import type { ImportGraph } from '../graph/graph.js';
import type { GraphBuilder } from '../graph/graph-builder.js';
import type { ConstantQuantization } from '../graph/quantization.js';
import type { QuantizedGraph } from '../graph/quantized-graph.js';
import type {
  ArrayLayer,
  Float32ArrayLayer,
  Int8ArrayLayer,
  Layer,
  Quantization,
  WeightlessLayer,
  WordFormat,
} from '../network.js';
import type { ElementType, OnnxNode, OnnxTensor } from '../onnx/index.js';

/** Computes one layer for so many samples, from its input tensors to its output tensor. */
export type Operation = (images: number) => void;

/** A tensor of float32 numbers in a datapath: `batch` samples, each height × width × channels. */
export interface Float32Place {
  readonly values: Float32Array;
  readonly shape: FeatureShape;
}

/** The same of uint8 values. */
export interface QuantizedPlace {
  readonly values: Uint8Array;
  readonly shape: FeatureShape;
  readonly quantization: Quantization;
}

export type TensorPlace = Float32Place | QuantizedPlace;

/** Where a layer finds its tensors and the kernels of its datapath. */
export interface LayerPlace<P extends TensorPlace> {
  readonly inputs: readonly P[];
  readonly output: P;
  readonly backend: KernelBackend;
}

/** Shapes of the tensors of a layer, for one sample. */
export interface LayerShapes {
  readonly inputs: readonly FeatureShape[];
  readonly output: FeatureShape;
}

/** A value of the file that is computed, and the tensor that holds it. */
export interface Activation extends Form {
  /** Its name in the file. */
  readonly value: string;
  /** Index into the network's tensors. */
  readonly tensor: number;
  /**
   * What it is in the file: float32 numbers of a tensor of such, or of a quantised one (behind its DequantizeLinear),
   * or the integers themselves.
   */
  readonly state: 'float' | 'dequantized' | 'quantized';
}

/** A constant that a node takes as float32 numbers. */
export interface ConstantOperand {
  /** Of the initialiser. */
  readonly name: string;
  readonly dims: readonly number[];
  readonly data: Float32Array;
  /** Present where a DequantizeLinear makes them of integers with one scale: those, as uint8. */
  readonly stored?: { readonly values: Uint8Array; readonly quantization: Quantization };
}

export type Without<L, K extends PropertyKey> = L extends unknown ? Omit<L, K> : never;

/** A layer on the array between quantised tensors of which the importer fills in name and tensors. */
export type QuantizedArrayParts = Omit<Int8ArrayLayer, 'name' | 'input' | 'output'>;

/** A layer of which the importer fills in name and tensors. */
export type LayerParts = Without<WeightlessLayer, 'name' | 'input' | 'inputs' | 'output'>;

/** Constant weights: float32 numbers, or integers behind a DequantizeLinear. */
export type WeightOperand =
  | { readonly tensor: OnnxTensor & { readonly elementType: 'float32' }; readonly real?: undefined }
  | { readonly tensor: OnnxTensor; readonly real: ConstantQuantization };

/** A layer whose result a node alone takes, so that the node can join it. */
export type JoinableLayer = Without<Layer, 'output'>;

/** The same on the array. */
export type JoinableProduct = Without<ArrayLayer, 'output'>;

/** A layer on the array of which the importer fills in name and tensors. */
export type ArrayParts =
  | Pick<Float32ArrayLayer, 'kind' | 'shape' | 'weights' | 'bias'>
  | (Omit<Int8ArrayLayer, 'name' | 'input' | 'output' | 'relu' | 'realBias'> & {
      /** The bias in float32, for where the product is not computed in integers. */
      readonly realBias: Float32Array;
      /** Whether onnxruntime computes the product in integers even where nothing quantises it. */
      readonly givesFloat32: boolean;
      /** Stored type of the weights. */
      readonly weightType: ElementType;
    });

/**
 * The values of a graph that is being read. Readers say what a node means; whether it is computed on uint8 values or
 * on float32 numbers is decided here, by what stands before and behind the node.
 */
export interface ReadValues {
  readonly graph: ImportGraph;
  /** What a node takes at a position, as it is stored. @throws ModelError where that is a constant or nothing */
  activation(node: OnnxNode, position: number): Activation;
  /** The same with its channels (axis 1) innermost; a `transpose` layer makes it where it is stored otherwise. */
  channelsLast(node: OnnxNode, position: number): Activation;
  /** The same in the file's order of axes. */
  rowMajor(node: OnnxNode, position: number): Activation;
  /** The float32 constant that a node takes at a position, also behind a DequantizeLinear; undefined: none. */
  constant(node: OnnxNode, position: number): ConstantOperand | undefined;
  /**
   * Gives a node the layer that it means. On dequantised operands it becomes an int8 layer where a QuantizeLinear
   * follows and its definition has an int8 meaning, otherwise a float32 one.
   *
   * @param output name of the value that it makes; default: the node's only output
   */
  result(
    node: OnnxNode,
    operands: readonly Activation[],
    form: Form,
    layer: LayerParts,
    output?: string,
  ): void;
  /** Format of the words that the network's weights get. */
  readonly format: WordFormat;
  /** The constant weights, or bias, that a node takes at a position; undefined: none. */
  weights(node: OnnxNode, position: number): WeightOperand | undefined;
  /** Scale of the quantised tensor of an activation. */
  quantizationOf(operand: Activation): Quantization;
  /** Gives a node its layer on the array. @param weight name of its weights, by which the layer is called */
  product(node: OnnxNode, operand: Activation, form: Form, layer: ArrayParts, weight: string): void;
  /** The layer whose result a node takes at a position and alone, so that it can join it; undefined: none. */
  before(node: OnnxNode, position: number): JoinableLayer | undefined;
  /** Puts another layer in the place of `before`'s: its result is the node's output. */
  join(node: OnnxNode, position: number, layer: JoinableLayer): void;
  /** The quantisation that a node's output gets behind it, where nothing else takes it. */
  quantizationBehind(node: OnnxNode): Quantization | undefined;
  /** Whether folding into the words of an initialiser would part layers that share it. */
  isUnfoldable(key: string): boolean;
  /** A quantised tensor at `position`, whose scale and zero point the node states behind it. */
  quantizedOperand(node: OnnxNode, position: number): Activation;
  /** Gives a node the layer that it means on quantised tensors. */
  quantizedResult(
    node: OnnxNode,
    operands: readonly Activation[],
    form: Form,
    quantization: Quantization,
    layer: LayerParts | QuantizedArrayParts,
    weight?: string,
  ): void;
  /** The node's output is what an operand holds, under other dimensions, and no layer. */
  alias(node: OnnxNode, operand: Activation, form: Form, output?: string): void;
  /** @throws NotSimulated so that the node is computed on the host (an island), for the reason given: "has axis = 3" */
  cannot(node: OnnxNode, reason: string): never;
}

/** Reads one ONNX operator. */
export interface OperatorReader {
  /** Empty for the standard operators. */
  readonly domain: string;
  readonly opType: string;
  read(into: ReadValues, node: OnnxNode): void;
}

/** All that is known of one kind of layer. Methods, so that a definition fits where any layer is taken. */
export interface OperatorDefinition<L extends Layer = Layer> {
  readonly kind: L['kind'];
  /** Whether values are only moved, so that input and output share one quantisation. */
  readonly moves: boolean;
  /** Present where the values stay in their cells, and are only counted anew. */
  readonly renumbers?: true;
  /** Whether the layer has `inputs` and not one `input`. */
  readonly joins: boolean;
  /** Whether each channel of the output is computed from the same channel of the one input alone. */
  readonly keepsChannels: boolean;
  readonly readers: readonly OperatorReader[];
  /** Its meaning on float32 numbers. Absent for what the datapath gives a kernel, and for islands. */
  float32?(layer: L, at: LayerPlace<Float32Place>): Operation;
  /** Its meaning on uint8 values. Absent: it is computed on float32 numbers alone. */
  int8?(layer: L, at: LayerPlace<QuantizedPlace>): Operation;
  /** Its meaning between tensors of both kinds; only of layers that stand there. */
  mixed?(layer: L, at: LayerPlace<TensorPlace>): Operation;
  /** Comparisons, additions, multiplications and look-ups of one sample on the vector unit. */
  vectorOperations(layer: L, at: LayerShapes): number;
  /** Whether no output is negative. @param rectified whether no input is, one for each */
  isRectified?(layer: L, rectified: readonly boolean[]): boolean;
  /** Whether changed values can be followed through the layer by `follow`; absent: never, and whole layers are run. */
  canFollow?(layer: L): boolean;
  follow?(layer: L, kernels: DeltaKernels, input: FeatureShape): DeltaLayer;
  /** Adds its float32 operators to a file. Absent: networks with it cannot be written. */
  writeFloat32?(to: GraphBuilder, layer: L, inputs: readonly string[], output: string): void;
  /** Adds its operator on quantised values. Absent: its float32 operators between Dequantize- and QuantizeLinear. */
  writeQuantized?(to: QuantizedGraph, layer: L, inputs: readonly string[], output: string): void;
}
