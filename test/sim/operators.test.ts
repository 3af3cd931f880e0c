import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { loadKernels } from '../../kernels/index.js';
import {
  encodeOnnx,
  type OnnxAttribute,
  type OnnxNode,
  type OnnxTensor,
  readNetwork,
} from '../../models/index.js';
import { createNetworkDatapath } from '../../sim/index.js';

type Attributes = Readonly<Record<string, number | readonly number[] | string>>;

interface Case {
  readonly nodes: readonly OnnxNode[];
  readonly constants?: readonly OnnxTensor[];
  /** Of the input "x". */
  readonly dims: readonly number[];
  readonly opset?: number;
  /** Kinds of the layers that it is read as. */
  readonly kinds: readonly string[];
  /** The values of the input; default: around 0. */
  readonly values?: (index: number) => number;
}

const real = (value: number): OnnxAttribute => ({ type: 'float', value: Math.fround(value) });

/** Numbers that are no integers are floats; `alpha` and the like always are. */
const FLOATS = /^(alpha|beta|bias|epsilon|gamma)$/;

function attributeOf(name: string, value: Attributes[string]): OnnxAttribute {
  if (typeof value === 'string') return { type: 'string', value };
  if (typeof value !== 'number') return { type: 'ints', value };
  return FLOATS.test(name) ? real(value) : { type: 'int', value };
}

function node(
  opType: string,
  inputs: readonly string[],
  attributes: Attributes = {},
  output = 'y',
  domain = '',
): OnnxNode {
  const entries = Object.entries(attributes).map(
    ([name, value]) => [name, attributeOf(name, value)] as const,
  );
  const [outputs, name] = [[output], `${opType}_${output}`];
  return { name, opType, domain, inputs, outputs, attributes: new Map(entries) };
}

function floats(name: string, dims: readonly number[], values?: readonly number[]): OnnxTensor {
  const length = dims.reduce((product, size) => product * size, 1);
  const data = Float32Array.from({ length }, (_, index) => values?.[index] ?? wave(index + 7) / 2);
  return { name, elementType: 'float32', dims, data };
}

function integers(name: string, values: readonly number[]): OnnxTensor {
  const data = BigInt64Array.from(values, BigInt);
  return { name, elementType: 'int64', dims: [values.length], data };
}

/** A low-discrepancy sequence in −3…3. */
function wave(index: number): number {
  return ((((index + 1) * 0.618034) % 1) - 0.5) * 6;
}

const MAP = [1, 6, 3, 4] as const;
const SEQUENCE = [1, 5, 8] as const;
const VECTOR = [1, 12] as const;
const MICROSOFT = 'com.microsoft';

const one = (
  opType: string,
  attributes: Attributes = {},
  rest: Partial<Case> = {},
  kinds: readonly string[] = ['function'],
): Case => ({ nodes: [node(opType, ['x'], attributes)], dims: MAP, kinds, ...rest });

/** An operator of the input and a constant of some dimensions, or of the constant and the input. */
const beside = (opType: string, dims: readonly number[], isLeft = false): Case => ({
  nodes: [node(opType, isLeft ? ['c', 'x'] : ['x', 'c'])],
  constants: [floats('c', dims)],
  dims: MAP,
  kinds: ['binary'],
});

const reduced = (opType: string, axes: readonly number[], keepdims: 0 | 1, opset = 20): Case => {
  const isInput = opset >= (opType === 'ReduceSum' ? 13 : 18);
  return {
    nodes: [node(opType, isInput ? ['x', 'axes'] : ['x'], { keepdims, ...(!isInput && { axes }) })],
    constants: isInput ? [integers('axes', axes)] : [],
    dims: MAP,
    opset,
    kinds: ['reduce'],
  };
};

const normalized = (
  opType: string,
  dims: readonly number[],
  length: readonly number[],
  attributes: Attributes = {},
  opset = 20,
): Case => ({
  nodes: [node(opType, ['x', 'scale', 'bias'], { epsilon: 0.01, ...attributes })],
  constants: [floats('scale', length), floats('bias', length)],
  dims,
  opset,
  kinds: ['normalize'],
});

