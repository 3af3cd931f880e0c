import { expect, test } from 'vitest';
import { prepareGraph } from '../../models/graph/prepare/prepare.js';
import { decodeOnnx, type OnnxModel, type OnnxNode, type OnnxTensor } from '../../models/index.js';
import { extractIsland } from '../../models/islands/extract.js';
import { constant, int, ints, node, numbers } from '../sim/islands.js';

function f32(name: string, ...dims: number[]) {
  return { name, elementType: 'float32', dims } as const;
}

function graphOf(
  nodes: readonly OnnxNode[],
  inputs: OnnxModel['graph']['inputs'],
  outputs: OnnxModel['graph']['outputs'],
  initializers: readonly OnnxTensor[],
) {
  return prepareGraph(
    {
      irVersion: 3,
      producer: '',
      opsets: new Map([
        ['', 13],
        ['com.microsoft', 1],
      ]),
      metadata: new Map(),
      graph: { name: 'test', nodes, initializers, inputs, outputs },
    },
    'net.onnx',
  );
}

function int8(name: string, dims: readonly number[], elementType: 'int8' | 'uint8' = 'int8') {
  const values = numbers(
    dims.reduce((product, size) => product * size, 1),
    200,
  );
  const data =
    elementType === 'int8' ? Int8Array.from(values) : Uint8Array.from(values, (v) => v + 100);
  return { name, dims, elementType, data } as OnnxTensor;
}

const LSTM = graphOf(
  [
    node('Transpose', ['input'], ['x'], { perm: ints(1, 0, 2) }),
    node('LSTM', ['x', 'w', 'r', 'b'], ['', 'h'], { hidden_size: int(3) }),
    node('Squeeze', ['h', 'zero'], ['s']),
    node('Gemm', ['s', 'g'], ['y']),
    node('Relu', ['s'], ['z']),
  ],
  [f32('input', 1, 5, 2)],
  [f32('y', 1, 4), f32('z', 1, 3)],
  [
    ...[constant('w', [1, 12, 2]), constant('r', [1, 12, 3]), constant('b', [1, 24])],
    ...[constant('g', [3, 4])],
    { name: 'zero', dims: [1], elementType: 'int64', data: BigInt64Array.of(0n) },
  ],
);

function nodesOf(graph: typeof LSTM, ...opTypes: string[]): OnnxNode[] {
  return graph.nodes.filter(({ opType }) => opTypes.includes(opType));
}

test('an island takes values and weights, and gives what others take of it', () => {
  const { feeds, fetches, model } = extractIsland(
    LSTM,
    nodesOf(LSTM, 'LSTM', 'Squeeze'),
    'float32',
  );
  expect(feeds.map(({ name, elementType, dims }) => [name, elementType, dims])).toEqual([
    ['x', 'float32', [5, 1, 2]],
    ['w', 'float32', [1, 12, 2]],
    ['r', 'float32', [1, 12, 3]],
  ]);
  expect(fetches).toEqual([{ name: 's', elementType: 'float32', dims: [1, 3] }]);
  const { graph, irVersion, opsets } = decodeOnnx(model, 'island');
  expect(graph.nodes.map(({ opType }) => opType)).toEqual(['LSTM', 'Squeeze']);
  expect(graph.initializers.map(({ name }) => name)).toEqual(['b', 'zero']);
  expect([irVersion, opsets.get('')]).toEqual([4, 13]);
});

test('float32 weights are a matrix of the weight memory, and int8 words cannot hold them', () => {
  const nodes = nodesOf(LSTM, 'LSTM');
  const [, w] = extractIsland(LSTM, nodes, 'float32').feeds;
  expect(w.weights?.constant).toBe('w');
  expect(w.weights?.node.opType).toBe('LSTM');
  expect(w.weights?.stored.shape).toMatchObject({
    input: { channels: 2 },
    output: { channels: 12 },
  });
  expect(w.weights?.stored.weights).toBe(LSTM.constants.get('w')?.data);
  const { feeds, model } = extractIsland(LSTM, nodes, 'int8');
  expect(feeds.map(({ name }) => name)).toEqual(['x']);
  expect(decodeOnnx(model, 'island').graph.initializers.map(({ name }) => name)).toEqual([
    ...['w', 'r', 'b'],
  ]);
});

/** A transposed convolution whose weights are stored as integers. */
function quantised(words: OnnxTensor, scales: OnnxTensor, zeroPoints: OnnxTensor, axis: number) {
  return graphOf(
    [
      node('DequantizeLinear', ['w', 's', 'z'], ['real'], { axis: int(axis) }),
      node('ConvTranspose', ['x', 'real'], ['y'], { strides: ints(2, 2) }),
    ],
    [f32('x', 1, 3, 4, 4)],
    [f32('y', 1, 2, 8, 8)],
    [words, scales, zeroPoints],
  );
}

