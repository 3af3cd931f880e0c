import { describe, expect, test } from 'vitest';
import { createReferenceBackend } from '../../kernels/index.js';
import {
  encodeOnnx,
  type Float32Network,
  type Int8Network,
  type OnnxAttribute,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  readNetwork,
} from '../../models/index.js';
import { createDatapath } from '../../sim/index.js';
import { randomInputs, runOnnx } from '../models/onnxruntime.js';

const ints = (...value: number[]): OnnxAttribute => ({ type: 'ints', value });
const int = (value: number): OnnxAttribute => ({ type: 'int', value });
const float = (value: number): OnnxAttribute => ({ type: 'float', value });
const string = (value: string): OnnxAttribute => ({ type: 'string', value });

function node(
  opType: string,
  inputs: string[],
  output: string,
  attributes: Record<string, OnnxAttribute> = {},
  domain = '',
): OnnxNode {
  return {
    name: `${output}_node`,
    opType,
    domain,
    inputs,
    outputs: [output],
    attributes: new Map(Object.entries(attributes)),
  };
}

/** Values that differ, within ±1. */
function reals(name: string, ...dims: number[]): OnnxTensor {
  const length = dims.reduce((a, b) => a * b, 1);
  const data = Float32Array.from({ length }, (_, index) => Math.sin(index * 1.7 + name.length));
  return { name, elementType: 'float32', dims, data };
}

function scalar(name: string, value: number): OnnxTensor {
  return { name, elementType: 'float32', dims: [], data: Float32Array.of(value) };
}

function zero(name: string, value: number): OnnxTensor {
  return { name, elementType: 'uint8', dims: [], data: Uint8Array.of(value) };
}

function model(
  nodes: readonly OnnxNode[],
  initializers: readonly OnnxTensor[],
  outputs: number,
  opset = 13,
): OnnxModel {
  return {
    irVersion: 7,
    producer: 'test',
    opsets: new Map([
      ['', opset],
      ['com.microsoft', 1],
    ]),
    metadata: new Map(),
    graph: {
      name: 'graph',
      nodes,
      initializers,
      inputs: [{ name: 'input', elementType: 'float32', dims: ['batch', 2, 7, 6] }],
      outputs: [{ name: 'logits', elementType: 'float32', dims: ['batch', outputs] }],
    },
  };
}

/** What Bitcell and onnxruntime make of the same file. */
async function both(onnx: OnnxModel, level: 'disabled' | 'all' = 'disabled') {
  const bytes = encodeOnnx(onnx);
  const network = readNetwork(bytes, 'net');
  const inputs = randomInputs(network, 3, 4);
  const ours = createDatapath(network, createReferenceBackend(), 3).run(inputs, 3);
  const theirs = (await runOnnx(bytes, network, inputs, level)).get('logits') ?? [];
  return { network, ours: Array.from(ours), theirs };
}

async function expectClose(onnx: OnnxModel): Promise<Float32Network> {
  const { network, ours, theirs } = await both(onnx);
  expect(ours.length).toBe(theirs.length);
  expect(Math.max(...theirs) - Math.min(...theirs)).toBeGreaterThan(0.1);
  for (const [index, value] of ours.entries()) expect(value).toBeCloseTo(theirs[index], 4);
  return network as Float32Network;
}

const classifier = [
  node('GlobalAveragePool', ['features'], 'mean'),
  node('Flatten', ['mean'], 'flat'),
];
const kinds = ({ layers }: Float32Network | Int8Network) => layers.map(({ kind }) => kind);