const CASES: Readonly<Record<string, Case>> = {
  'Elu with alpha': one('Elu', { alpha: 0.7 }),
  'Selu with alpha and gamma': one('Selu', { alpha: 1.5, gamma: 0.9 }),
  'HardSigmoid with beta alone': one('HardSigmoid', { beta: 0.3 }),
  'HardSwish of a sequence': one('HardSwish', {}, { dims: SEQUENCE }),
  'Gelu by tanh': one('Gelu', { approximate: 'tanh' }),
  'Softplus of five dimensions': one('Softplus', {}, { dims: [1, 2, 3, 2, 2] }),
  'QuickGelu without alpha': {
    ...one('QuickGelu'),
    nodes: [node('QuickGelu', ['x'], {}, 'y', MICROSOFT)],
  },
  'Add of a number': beside('Add', []),
  'Add of a vector along the last axis': beside('Add', [4]),
  'Sub of a number for each channel': beside('Sub', [6, 1, 1]),
  'Sub from a map': beside('Sub', [...MAP], true),
  'Div by rows': beside('Div', [1, 1, 3, 1]),
  'Mul with more dimensions than the input': beside('Mul', [1, 1, 6, 1, 1]),
  'PRelu with a slope for each channel': beside('PRelu', [6, 1, 1]),
  'Min with a constant on the left': beside('Min', [1], true),
  'Pow with a constant': {
    ...beside('Pow', []),
    constants: [floats('c', [], [2])],
  },
  'Max of three': {
    nodes: [node('Max', ['x', 'a', 'b'])],
    constants: [floats('a', [6, 1, 1]), floats('b', [4])],
    dims: MAP,
    kinds: ['binary', 'binary'],
  },
  'Sum of one': {
    nodes: [node('Neg', ['x'], {}, 'n'), node('Sum', ['n'])],
    dims: MAP,
    kinds: ['function'],
  },
  'Mean of three': {
    nodes: [
      node('Neg', ['x'], {}, 'n'),
      node('Abs', ['x'], {}, 'a'),
      node('Mean', ['x', 'n', 'a']),
    ],
    dims: MAP,
    kinds: ['function', 'function', 'binary', 'binary', 'binary'],
  },
  'squeeze and excite': {
    nodes: [
      node('GlobalAveragePool', ['x'], {}, 'm'),
      node('Sigmoid', ['m'], {}, 's'),
      node('Mul', ['s', 'x']),
    ],
    dims: MAP,
    kinds: ['global-average-pool', 'function', 'binary'],
  },
  'a map and its means over channels': {
    nodes: [node('ReduceMean', ['x', 'axes'], {}, 'm'), node('Sub', ['x', 'm'])],
    constants: [integers('axes', [1])],
    dims: MAP,
    kinds: ['reduce', 'binary'],
  },
  'rows beside columns': {
    nodes: [
      node('ReduceMax', ['x', 'rows'], {}, 'a'),
      node('ReduceMin', ['x', 'columns'], {}, 'b'),
      node('Add', ['a', 'b']),
    ],
    constants: [integers('rows', [1, 2]), integers('columns', [1, 3])],
    dims: MAP,
    kinds: ['reduce', 'reduce', 'binary'],
  },
  'normalisation by the root of squares': {
    nodes: [node('ReduceL2', ['x', 'axes'], {}, 'n'), node('Div', ['x', 'n'])],
    constants: [integers('axes', [1])],
    dims: VECTOR,
    kinds: ['reduce', 'binary'],
  },
  'ReduceMean of positions, as an attribute': reduced('ReduceMean', [2, 3], 1, 13),
  'ReduceMean of positions, without them': reduced('ReduceMean', [2, 3], 0),
  'ReduceSum of channels, without them': reduced('ReduceSum', [1], 0),
  'ReduceMax of rows, without them': reduced('ReduceMax', [-2], 0, 13),
  'ReduceSum of the batch, without it': reduced('ReduceSum', [0], 0),
  'ReduceMean of the batch and rows, without them': reduced('ReduceMean', [0, 2], 0),
  'ReduceMin of all': reduced('ReduceMin', [0, 1, 2, 3], 0),
  'ReduceProd of columns': reduced('ReduceProd', [3], 1),
  'ReduceL1 of columns and channels': reduced('ReduceL1', [3, 1], 0),
  GlobalMaxPool: one('GlobalMaxPool', {}, {}, ['reduce']),
  'ArgMax of channels': {
    nodes: [
      node('ArgMax', ['x'], { axis: 1, keepdims: 0 }, 'place'),
      node('Cast', ['place'], { to: 1 }),
    ],
    dims: MAP,
    kinds: ['arg', 'island'],
  },
  'Softmax of channels': one('Softmax', { axis: 1 }, {}, ['softmax']),
  'Softmax of the last axis, the default': one('Softmax', {}, {}, ['softmax']),
  'Softmax of all from an axis on, before operator set 13': one(
    'Softmax',
    { axis: 2 },
    { opset: 12 },
    ['softmax'],
  ),
  'LogSoftmax of a vector': one('LogSoftmax', { axis: -1 }, { dims: VECTOR }, ['softmax']),
  'LayerNormalization of a sequence': normalized('LayerNormalization', SEQUENCE, [8]),
  'LayerNormalization of all from an axis on': normalized('LayerNormalization', MAP, [6, 3, 4], {
    axis: 1,
  }),
  'InstanceNormalization of a map': normalized('InstanceNormalization', MAP, [6]),
  'InstanceNormalization of a sequence': normalized('InstanceNormalization', SEQUENCE, [5]),
  'GroupNormalization by groups': normalized('GroupNormalization', MAP, [3], { num_groups: 3 }, 18),
  'GroupNormalization by channels': normalized(
    'GroupNormalization',
    MAP,
    [6],
    { num_groups: 2 },
    21,
  ),
  'Slice of a map, by attributes': one(
    'Slice',
    { starts: [1, 0], ends: [5, 2], axes: [1, 2] },
    { opset: 9 },
    ['gather'],
  ),
  'Slice of rows backwards': {
    nodes: [node('Slice', ['x', 'starts', 'ends', 'axes', 'steps'])],
    constants: [
      integers('starts', [-1, 1]),
      integers('ends', [-4, 4]),
      integers('axes', [2, 3]),
      integers('steps', [-2, 2]),
    ],
    dims: MAP,
    kinds: ['gather'],
  },
  'Split of channels, joined in another order': {
    nodes: [
      { ...node('Split', ['x', 'sizes'], { axis: 1 }), outputs: ['a', 'b', 'c'] },
      node('Concat', ['c', 'a', 'b'], { axis: 1 }),
    ],
    constants: [integers('sizes', [1, 3, 2])],
    dims: MAP,
    kinds: ['gather', 'gather', 'gather', 'concat'],
  },
  'Split into as many parts as outputs, of which one is used': {
    nodes: [{ ...node('Split', ['x'], { axis: 3, num_outputs: 3 }), outputs: ['a', 'y', 'c'] }],
    dims: [1, 4, 3, 5],
    kinds: ['gather'],
  },
  'Pad of a map with a number': {
    nodes: [node('Pad', ['x', 'pads', 'value'])],
    constants: [
      integers('pads', [0, 0, 1, 2, 0, 1, 0, 3]),
      floats('value', [], [0.4740000069141388]),
    ],
    dims: MAP,
    kinds: ['gather'],
  },
  'Pad of a map before operator set 11': one(
    'Pad',
    { pads: [0, 0, 1, 1, 0, 0, 1, 1] },
    { opset: 10 },
    ['gather'],
  ),
  'Pad by reflection, along given axes': {
    nodes: [node('Pad', ['x', 'pads', '', 'axes'], { mode: 'reflect' })],
    constants: [integers('pads', [2, 1, 1, 3]), integers('axes', [2, 3])],
    dims: MAP,
    kinds: ['gather'],
  },
  'Pad with the edges of a sequence, and fewer values': {
    nodes: [node('Pad', ['x', 'pads'], { mode: 'edge' })],
    constants: [integers('pads', [0, 2, 3, 0, 1, 2])],
    dims: SEQUENCE,
    kinds: ['gather'],
  },
  'Pad around': {
    nodes: [node('Pad', ['x', 'pads'], { mode: 'wrap' })],
    constants: [integers('pads', [0, 0, 1, 2, 0, 0, 2, 1])],
    dims: MAP,
    kinds: ['gather'],
  },
  'Pad that takes values away': {
    nodes: [node('Pad', ['x', 'pads'])],
    constants: [integers('pads', [0, -1, 1, 0, 0, 0, -1, -2])],
    dims: MAP,
    kinds: ['gather'],
  },
  'Gather of channels, a negative one too': {
    nodes: [node('Gather', ['x', 'places'], { axis: 1 })],
    constants: [integers('places', [5, 0, -2, 0])],
    dims: MAP,
    kinds: ['gather'],
  },
  'Gather of one step of a sequence': {
    nodes: [node('Gather', ['x', 'place'], { axis: 1 })],
    constants: [{ name: 'place', elementType: 'int64', dims: [], data: BigInt64Array.of(-1n) }],
    dims: SEQUENCE,
    kinds: ['gather'],
  },
  'DepthToSpace by columns first': one('DepthToSpace', { blocksize: 2 }, { dims: [1, 8, 3, 2] }, [
    'gather',
  ]),
  'DepthToSpace by rows first': one(
    'DepthToSpace',
    { blocksize: 2, mode: 'CRD' },
    { dims: [1, 8, 3, 2] },
    ['gather'],
  ),
  SpaceToDepth: one('SpaceToDepth', { blocksize: 2 }, { dims: [1, 3, 4, 6] }, ['gather']),
  'Expand of a vector to a matrix': {
    nodes: [node('Expand', ['x', 'shape'])],
    constants: [integers('shape', [1, 3, 12])],
    dims: [1, 1, 12],
    kinds: ['gather'],
  },
  'Tile of a map': {
    nodes: [node('Tile', ['x', 'repeats'])],
    constants: [integers('repeats', [1, 2, 1, 3])],
    dims: MAP,
    kinds: ['gather'],
  },
  'a map cut apart between convolutional layouts': {
    nodes: [
      node('MaxPool', ['x'], { kernel_shape: [2, 2] }, 'm'),
      node('Slice', ['m', 'starts', 'ends', 'axes'], {}, 's'),
      node('MaxPool', ['s'], { kernel_shape: [1, 2] }),
    ],
    constants: [integers('starts', [2]), integers('ends', [6]), integers('axes', [1])],
    dims: MAP,
    kinds: ['max-pool', 'gather', 'max-pool'],
  },
  LRN: one('LRN', { size: 3, alpha: 0.02 }, {}, ['response']),
};

