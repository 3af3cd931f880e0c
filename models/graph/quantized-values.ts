import type { Int8Layer, Quantization, Tensor } from '../network.js';
import type { ElementType, OnnxNode, OnnxTensor } from '../onnx/index.js';
import { type ImportGraph, nodeError, onlyOutput } from './graph.js';
import { layerName, noActivations, uniqueNames } from './naming.js';
import { isSameQuantization } from './quantization.js';
import type { QuantizedConstant } from './quantized-weights.js';
import type { ShapedValue } from './shapes.js';

type Without<L, K extends PropertyKey> = L extends unknown ? Omit<L, K> : never;

/** A layer whose output is not quantised yet. */
export type PendingLayer = Without<Int8Layer, 'output'>;

/** What a value of a quantised graph is. */
export type QuantizedValue =
  | { readonly state: 'input'; readonly shaped: ShapedValue }
  | { readonly state: 'quantized'; readonly shaped: ShapedValue; readonly tensor: number }
  | { readonly state: 'dequantized'; readonly shaped: ShapedValue; readonly tensor: number }
  /** Weights that a QuantizeLinear made of float32 ones. */
  | { readonly state: 'weights'; readonly tensor: OnnxTensor }
  /** Quantised weights or a bias behind a DequantizeLinear. */
  | ({ readonly state: 'constant' } & QuantizedConstant)
  | {
      readonly state: 'result';
      readonly shaped: ShapedValue;
      readonly layer: PendingLayer;
      readonly node: OnnxNode;
      /** Where an activation function bounds it. */
      readonly upper: number;
    };

type Activation = Exclude<QuantizedValue, { state: 'constant' | 'weights' }>;
export type TensorValue = Extract<Activation, { tensor: number }>;

/** The float32 operator between a layer's DequantizeLinear nodes and its QuantizeLinear. */
export interface FloatOperator {
  readonly node: OnnxNode;
  /** Stored type of the weights, if it has some. */
  readonly weightType?: ElementType;
}

/** The values, tensors and layers of a quantised graph that is being read. */
export interface QuantizedValues {
  readonly graph: ImportGraph;
  readonly values: Map<string, QuantizedValue>;
  readonly tensors: readonly Tensor[];
  readonly layers: readonly Int8Layer[];
  quantizationOf(tensor: number): Quantization;
  /** A node's input at a position, which must not be a constant. */
  activation(node: OnnxNode, position: number): Activation;
  /** The quantised tensor that a node takes at a position. */
  quantized(node: OnnxNode, position: number): TensorValue;
  /** The same, with the scale and zero point that the node states for it. */
  quantizedAs(node: OnnxNode, position: number, stated: Quantization): TensorValue;
  /** The dequantised tensor that a node takes at a position. */
  dequantized(node: OnnxNode, position: number): TensorValue;
  /** Adds a tensor; returns its index. */
  addTensor(name: string, shaped: ShapedValue, quantization: Quantization): number;
  /** The int8 tensors that onnxruntime rewrites to uint8. */
  readonly uint8Tensors: Set<number>;
  /** The float32 operators of layers by name. */
  readonly floatOperators: Map<string, FloatOperator>;
  addLayer(layer: Int8Layer): void;
  /** Adds the layer of a node that makes a quantised tensor. */
  addQuantized(
    node: OnnxNode,
    shaped: ShapedValue,
    quantization: Quantization,
    layer: Without<PendingLayer, 'name'>,
  ): void;
  /** Makes a node's output a result that waits for its QuantizeLinear. */
  addResult(
    node: OnnxNode,
    shaped: ShapedValue,
    layer: Without<PendingLayer, 'name'>,
    weightType?: ElementType,
  ): void;
}