describe('float32 graphs compute what onnxruntime computes', () => {
  test('MatMul with a bias added, whichever side it is on', async () => {
    for (const sides of [
      ['product', 'bias'],
      ['bias', 'product'],
    ]) {
      const nodes = [
        node('Conv', ['input', 'conv.weight'], 'features', { auto_pad: string('SAME_LOWER') }),
        ...classifier,
        node('MatMul', ['flat', 'fc.weight'], 'product'),
        node('Add', sides, 'logits'),
      ];
      const constants = [
        reals('conv.weight', 4, 2, 2, 2),
        reals('fc.weight', 4, 5),
        reals('bias', 5),
      ];
      const network = await expectClose(model(nodes, constants, 5));
      expect(kinds(network)).toEqual([
        'convolution',
        'global-average-pool',
        'flatten',
        'fully-connected',
      ]);
    }
  });

  test('batch normalisation that no weights can take up, and ReLUs of their own', async () => {
    const nodes = [
      node('BatchNormalization', ['input', 'scale', 'offset', 'mean_', 'variance'], 'normal'),
      node('Relu', ['normal'], 'active'),
      node('Conv', ['active', 'conv.weight'], 'sum', { strides: ints(2, 2) }),
      // The sum has two users, so neither can change the convolution.
      node('Relu', ['sum'], 'rectified'),
      node('LeakyRelu', ['sum'], 'leaky', { alpha: float(0.3) }),
      node('Concat', ['rectified', 'leaky', 'sum'], 'features', { axis: int(-3) }),
      ...classifier,
      node('Gemm', ['flat', 'fc.weight'], 'logits', { transB: int(1) }),
    ];
    const constants = [
      reals('scale', 2),
      reals('offset', 2),
      reals('mean_', 2),
      { ...reals('variance', 2), data: Float32Array.of(0.5, 2) } as OnnxTensor,
      reals('conv.weight', 3, 2, 3, 3),
      reals('fc.weight', 5, 9),
    ];
    const network = await expectClose(model(nodes, constants, 5));
    expect(kinds(network)).toEqual([
      'affine',
      'clip',
      'convolution',
      'clip',
      'leaky-relu',
      'concat',
      'global-average-pool',
      'flatten',
      'fully-connected',
    ]);
  });

  test('Clip with attributes (operator set 10), and pooling that rounds up', async () => {
    const pool = { kernel_shape: ints(3, 2), strides: ints(2, 2), ceil_mode: int(1) };
    const nodes = [
      node('Conv', ['input', 'conv.weight'], 'sum'),
      node('Clip', ['sum'], 'bounded', { min: float(0), max: float(0.5) }),
      node('MaxPool', ['bounded'], 'pooled', pool),
      node('Clip', ['pooled'], 'lifted', { min: float(0.25), max: float(0.4) }),
      node('AveragePool', ['lifted'], 'features', { ...pool, pads: ints(1, 0, 1, 1) }),
      ...classifier,
      node('Gemm', ['flat', 'fc.weight', 'bias'], 'logits', { transB: int(1) }),
    ];
    const constants = [
      reals('conv.weight', 3, 2, 2, 2),
      reals('fc.weight', 5, 3),
      reals('bias', 5),
    ];
    const network = await expectClose(model(nodes, constants, 5, 10));
    expect(network.layers[0]).toMatchObject({ relu: true, upper: 0.5 });
    expect(network.layers[2]).toMatchObject({ kind: 'clip', low: 0.25, high: Math.fround(0.4) });
  });

  test('a residual block, and a branch that leads nowhere is left out', async () => {
    const nodes = [
      node('Conv', ['input', 'conv.weight'], 'first', { pads: ints(1, 1, 1, 1) }),
      node('Relu', ['first'], 'active'),
      node('Conv', ['active', 'second.weight'], 'second', { auto_pad: string('SAME_UPPER') }),
      node('MaxPool', ['active'], 'unused', { kernel_shape: ints(2, 2) }),
      node('Add', ['active', 'second'], 'sum'),
      node('Relu', ['sum'], 'features'),
      ...classifier,
      node('Gemm', ['flat', 'fc.weight'], 'logits', { transB: int(1) }),
    ];
    const constants = [
      reals('conv.weight', 3, 2, 3, 3),
      reals('second.weight', 3, 3, 2, 2),
      reals('fc.weight', 5, 3),
    ];
    const network = await expectClose(model(nodes, constants, 5));
    expect(kinds(network)).toEqual([
      'convolution',
      'convolution',
      'add',
      'global-average-pool',
      'flatten',
      'fully-connected',
    ]);
    expect(network.tensors).toHaveLength(7);
    expect(network.layers[2]).toMatchObject({ relu: true, inputs: [1, 2] });
  });
});

describe('quantised graphs compute what onnxruntime computes, to the bit', () => {
  const input = [
    node('QuantizeLinear', ['input', 'x_scale', 'x_zero'], 'x'),
    node('DequantizeLinear', ['x', 'x_scale', 'x_zero'], 'x_real'),
  ];
  const scales = [
    scalar('x_scale', 0.02),
    zero('x_zero', 110),
    scalar('y_scale', 0.0125),
    zero('y_zero', 0),
    scalar('w_scale', 0.01),
  ];

  test.each([
    ['Relu', [], 0, Infinity],
    ['Clip', ['low', 'high'], -0.5, 0.75],
  ] as const)(
    'a %s between DequantizeLinear and QuantizeLinear',
    async (opType, bounds, low, high) => {
      const nodes = [
        ...input,
        node(opType, ['x_real', ...bounds], 'active'),
        node('QuantizeLinear', ['active', 'y_scale', 'x_zero'], 'y'),
        node('DequantizeLinear', ['y', 'y_scale', 'x_zero'], 'y_real'),
        node('Flatten', ['y_real'], 'flat'),
        node('QuantizeLinear', ['flat', 'y_scale', 'x_zero'], 'z'),
        node('DequantizeLinear', ['z', 'y_scale', 'x_zero'], 'logits'),
      ];
      const constants = [...scales, scalar('low', -0.5), scalar('high', 0.75)];
      const { network, ours, theirs } = await both(model(nodes, constants, 84));
      expect(network.layers[0]).toMatchObject({ kind: 'clip', low, high });
      expect(ours).toEqual(theirs);
    },
  );

  test('weights that the file quantises itself, as PyTorch exports them after training', async () => {
    const nodes = [
      ...input,
      node('QuantizeLinear', ['conv.weight', 'w_scales', 'w_zeros'], 'w', { axis: int(0) }),
      node('DequantizeLinear', ['w', 'w_scales', 'w_zeros'], 'w_real', { axis: int(0) }),
      node('Conv', ['x_real', 'w_real'], 'sum'),
      node('Relu', ['sum'], 'active'),
      node('QuantizeLinear', ['active', 'y_scale', 'y_zero'], 'y'),
      node('DequantizeLinear', ['y', 'y_scale', 'y_zero'], 'y_real'),
      node('Flatten', ['y_real'], 'flat'),
      node('QuantizeLinear', ['flat', 'y_scale', 'y_zero'], 'z'),
      node('DequantizeLinear', ['z', 'y_scale', 'y_zero'], 'logits'),
    ];
    const constants: OnnxTensor[] = [
      ...scales,
      reals('conv.weight', 3, 2, 2, 2),
      {
        name: 'w_scales',
        elementType: 'float32',
        dims: [3],
        data: Float32Array.of(0.01, 7e-3, 0.02),
      },
      { name: 'w_zeros', elementType: 'int8', dims: [3], data: new Int8Array(3) },
    ];
    const { network, ours, theirs } = await both(model(nodes, constants, 90), 'all');
    expect(network.layers[0].name).toBe('conv');
    expect(new Set(theirs).size).toBeGreaterThan(20);
    expect(ours).toEqual(theirs);
  });
});
