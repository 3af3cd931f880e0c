import { fc } from '@fast-check/vitest';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { createReferenceBackend } from '../../kernels/index.js';
import {
  type ElementType,
  encodeOnnx,
  type Network,
  networkInputs,
  networkOutputs,
  type OnnxAttribute,
  type OnnxNode,
  type OnnxTensor,
  readNetwork,
} from '../../models/index.js';
import {
  createDatapath,
  createRecording,
  differingLayers,
  recordRun,
  runFrom,
  sampleLength,
  storedWords,
  withWords,
} from '../../sim/index.js';

const BATCH = 3;

interface Value {
  readonly name: string;
  readonly elementType: ElementType;
  readonly dims: readonly number[];
}

/** A graph of our own, node by node. */
function graphOf(inputs: readonly Value[], opset = 13) {
  const nodes: OnnxNode[] = [];
  const initializers: OnnxTensor[] = [];
  const constant = (
    name: string,
    elementType: ElementType,
    dims: readonly number[],
    data: ArrayLike<number>,
  ) => {
    const arrays = {
      float32: Float32Array,
      int8: Int8Array,
      uint8: Uint8Array,
      uint16: Uint16Array,
      int32: Int32Array,
    };
    const Elements = arrays[elementType as keyof typeof arrays];
    initializers.push({
      name,
      elementType,
      dims,
      data: Elements.from(data),
    } as unknown as OnnxTensor);
    return name;
  };
  return {
    constant,
    node(
      opType: string,
      taken: readonly string[],
      output: string,
      attributes: Record<string, OnnxAttribute> = {},
      domain = '',
    ) {
      nodes.push({
        name: `/${output}/${opType}`,
        opType,
        domain,
        inputs: taken,
        outputs: [output],
        attributes: new Map(Object.entries(attributes)),
      });
      return output;
    },
    bytes: (outputs: readonly Value[]) =>
      encodeOnnx({
        irVersion: 10,
        producer: '',
        opsets: new Map([
          ['', opset],
          ['com.microsoft', 1],
        ]),
        metadata: new Map(),
        graph: { name: 'net', nodes, initializers, inputs, outputs },
      }),
  };
}

/** A sequence of numbers that covers [−1, 1] evenly. */
const numbers = (length: number, seed = 0) =>
  Float32Array.from({ length }, (_, index) => (((index + 1 + 7 * seed) * 0.618034) % 1) * 2 - 1);
const words = (length: number, seed = 0) =>
  Array.from(numbers(length, seed), (value) => Math.trunc(value * 127));