function encoded({ nodes, constants = [], dims, opset = 20 }: Case, input = 'x'): Uint8Array {
  return encodeOnnx({
    irVersion: 8,
    producer: 'bitcell-test',
    opsets: new Map([
      ['', opset],
      [MICROSOFT, 1],
    ]),
    metadata: new Map(),
    graph: {
      name: 'graph',
      nodes,
      initializers: constants,
      inputs: [{ name: input, elementType: 'float32', dims }],
      outputs: [{ name: 'y', elementType: 'float32', dims: undefined }],
    },
  });
}

async function onnxruntime(
  bytes: Uint8Array,
  dims: readonly number[],
  values: Float32Array,
  level: 'disabled' | 'all',
): Promise<number[]> {
  const session = await InferenceSession.create(bytes, {
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
    graphOptimizationLevel: level,
  });
  const results = await session.run({ x: new Tensor('float32', values, dims) });
  await session.release();
  return Array.from(results.y.data as Float32Array);
}

function inputOf({ dims, values = wave }: Case, sample = 0): Float32Array {
  const length = dims.reduce((product, size) => product * size, 1);
  return Float32Array.from({ length }, (_, index) => values(index + 1000 * sample));
}

describe('operators without weights, against onnxruntime', () => {
  const kernels = loadKernels();
  for (const [name, one] of Object.entries(CASES)) {
    test(`${name}, in float32`, async () => {
      const bytes = encoded(one);
      const network = readNetwork(bytes, 'one');
      expect(network.layers.map(({ kind }) => kind).filter((kind) => kind !== 'transpose')).toEqual(
        one.kinds,
      );
      const inputs = [0, 1].map((sample) => inputOf(one, sample));
      const both = Float32Array.from(inputs.flatMap((values) => [...values]));
      const outputs = createNetworkDatapath(network, kernels, 2).run(both, 2);
      const expected: number[] = [];
      for (const values of inputs) {
        expected.push(...(await onnxruntime(bytes, one.dims, values, 'disabled')));
      }
      expect(outputs.length).toBe(expected.length);
      const largest = Math.max(1, ...expected.map(Math.abs));
      for (const [index, value] of expected.entries()) {
        expect(Math.abs(outputs[index] - value) / largest).toBeLessThanOrEqual(2e-6);
      }
    });
  }
});

