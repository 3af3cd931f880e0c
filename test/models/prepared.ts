import fc from 'fast-check';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { prepareGraph } from '../../models/graph/prepare/prepare.js';
import {
  type ElementType,
  elementArray,
  encodeOnnx,
  type OnnxAttribute,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
} from '../../models/index.js';

/** One node with its inputs: those named in `computed` are inputs of the graph, the others initialisers. */
export interface NodeCase {
  readonly opset: number;
  readonly node: OnnxNode;
  readonly tensors: readonly OnnxTensor[];
  readonly computed: readonly string[];
}

export const ints = (...value: readonly number[]): OnnxAttribute => ({ type: 'ints', value });
export const int = (value: number): OnnxAttribute => ({ type: 'int', value });
export const text = (value: string): OnnxAttribute => ({ type: 'string', value });
export const floats = (...value: readonly number[]): OnnxAttribute => ({ type: 'floats', value });

/** A tensor of any element type from numbers, which are repeated as often as its dimensions take. */
export function tensor(
  name: string,
  elementType: ElementType,
  dims: readonly number[],
  numbers: readonly number[],
): OnnxTensor {
  const data = elementArray(
    elementType,
    dims.reduce((product, size) => product * size, 1),
  ) as unknown as (number | bigint)[];
  const isBig = elementType === 'int64' || elementType === 'uint64';
  for (let index = 0; index < data.length; index += 1) {
    const number = numbers[index % numbers.length];
    data[index] = isBig ? BigInt(Math.trunc(number)) : number;
  }
  return { name, elementType, dims, data } as unknown as OnnxTensor;
}

export const int64s = (name: string, ...values: readonly number[]) =>
  tensor(name, 'int64', [values.length], values);

/** A node that takes `tensors` in their order; undefined: an absent input. */
export function nodeCase(
  opType: string,
  tensors: readonly (OnnxTensor | undefined)[],
  attributes: Readonly<Record<string, OnnxAttribute | undefined>> = {},
  {
    opset = 13,
    outputs = ['y'],
    computed = ['x'],
    domain = '',
  }: {
    opset?: number;
    outputs?: readonly string[];
    computed?: readonly string[];
    domain?: string;
  } = {},
): NodeCase {
  const stated = Object.entries(attributes).filter(([, value]) => value !== undefined);
  return {
    opset,
    node: {
      name: 'node',
      opType,
      domain,
      inputs: tensors.map((one) => one?.name ?? ''),
      outputs,
      attributes: new Map(stated as [string, OnnxAttribute][]),
    },
    tensors: tensors.filter((one) => one !== undefined),
    computed,
  };
}

/** The graph of a node; with `asConstants`, none of its inputs is one of the graph. */
export function modelOf(
  { opset, node, tensors, computed }: NodeCase,
  asConstants: boolean,
): OnnxModel {
  const inputs = asConstants ? [] : tensors.filter(({ name }) => computed.includes(name));
  const unused = { name: 'unused', elementType: 'float32', dims: [1] } as const;
  return {
    irVersion: 8,
    producer: 'bitcell-test',
    opsets: new Map([
      ['', opset],
      ['com.microsoft', 1],
      ['ai.onnx.ml', 3],
    ]),
    metadata: new Map(),
    graph: {
      name: 'graph',
      nodes: [node],
      initializers: tensors.filter((one) => !inputs.includes(one)),
      inputs: [...inputs, ...(asConstants ? [unused] : [])].map(({ name, elementType, dims }) => ({
        name,
        elementType,
        dims,
      })),
      outputs: node.outputs
        .filter((name) => name !== '')
        .map((name) => ({ name, elementType: undefined, dims: undefined })),
    },
  };
}

/** What onnxruntime gives; undefined when it refuses the node. */
export async function runNode(
  given: NodeCase,
  asConstants: boolean,
): Promise<InferenceSession.OnnxValueMapType | undefined> {
  const model = modelOf(given, asConstants);
  const feeds = model.graph.inputs.map(({ name }) => {
    const found = given.tensors.find((one) => one.name === name);
    if (!found) return [name, new Tensor('float32', new Float32Array(1), [1])];
    const { elementType, data, dims } = found;
    return [name, new Tensor(elementType as 'float32', data as Float32Array, dims)];
  });
  try {
    const session = await InferenceSession.create(encodeOnnx(model), {
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      logSeverityLevel: 4,
      graphOptimizationLevel: 'disabled',
    });
    const results = await session.run(Object.fromEntries(feeds));
    await session.release();
    return results;
  } catch {
    return undefined;
  }
}

export const prepared = (given: NodeCase, asConstants: boolean) =>
  prepareGraph(modelOf(given, asConstants), 'net');

/** Dimensions of a small tensor; `first` is its batch. */
export const smallDims = (least: number, most: number, largest = 4, first?: number) =>
  fc
    .array(fc.integer({ min: 1, max: largest }), { minLength: least, maxLength: most })
    .map((dims) => (first === undefined ? dims : dims.map((size, axis) => (axis ? size : first))));

/** Small numbers of which each type has some. */
export const numbers = fc.array(
  fc.oneof(fc.integer({ min: -9, max: 9 }), fc.constantFrom(0.5, -2.5, 1.5, 1e-3, 100.25)),
  { minLength: 1, maxLength: 24 },
);
