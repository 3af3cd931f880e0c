import { InferenceSession, Tensor } from 'onnxruntime-node';
import { type FeatureShape, featureCount } from '../../core/index.js';
import { flatten, type StoredQuantization } from '../../kernels/index.js';
import {
  type ElementType,
  encodeOnnx,
  type OnnxAttribute,
  type OnnxNode,
  type OnnxTensor,
} from '../../models/index.js';

/** How much onnxruntime may rewrite a graph. */
export type Level = 'disabled' | 'all';

/** Input of a graph: values of a stored tensor in the order of `dims`. */
export interface GraphInput {
  readonly name: string;
  readonly signed: boolean;
  readonly dims: readonly number[];
  readonly values: Uint8Array;
}

export interface Graph {
  readonly nodes: readonly OnnxNode[];
  readonly constants: readonly OnnxTensor[];
  readonly inputs: readonly GraphInput[];
  readonly output: { readonly name: string; readonly type: ElementType; readonly rank: number };
  /** Default 13. */
  readonly opset?: number;
}

export function node(
  opType: string,
  inputs: readonly string[],
  output: string,
  attributes: Readonly<Record<string, OnnxAttribute>> = {},
): OnnxNode {
  const microsoft =
    /^QLinear(Add|Concat|LeakyRelu|AveragePool|GlobalAveragePool|Mul|Sigmoid|Softmax)$|^QGemm$/;
  return {
    name: output,
    opType,
    domain: microsoft.test(opType) ? 'com.microsoft' : '',
    inputs,
    outputs: [output],
    attributes: new Map(Object.entries(attributes)),
  };
}

/** Scale `${name}_scale` and zero point `${name}_zero` of a tensor. */
export function quantizationConstants(
  name: string,
  { scale, zeroPoint, signed }: StoredQuantization,
): OnnxTensor[] {
  return [
    {
      name: `${name}_scale`,
      elementType: 'float32',
      dims: [],
      data: Float32Array.of(scale),
    },
    signed
      ? {
          name: `${name}_zero`,
          elementType: 'int8',
          dims: [],
          data: Int8Array.of(zeroPoint - 128),
        }
      : { name: `${name}_zero`, elementType: 'uint8', dims: [], data: Uint8Array.of(zeroPoint) },
  ];
}

/** The names of {@link quantizationConstants}. */
export function quantizationNames(name: string): [string, string] {
  return [`${name}_scale`, `${name}_zero`];
}

/** DequantizeLinear of `name` into `${name}_real`. */
export function dequantize(name: string): OnnxNode {
  return node('DequantizeLinear', [name, ...quantizationNames(name)], `${name}_real`);
}

/** QuantizeLinear of `${name}_real` into `name`. */
export function quantize(name: string): OnnxNode {
  return node('QuantizeLinear', [`${name}_real`, ...quantizationNames(name)], name);
}

/** int8 values are larger by 128 when stored. */
export function int8Of(stored: Uint8Array): Int8Array {
  return Int8Array.from(stored, (value) => value - 128);
}

/** What onnxruntime computes, int8 values as stored ones. */
export async function runGraph(graph: Graph, level: Level): Promise<number[]> {
  const inputs = graph.inputs.map(({ name, signed, dims, values }) => ({
    name,
    tensor: signed ? new Tensor('int8', int8Of(values), dims) : new Tensor('uint8', values, dims),
  }));
  const data = await run(graph, inputs, level, graph.opset ?? 13);
  return Array.from(data as Int8Array, (value) =>
    data instanceof Int8Array ? value + 128 : value,
  );
}

/** What onnxruntime computes of float32 inputs. */
export async function runFloat32(
  graph: Pick<Graph, 'nodes'> & Partial<Pick<Graph, 'constants'>>,
  inputs: readonly {
    readonly name: string;
    readonly dims: readonly number[];
    readonly values: Float32Array;
  }[],
  output: Graph['output'],
  opset = 20,
): Promise<number[]> {
  const feeds = inputs.map(({ name, dims, values }) => ({
    name,
    tensor: new Tensor('float32', values, dims),
  }));
  const data = await run({ constants: [], ...graph, output }, feeds, 'disabled', opset);
  return Array.from(data as Float32Array, Number);
}

async function run(
  graph: Pick<Graph, 'nodes' | 'constants' | 'output'>,
  inputs: readonly { readonly name: string; readonly tensor: Tensor }[],
  level: Level,
  opset: number,
): Promise<Tensor['data']> {
  const used = new Set(graph.nodes.flatMap(({ inputs }) => inputs));
  const bytes = encodeOnnx({
    irVersion: 8,
    producer: 'bitcell-test',
    opsets: new Map([
      ['', opset],
      ['com.microsoft', 1],
    ]),
    metadata: new Map(),
    graph: {
      name: 'graph',
      nodes: graph.nodes,
      initializers: graph.constants.filter(({ name }) => used.has(name)),
      inputs: inputs.map(({ name, tensor }) => ({
        name,
        elementType: tensor.type as ElementType,
        dims: tensor.dims,
      })),
      outputs: [
        {
          name: graph.output.name,
          elementType: graph.output.type,
          dims: Array.from({ length: graph.output.rank }, (_, axis) => `size${axis}`),
        },
      ],
    },
  });
  const session = await InferenceSession.create(bytes, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
    graphOptimizationLevel: level,
  });
  const feeds = inputs.map(({ name, tensor }) => [name, tensor]);
  const results = await session.run(Object.fromEntries(feeds));
  await session.release();
  return results[graph.output.name].data;
}

/** From channels innermost to channels × height × width, per image. */
export function channelsFirst(values: Uint8Array, shape: FeatureShape): Uint8Array {
  const result = new Uint8Array(values.length);
  flatten(shape, values, result, values.length / featureCount(shape));
  return result;
}