export function createQuantizedValues(graph: ImportGraph): QuantizedValues {
  const { source } = graph;
  const uniqueLayer = uniqueNames();
  const uniqueTensor = uniqueNames();
  const tensors: Tensor[] = [];
  const layers: Int8Layer[] = [];
  const values = new Map<string, QuantizedValue>();
  // The output's tensor gets this name in the end.
  uniqueTensor(graph.output.name);

  const context: QuantizedValues = {
    graph,
    values,
    tensors,
    layers,
    quantizationOf: (tensor) => tensors[tensor].quantization ?? { scale: 1, zeroPoint: 0 },
    activation(node, position) {
      const value = values.get(node.inputs[position]);
      if (value && value.state !== 'constant' && value.state !== 'weights') return value;
      throw nodeError(source, node, noActivations(position));
    },
    quantized(node, position) {
      const value = context.activation(node, position);
      if (value.state === 'quantized') return value;
      throw nodeError(source, node, `takes "${node.inputs[position]}", which is not quantised`);
    },
    quantizedAs(node, position, stated) {
      const value = context.quantized(node, position);
      if (isSameQuantization(stated, tensors[value.tensor].quantization)) return value;
      throw nodeError(
        source,
        node,
        `has another scale or zero point for "${node.inputs[position]}" than the node that makes it`,
      );
    },
    dequantized(node, position) {
      const value = context.activation(node, position);
      if (value.state === 'dequantized') return value;
      if (value.state === 'result' && value.layer.kind === 'flatten') {
        // A flattening between a DequantizeLinear and a layer needs no quantisation of its own.
        const quantization = context.quantizationOf(value.layer.input);
        const tensor = context.addTensor(node.inputs[position], value.shaped, quantization);
        layers.push({ ...value.layer, output: tensor });
        // onnxruntime gives a Reshape its own pair (QDQPropagationTransformer), which is rewritten when used once.
        const isPropagated = value.node.opType === 'Reshape';
        const isUsedOnce = graph.uses.get(node.inputs[position]) === 1;
        if (isPropagated ? isUsedOnce : context.uint8Tensors.has(value.layer.input)) {
          context.uint8Tensors.add(tensor);
        }
        const dequantized = { state: 'dequantized', shaped: value.shaped, tensor } as const;
        values.set(node.inputs[position], dequantized);
        return dequantized;
      }
      throw nodeError(
        source,
        node,
        `takes "${node.inputs[position]}", which does not come from a DequantizeLinear; onnxruntime leaves such groups unfused`,
      );
    },
    addTensor(name, { shape }, quantization) {
      return tensors.push({ name: uniqueTensor(name), shape, quantization }) - 1;
    },
    uint8Tensors: new Set(),
    floatOperators: new Map(),
    addLayer(layer) {
      layers.push(layer);
    },
    addQuantized(node, shaped, quantization, layer) {
      const output = onlyOutput(source, node);
      const tensor = context.addTensor(output.replace(/_quantized$/, ''), shaped, quantization);
      layers.push({ ...layer, name: uniqueLayer(nameOf(node, values)), output: tensor });
      values.set(output, { state: 'quantized', shaped, tensor });
    },
    addResult(node, shaped, layer, weightType) {
      const named = { ...layer, name: uniqueLayer(nameOf(node, values)) };
      context.floatOperators.set(named.name, { node, ...(weightType && { weightType }) });
      values.set(onlyOutput(source, node), {
        ...{ state: 'result', shaped, layer: named, node },
        upper: Infinity,
      });
    },
  };
  return context;
}

const WEIGHTED = ['Conv', 'Gemm', 'MatMul', 'QLinearConv', 'QGemm', 'QLinearMatMul'];

function nameOf(node: OnnxNode, values: ReadonlyMap<string, QuantizedValue>): string {
  if (!WEIGHTED.includes(node.opType)) return layerName(node);
  const behindDequantize = values.get(node.inputs[1]);
  const weight =
    behindDequantize?.state === 'constant' ? behindDequantize.tensor.name : node.inputs[3];
  // onnxruntime's quantiser appends its own word to the names of weights.
  return layerName(node, weight?.replace(/_quantized$/, ''));
}