async function outputsOf(
  bytes: Uint8Array,
  network: Network,
  samples: Float32Array,
  level: 'all' | 'disabled',
) {
  const session = await InferenceSession.create(bytes, {
    graphOptimizationLevel: level,
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  const length = sampleLength(network);
  const found: number[] = [];
  for (let first = 0; first < samples.length; first += length) {
    let place = first;
    const feeds = Object.fromEntries(
      networkInputs(network).map(({ name, dims, elementType }) => {
        const own = samples.slice(place, place + dims.reduce((product, size) => product * size, 1));
        place += own.length;
        const data =
          elementType === 'uint8'
            ? Uint8Array.from(own)
            : elementType === 'int8'
              ? Int8Array.from(own)
              : own;
        return [name, new Tensor(elementType as 'float32', data as Float32Array, dims)];
      }),
    );
    const results = await session.run(feeds);
    for (const { name } of networkOutputs(network))
      found.push(...Array.from(results[name].data as Float32Array, Number));
  }
  await session.release();
  return found;
}

function run(network: Network, samples: Float32Array, batch = BATCH): number[] {
  const datapath = createDatapath(network, createReferenceBackend(), batch);
  return Array.from(datapath.run(samples, samples.length / sampleLength(network)));
}

const float = (name: string, dims: readonly number[]): Value => ({
  name,
  elementType: 'float32',
  dims,
});

/** Two quantised layers, of which the second gives float32 numbers; a sequence, or one vector. */
function productWithoutQuantisation(rows: number, opType: 'MatMul' | 'Gemm') {
  const graph = graphOf([float('x', [1, ...(rows > 1 ? [rows] : []), 6])]);
  graph.constant('s', 'float32', [], [0.01]);
  graph.constant('z', 'uint8', [], [131]);
  graph.node('QuantizeLinear', ['x', 's', 'z'], 'q');
  graph.node('DequantizeLinear', ['q', 's', 'z'], 'd');
  graph.constant('w', 'int8', [6, 5], words(30));
  graph.constant('ws', 'float32', [], [0.02]);
  graph.constant('wz', 'int8', [], [0]);
  graph.node('DequantizeLinear', ['w', 'ws', 'wz'], 'wd');
  graph.node(opType, ['d', 'wd'], 'y');
  return graph.bytes([float('y', [1, ...(rows > 1 ? [rows] : []), 5])]);
}

describe('a product of integers that nothing quantises', () => {
  for (const [rows, opType] of [
    [1, 'Gemm'],
    [1, 'MatMul'],
    [4, 'MatMul'],
  ] as const) {
    test(`${opType}, ${rows} rows: as onnxruntime`, async () => {
      const bytes = productWithoutQuantisation(rows, opType);
      const network = readNetwork(bytes);
      expect(network.layers.map(({ kind }) => kind)).toEqual([
        rows > 1 ? 'convolution' : 'fully-connected',
      ]);
      const samples = numbers(4 * sampleLength(network));
      expect(run(network, samples)).toEqual(await outputsOf(bytes, network, samples, 'all'));
    });
  }

  test('clips its accumulators', () => {
    const network = readNetwork(productWithoutQuantisation(1, 'Gemm'));
    const [{ name }] = network.layers;
    const samples = numbers(5 * sampleLength(network));
    const datapath = createDatapath(network, createReferenceBackend(), BATCH);
    const plain = datapath.run(samples, 5);
    const thresholds = new Int32Array(5).fill(1000);
    const factor = Math.fround(Math.fround(0.01) * Math.fround(0.02));
    datapath.setActivationUnits(
      new Map([[name, { format: 'int8', clip: { mode: 'clip-zero', thresholds } }]]),
    );
    const clipped = Array.from(plain, (value) => (value > Math.fround(1000 * factor) ? 0 : value));
    expect(Array.from(datapath.run(samples, 5))).toEqual(clipped);
  });
});

/** A convolution in float32 on int8 words, with a second input that is added to its result, and two outputs. */
function weightOnlyNetwork(): Uint8Array {
  const graph = graphOf([float('x', [1, 2, 5, 4]), float('a', [1, 3, 5, 4])]);
  graph.constant('w', 'int8', [3, 2, 3, 3], words(54, 3));
  graph.constant('ws', 'float32', [3], [0.01, 0.02, 0.03]);
  graph.constant('wz', 'int8', [3], [0, 0, 0]);
  const axis = { axis: { type: 'int', value: 0 } } as const;
  graph.node('DequantizeLinear', ['w', 'ws', 'wz'], 'wd', axis);
  graph.constant('b', 'float32', [3], [0.5, -0.5, 0.25]);
  graph.node('Conv', ['x', 'wd', 'b'], 'c', { pads: { type: 'ints', value: [1, 1, 1, 1] } });
  graph.node('Relu', ['c'], 'r');
  graph.node('Add', ['r', 'a'], 'sum');
  graph.node('Transpose', ['sum'], 't', { perm: { type: 'ints', value: [0, 3, 1, 2] } });
  return graph.bytes([float('sum', [1, 3, 5, 4]), float('t', [1, 4, 3, 5])]);
}

describe('a convolution of float32 numbers with int8 words', () => {
  const bytes = weightOnlyNetwork();
  const network = readNetwork(bytes);
  const samples = numbers(7 * sampleLength(network));

  test('keeps the words, and computes what they stand for', async () => {
    expect(network.format).toBe('int8');
    expect(Array.from(storedWords(network)).length).toBe(54);
    const expected = await outputsOf(bytes, network, samples, 'disabled');
    const found = run(network, samples);
    for (const [index, value] of found.entries()) expect(value).toBeCloseTo(expected[index], 5);
  });

  test('reads faulty words as the network with them written into it, from wherever a run starts', () => {
    const patch = fc.uniqueArray(fc.nat(53), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(patch, fc.nat(255), (chosen, word) => {
        const weights = Uint32Array.from(chosen).sort();
        const patches = {
          weights,
          words: Uint32Array.from(weights, (_, at) => (word + 31 * at) & 255),
          effectiveFaults: weights.length,
        };
        const expected = run(
          withWords(network as Extract<Network, { format: 'int8' }>, patches),
          samples,
        );
        const datapath = createDatapath(network, createReferenceBackend(), BATCH);
        const recording = createRecording(network, 7, Number.POSITIVE_INFINITY);
        const numbersOf = Uint32Array.from({ length: 7 }, (_, image) => image);
        recordRun(datapath, recording, samples, numbersOf);
        datapath.setDisturbance({ weights: patches });
        expect(Array.from(datapath.run(samples, 7))).toEqual(expected);
        const differing = differingLayers(network, { weights: patches })!;
        expect(
          Array.from(runFrom(datapath, recording, numbersOf, differing, () => samples)),
        ).toEqual(expected);
      }),
      { numRuns: 20 },
    );
  });

  test('computes samples one by one as together', () => {
    expect(run(network, samples, 1)).toEqual(run(network, samples, 7));
  });
});

describe('integers in the file', () => {
  for (const [type, zeroPoint] of [
    ['uint8', 120],
    ['int8', -8],
  ] as const) {
    test(`${type} inputs and outputs are the numbers themselves`, async () => {
      const graph = graphOf([{ name: 'q', elementType: type, dims: [1, 2, 4, 4] }]);
      graph.constant('s', 'float32', [], [0.02]);
      graph.constant('z', type, [], [zeroPoint]);
      graph.node('DequantizeLinear', ['q', 's', 'z'], 'd');
      graph.node('MaxPool', ['d'], 'm', { kernel_shape: { type: 'ints', value: [2, 2] } });
      graph.node('QuantizeLinear', ['m', 's', 'z'], 'p');
      const bytes = graph.bytes([{ name: 'p', elementType: type, dims: [1, 2, 3, 3] }]);
      const network = readNetwork(bytes);
      const offset = type === 'int8' ? 128 : 0;
      const samples = Float32Array.from(
        numbers(3 * 32),
        (value) => Math.floor((value + 1) * 127) - offset,
      );
      expect(run(network, samples)).toEqual(await outputsOf(bytes, network, samples, 'disabled'));
    });
  }

  test('of 16 bits are float32 numbers on their grid', async () => {
    const graph = graphOf([float('x', [1, 9])], 21);
    graph.constant('s', 'float32', [], [0.0001]);
    graph.constant('z', 'uint16', [], [30000]);
    graph.node('QuantizeLinear', ['x', 's', 'z'], 'q');
    graph.node('DequantizeLinear', ['q', 's', 'z'], 'y');
    const bytes = graph.bytes([float('y', [1, 9])]);
    const network = readNetwork(bytes);
    const samples = Float32Array.from(numbers(4 * 9), (value) => value * 5);
    expect(run(network, samples)).toEqual(await outputsOf(bytes, network, samples, 'disabled'));
  });
});

test('a quantisation that is no ReLU behind a ReLU leaves the group in float32', async () => {
  const graph = graphOf([float('x', [1, 2, 4, 4])]);
  graph.constant('s', 'float32', [], [0.02]);
  graph.constant('z', 'int8', [], [3]);
  graph.node('QuantizeLinear', ['x', 's', 'z'], 'q');
  graph.node('DequantizeLinear', ['q', 's', 'z'], 'd');
  graph.constant('w', 'int8', [2, 2, 1, 1], [50, -40, 100, 27]);
  graph.constant('wz', 'int8', [], [0]);
  graph.node('DequantizeLinear', ['w', 's', 'wz'], 'wd');
  graph.node('Conv', ['d', 'wd'], 'c');
  graph.node('Relu', ['c'], 'r');
  graph.node('QuantizeLinear', ['r', 's', 'z'], 'p');
  graph.node('DequantizeLinear', ['p', 's', 'z'], 'y');
  const bytes = graph.bytes([float('y', [1, 2, 4, 4])]);
  const network = readNetwork(bytes);
  expect(network.layers.map(({ kind }) => kind)).toEqual(['dequantize', 'convolution', 'quantize']);
  const samples = numbers(4 * 32);
  expect(run(network, samples)).toEqual(await outputsOf(bytes, network, samples, 'disabled'));
});