const scale = (name: string, value: number): OnnxTensor => floats(name, [], [value]);
const zero = (name: string, value: number): OnnxTensor => ({
  ...{ name, elementType: 'uint8' as const, dims: [] },
  data: Uint8Array.of(value),
});

/** A case between QuantizeLinear and DequantizeLinear nodes. */
function quantized(one: Case): Case {
  const inner = one.nodes.map((node) => ({
    ...node,
    inputs: node.inputs.map((name) => (name === 'x' ? 'x_real' : name)),
    outputs: node.outputs.map((name) => (name === 'y' ? 'y_real' : name)),
  }));
  return {
    ...one,
    nodes: [
      node('QuantizeLinear', ['x', 'x_scale', 'x_zero'], {}, 'x_q'),
      node('DequantizeLinear', ['x_q', 'x_scale', 'x_zero'], {}, 'x_real'),
      ...inner,
      node('QuantizeLinear', ['y_real', 'y_scale', 'y_zero'], {}, 'y_q'),
      node('DequantizeLinear', ['y_q', 'y_scale', 'y_zero']),
    ],
    constants: [
      ...(one.constants ?? []),
      ...[
        scale('x_scale', 0.0237),
        zero('x_zero', 131),
        scale('y_scale', 0.0311),
        zero('y_zero', 99),
      ],
    ],
  };
}