for (const type of ['int8', 'uint8'] as const) {
  test(`${type} weights behind DequantizeLinear are stored as words, and fed as real numbers`, () => {
    const words = int8('w', [3, 2, 2, 2], type);
    const scales = { ...constant('s', [2]), data: Float32Array.of(0.5, 0.25) } as OnnxTensor;
    const zeroPoints = {
      ...int8('z', [2], type),
      data: type === 'int8' ? Int8Array.of(3, -1) : Uint8Array.of(3, 130),
    } as OnnxTensor;
    const graph = quantised(words, scales, zeroPoints, 1);
    const nodes = nodesOf(graph, 'ConvTranspose');
    const { feeds, model } = extractIsland(graph, nodes, 'int8');
    expect(feeds.map(({ name }) => name)).toEqual(['x', 'real']);
    expect(feeds[1]).toMatchObject({ elementType: 'float32', dims: [3, 2, 2, 2] });
    expect(decodeOnnx(model, 'island').graph.initializers).toEqual([]);
    const { stored } = feeds[1].weights!;
    if (!('scales' in stored)) throw new Error('no words');
    const offset = type === 'int8' ? 0 : 128;
    expect(stored.unsignedWeights).toBe(type === 'int8' ? undefined : true);
    expect(stored.weights).toEqual(
      Int8Array.from(words.data as Int8Array, (word) => word - offset),
    );
    expect(stored.shape).toMatchObject({ input: { channels: 4 }, output: { channels: 6 } });
    expect([...stored.scales]).toEqual([0.5, 0.25, 0.5, 0.25, 0.5, 0.25]);
    const zeros = [...(zeroPoints.data as Int8Array)].map((zero) => zero - offset);
    expect([...stored.zeroPoints]).toEqual([...zeros, ...zeros, ...zeros]);
    // In float32 words the same numbers.
    const [, real] = extractIsland(graph, nodes, 'float32').feeds;
    expect(real.weights?.stored.weights).toEqual(
      Float32Array.from(stored.weights, (word, index) => {
        const row = Math.floor(index / 4);
        return stored.scales[row] * (word - stored.zeroPoints[row]);
      }),
    );
  });
}

test('integer weights that nothing dequantises are words of scale 1', () => {
  const graph = graphOf(
    [node('Cast', ['x'], ['i'], { to: int(3) }), node('MatMulInteger', ['i', 'w'], ['y'])],
    [f32('x', 1, 4)],
    [{ name: 'y', elementType: 'int32', dims: [1, 3] }],
    [int8('w', [4, 3])],
  );
  const { feeds } = extractIsland(graph, graph.nodes, 'int8');
  expect(feeds[1]).toMatchObject({ name: 'w', elementType: 'int8', dims: [4, 3] });
  const { stored } = feeds[1].weights!;
  expect(stored).toMatchObject({
    scales: new Float32Array(4).fill(1),
    zeroPoints: new Int32Array(4),
  });
  expect(extractIsland(graph, graph.nodes, 'float32').feeds.map(({ name }) => name)).toEqual(['x']);
});

test('nodes that make constants of constants come along', () => {
  const graph = graphOf(
    [
      node('DequantizeLinear', ['b', 's'], ['bias']),
      node('ConvTranspose', ['x', 'w', 'bias'], ['y']),
    ],
    [f32('x', 1, 1, 2, 2)],
    [f32('y', 1, 2, 3, 3)],
    [
      constant('w', [1, 2, 2, 2]),
      { name: 'b', dims: [2], elementType: 'int32', data: Int32Array.of(3, 4) },
      { ...constant('s', []), data: Float32Array.of(0.5) } as OnnxTensor,
    ],
  );
  const { feeds, model } = extractIsland(graph, nodesOf(graph, 'ConvTranspose'), 'float32');
  expect(feeds.map(({ name }) => name)).toEqual(['x', 'w']);
  expect(decodeOnnx(model, 'island').graph.nodes.map(({ opType }) => opType)).toEqual([
    ...['DequantizeLinear', 'ConvTranspose'],
  ]);
});

test('random numbers are refused: no trial could be repeated', () => {
  const graph = graphOf(
    [node('RandomNormalLike', ['x'], ['r']), node('Add', ['x', 'r'], ['y'])],
    [f32('x', 1, 4)],
    [f32('y', 1, 4)],
    [],
  );
  expect(() => extractIsland(graph, graph.nodes, 'float32')).toThrow(
    'net.onnx: node "r" (RandomNormalLike) draws random numbers',
  );
});
