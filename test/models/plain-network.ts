import { ModelError } from '../../core/index.js';
import {
  encodeOnnx,
  type Float32Network,
  type OnnxAttribute,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  readNetwork,
} from '../../models/index.js';

export const ints = (...value: number[]): OnnxAttribute => ({ type: 'ints', value });
export const int = (value: number): OnnxAttribute => ({ type: 'int', value });
export const float = (value: number): OnnxAttribute => ({ type: 'float', value });

export function node(
  opType: string,
  inputs: string[],
  output: string,
  attributes: Record<string, OnnxAttribute> = {},
  name = output,
): OnnxNode {
  return {
    name,
    opType,
    domain: '',
    inputs,
    outputs: [output],
    attributes: new Map(Object.entries(attributes)),
  };
}

/** Values that differ, within ±1. */
export function reals(name: string, ...dims: number[]): OnnxTensor {
  const length = dims.reduce((a, b) => a * b, 1);
  const data = Float32Array.from({ length }, (_, index) => Math.sin(index * 1.7 + name.length));
  return { name, elementType: 'float32', dims, data };
}

export function int64s(name: string, ...values: number[]): OnnxTensor {
  return {
    name,
    elementType: 'int64',
    dims: [values.length],
    data: BigInt64Array.from(values, BigInt),
  };
}

/** A network as PyTorch exports it: batch normalisation apart, a Dropout, Reshape for flattening. */
export const layers: readonly OnnxNode[] = [
  node('Conv', ['input', 'conv1.weight'], '/conv1/Conv_output', { pads: ints(1, 1, 1, 1) }),
  node(
    'BatchNormalization',
    ['/conv1/Conv_output', 'norm.weight', 'norm.bias', 'norm.mean', 'norm.var'],
    'normalized',
    { epsilon: float(1e-3) },
  ),
  node('Relu', ['normalized'], 'relu'),
  node(
    'MaxPool',
    ['relu'],
    'pooled',
    { kernel_shape: ints(2, 2), strides: ints(2, 2) },
    '/features/pool1/MaxPool',
  ),
  node('Dropout', ['pooled'], 'kept'),
  node('Reshape', ['kept', 'shape'], 'flat', {}, ''),
  node('Gemm', ['flat', 'onnx::Gemm_12', 'fc1.bias'], 'result', {}, '/fc1/Gemm'),
  node('Identity', ['result'], 'logits'),
];
export const initializers: readonly OnnxTensor[] = [
  reals('conv1.weight', 3, 2, 3, 3),
  reals('norm.weight', 3),
  reals('norm.bias', 3),
  reals('norm.mean', 3),
  { name: 'norm.var', elementType: 'float32', dims: [3], data: Float32Array.of(0.5, 1, 4) },
  int64s('shape', 0, -1),
  reals('onnx::Gemm_12', 12, 5),
  reals('fc1.bias', 5),
];
export const plain: OnnxModel = {
  irVersion: 7,
  producer: 'test',
  opsets: new Map([['', 13]]),
  metadata: new Map(),
  graph: {
    name: 'main_graph',
    nodes: layers,
    initializers,
    inputs: [{ name: 'input', elementType: 'float32', dims: ['batch', 2, 4, 4] }],
    outputs: [{ name: 'logits', elementType: 'float32', dims: ['batch', 5] }],
  },
};

/** The plain model with nodes replaced by their output's name, and other parts of the graph. */
export function changed(
  replacements: Record<string, Partial<OnnxNode>>,
  graph: Partial<OnnxModel['graph']> = {},
): OnnxModel {
  const nodes = plain.graph.nodes.map((original) => ({
    ...original,
    ...replacements[original.outputs[0]],
  }));
  return { ...plain, graph: { ...plain.graph, nodes, ...graph } };
}

export function read(model: OnnxModel): Float32Network {
  return readNetwork(encodeOnnx(model), 'net') as Float32Network;
}

function messageOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof ModelError) return error.message;
    throw error;
  }
  throw new Error('nothing was thrown');
}

export const refusal = (model: OnnxModel) => messageOf(() => readNetwork(encodeOnnx(model), 'net'));