/** What is exact on quantised values: no sum in float32 whose order counts. */
const QUANTIZED = [
  'HardSigmoid with beta alone',
  'HardSwish of a sequence',
  'Gelu by tanh',
  'QuickGelu without alpha',
  'Add of a number',
  'Add of a vector along the last axis',
  'Sub of a number for each channel',
  'Sub from a map',
  'Div by rows',
  'Mul with more dimensions than the input',
  'PRelu with a slope for each channel',
  'Min with a constant on the left',
  'Pow with a constant',
  'ReduceMax of rows, without them',
  'ReduceMin of all',
  'Slice of rows backwards',
  'Split of channels, joined in another order',
  'Pad of a map with a number',
  'Pad by reflection, along given axes',
  'Gather of channels, a negative one too',
  'DepthToSpace by rows first',
  'Tile of a map',
  'Softmax of channels',
  'Softmax of the last axis, the default',
  'Softmax of all from an axis on, before operator set 13',
] as const;

describe('operators between DequantizeLinear and QuantizeLinear, equal to onnxruntime', () => {
  const kernels = loadKernels();
  for (const name of QUANTIZED) {
    test(name, async () => {
      // QuantizeLinear of numbers has one meaning in all operator sets that have it.
      const one = quantized(CASES[name]);
      const bytes = encoded(one);
      const network = readNetwork(bytes, 'one');
      expect(network.layers.every(({ kind }) => kind !== 'island')).toBe(true);
      const values = inputOf(one);
      const outputs = createNetworkDatapath(network, kernels, 1).run(values, 1);
      expect([...outputs]).toEqual(await onnxruntime(bytes, one.dims, values, 'all'));
    });
  }
});
