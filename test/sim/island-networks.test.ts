import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { loadKernels } from '../../kernels/index.js';
import {
  elementArray,
  encodeOnnx,
  isIsland,
  isOnArray,
  isWeighted,
  type Layer,
  type OnnxNode,
  type OnnxTensor,
  readNetwork,
} from '../../models/index.js';
import { createNetworkDatapath } from '../../sim/index.js';
import { constant, int, ints, node, numbers, text, type Value } from './islands.js';

const kernels = loadKernels();

interface Case {
  readonly nodes: readonly OnnxNode[];
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly initializers: readonly OnnxTensor[];
  /** The range of the inputs' numbers. */
  readonly spread?: number;
  /** Weights that are stored for islands, and layers on the array. */
  readonly stored: number;
  readonly products: number;
}

const f32 = (name: string, ...dims: number[]): Value => ({ name, elementType: 'float32', dims });

function ints64(name: string, ...values: number[]): OnnxTensor {
  return {
    ...{ name, dims: [values.length], elementType: 'int64' },
    data: BigInt64Array.from(values, BigInt),
  };
}

function int8(name: string, dims: readonly number[]): OnnxTensor {
  const values = numbers(
    dims.reduce((product, size) => product * size, 1),
    250,
  );
  return { name, dims, elementType: 'int8', data: Int8Array.from(values) };
}

/** An attribute of texts, as GRU's names of functions are. */
const names = (...value: string[]) => ({ type: 'strings', value }) as const;

const CASES: Readonly<Record<string, Case>> = {
  'a bidirectional GRU with functions of its own': {
    nodes: [
      node('Transpose', ['x'], ['t'], { perm: ints(1, 0, 2) }),
      node('GRU', ['t', 'w', 'r', 'b'], ['y'], {
        ...{ hidden_size: int(3), direction: text('bidirectional'), linear_before_reset: int(1) },
        activations: names('HardSigmoid', 'Tanh', 'Sigmoid', 'Relu'),
      }),
      node('Reshape', ['y', 'flat'], ['v']),
      node('Gemm', ['v', 'fc'], ['out']),
    ],
    inputs: [f32('x', 1, 5, 4)],
    outputs: [f32('out', 1, 2)],
    initializers: [
      ...[constant('w', [2, 9, 4]), constant('r', [2, 9, 3]), constant('b', [2, 18])],
      ...[constant('fc', [30, 2]), ints64('flat', 1, 30)],
    ],
    ...{ stored: 72 + 54, products: 1 },
  },
  'words of a sentence by their numbers': {
    nodes: [
      node('Gather', ['table', 'words'], ['e']),
      node('ReduceMean', ['e'], ['m'], { axes: ints(1), keepdims: int(0) }),
      node('Gemm', ['m', 'fc'], ['out']),
      node('Add', ['words', 'one'], ['next']),
    ],
    inputs: [{ name: 'words', elementType: 'int64', dims: [1, 6] }],
    outputs: [f32('out', 1, 2), { name: 'next', elementType: 'int64', dims: [1, 6] }],
    initializers: [constant('table', [20, 5]), constant('fc', [5, 2]), ints64('one', 1)],
    ...{ stored: 100, products: 1, spread: 18 },
  },
  'a product quantised as it comes': {
    nodes: [
      node('DynamicQuantizeLinear', ['x'], ['q', 's', 'z']),
      node('MatMulInteger', ['q', 'w', 'z', 'wz'], ['sums']),
      node('Cast', ['sums'], ['real'], { to: int(1) }),
      node('Mul', ['s', 'ws'], ['scale']),
      node('Mul', ['real', 'scale'], ['out']),
    ],
    inputs: [f32('x', 1, 6)],
    outputs: [f32('out', 1, 4)],
    initializers: [
      int8('w', [6, 4]),
      { name: 'wz', dims: [], elementType: 'int8', data: Int8Array.of(3) },
      constant('ws', [], Float32Array.of(0.02)),
    ],
    ...{ stored: 24, products: 0 },
  },
  'arithmetic of integers between products': {
    nodes: [
      node('Gemm', ['x', 'a'], ['h']),
      node('Cast', ['h'], ['i'], { to: int(7) }),
      node('Div', ['i', 'three'], ['d']),
      node('Cast', ['d'], ['f'], { to: int(1) }),
      node('Gemm', ['f', 'b'], ['out']),
    ],
    inputs: [f32('x', 1, 6)],
    outputs: [f32('out', 1, 2)],
    initializers: [constant('a', [6, 5]), constant('b', [5, 2]), ints64('three', 3)],
    ...{ stored: 0, products: 2, spread: 40 },
  },
  'a convolution over volumes': {
    nodes: [
      node('Conv', ['x', 'w', 'b'], ['c']),
      node('Relu', ['c'], ['r']),
      node('ReduceMax', ['r'], ['m'], { axes: ints(2, 3, 4), keepdims: int(0) }),
      node('Gemm', ['m', 'fc'], ['out']),
    ],
    inputs: [f32('x', 1, 2, 4, 4, 4)],
    outputs: [f32('out', 1, 2)],
    initializers: [constant('w', [3, 2, 2, 2, 2]), constant('b', [3]), constant('fc', [3, 2])],
    ...{ stored: 48, products: 1 },
  },
};

