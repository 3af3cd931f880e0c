import type { Form } from '../graph/form.js';
import type { ConstantQuantization } from '../graph/quantization.js';
import type { Layer, NetworkValue, Quantization, Tensor } from '../network.js';
import type { ElementType, OnnxNode, OnnxTensor } from '../onnx/index.js';
import type { JoinableLayer, ReadValues } from '../operators/definition.js';
import type { FloatOperator } from './operator.js';

/** A float32 operator on dequantised operands, which is an int8 layer once a QuantizeLinear follows. */
export interface PendingValue {
  readonly state: 'pending';
  readonly form: Form;
  readonly node: OnnxNode;
  readonly layer: JoinableLayer;
  /** Of a layer on the array: what it is where nothing quantises it. */
  readonly product?: { readonly realBias: Float32Array; readonly givesFloat32: boolean };
}

/** What a value of the graph is. */
export type Value =
  /** An input of the graph that nothing took yet. */
  | { readonly state: 'input'; readonly form: Form; readonly elementType: ElementType }
  | { readonly state: 'float'; readonly form: Form; readonly tensor: number }
  | { readonly state: 'quantized' | 'dequantized'; readonly form: Form; readonly tensor: number }
  /** Integers of 16 bits, which a tensor holds as float32 numbers. */
  | { readonly state: 'on-grid'; readonly form: Form; readonly tensor: number }
  | PendingValue
  /** Weights that a QuantizeLinear made of float32 ones. */
  | { readonly state: 'weights'; readonly tensor: OnnxTensor }
  /** Quantised weights or a bias behind a DequantizeLinear. */
  | {
      readonly state: 'constant';
      readonly tensor: OnnxTensor;
      readonly real: ConstantQuantization;
    };

/** The values, tensors and layers of a graph that is being read. */
export interface ImportValues extends ReadValues {
  readonly values: Map<string, Value>;
  readonly tensors: readonly Tensor[];
  readonly layers: readonly Layer[];
  /** The tensors of the graph's inputs, by name, once something took them. */
  readonly inputs: ReadonlyMap<string, NetworkValue>;
  /** The int8 tensors that onnxruntime rewrites to uint8. */
  readonly uint8Tensors: Set<number>;
  /** The float32 operators of int8 layers by name. */
  readonly floatOperators: ReadonlyMap<string, FloatOperator>;
  /** The values that are the whole result of a float32 layer, and not another view of it. */
  readonly results: ReadonlySet<string>;
  /** The nodes of the products of layers on the array, by the layers' names. */
  readonly products: ReadonlyMap<string, OnnxNode>;
  /** The tensor of a value, made of what it is: an input that nothing took yet, a layer that waited. */
  placed(name: string): Extract<Value, { tensor: number }> | undefined;
  /** Adds a tensor; returns its index. */
  addTensor(name: string, form: Form, quantization?: Quantization): number;
  addLayer(layer: Layer): void;
  uniqueLayerName(candidate: string): string;
  /** Makes a float32 tensor, or a tensor on a grid, into the input of the graph, with the quantisation that it has. */
  placeInput(name: string, quantization: Quantization | undefined): number;
}