function encode({ nodes, inputs, outputs, initializers }: Case): Uint8Array {
  return encodeOnnx({
    irVersion: 8,
    producer: '',
    opsets: new Map([['', 13]]),
    metadata: new Map(),
    graph: { name: 'test', nodes, initializers, inputs, outputs },
  });
}

async function whole(one: Case, x: Float32Array): Promise<number[]> {
  const session = await InferenceSession.create(encode(one), {
    graphOptimizationLevel: 'disabled',
    intraOpNumThreads: 1,
  });
  const [{ name, elementType, dims }] = one.inputs;
  const data = elementArray(elementType, x.length);
  for (const [index, value] of x.entries()) {
    data[index] = data instanceof BigInt64Array ? BigInt(value) : value;
  }
  const input = new Tensor(elementType as 'float32', data as Float32Array, dims);
  const results = await session.run({ [name]: input });
  await session.release();
  return one.outputs.flatMap((output) =>
    Array.from(results[output.name].data as Float32Array, Number),
  );
}

describe('networks with islands compute what onnxruntime computes', () => {
  for (const [name, one] of Object.entries(CASES)) {
    test(name, async () => {
      const network = readNetwork(encode(one), name);
      const layers: readonly Layer[] = network.layers;
      expect(layers.some(isIsland)).toBe(true);
      expect(layers.filter(isOnArray).length).toBe(one.products);
      const stored = layers.filter((layer) => isWeighted(layer) && !isOnArray(layer));
      const weights = stored.map((layer) => ('weights' in layer ? layer.weights.length : 0));
      expect(weights.reduce((sum, count) => sum + count, 0)).toBe(one.stored);
      const [{ dims, elementType }] = one.inputs;
      const length = dims.reduce((product, size) => product * size, 1);
      const drawn = numbers(2 * length, one.spread ?? 3);
      const x = elementType === 'int64' ? drawn.map((value) => Math.floor(value + 9)) : drawn;
      const found = createNetworkDatapath(network, kernels, 2).run(x, 2);
      const expected = [
        ...(await whole(one, x.slice(0, length))),
        ...(await whole(one, x.slice(length))),
      ];
      expect(found.length).toBe(expected.length);
      for (const [index, value] of expected.entries()) {
        expect(Math.abs(found[index] - value)).toBeLessThan(1e-4 * Math.max(1, Math.abs(value)));
      }
    });
  }
});

test('an island that would take more memory than the limit is refused before it is computed', () => {
  const one: Case = {
    nodes: [
      node('Expand', ['x', 'many'], ['e']),
      node('Round', ['e'], ['r']),
      node('ReduceMax', ['r'], ['m'], { axes: ints(2, 3), keepdims: int(0) }),
    ],
    inputs: [f32('x', 1, 2, 1, 1)],
    outputs: [f32('m', 1, 2)],
    initializers: [ints64('many', 1, 2, 30_000, 20_000)],
    ...{ stored: 0, products: 0 },
  };
  expect(() => createNetworkDatapath(readNetwork(encode(one), 'large.onnx'), kernels, 1)).toThrow(
    /^large\.onnx: .* would take \S+ GB of memory/,
  );
});
