import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ModelError, sha256Hex } from '../../core/index.js';
import {
  decodeOnnx,
  encodeOnnx,
  type Float32Network,
  type Int8Network,
  type OnnxAttribute,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  quantizeNetwork,
  readNetwork,
  weightedLayers,
  writeFloat32,
  writeQdq,
} from '../../models/index.js';
import { randomInputs, runOnnx } from './onnxruntime.js';

const ints = (...value: number[]): OnnxAttribute => ({ type: 'ints', value });
const int = (value: number): OnnxAttribute => ({ type: 'int', value });
const float = (value: number): OnnxAttribute => ({ type: 'float', value });

function node(
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
function reals(name: string, ...dims: number[]): OnnxTensor {
  const length = dims.reduce((a, b) => a * b, 1);
  const data = Float32Array.from({ length }, (_, index) => Math.sin(index * 1.7 + name.length));
  return { name, elementType: 'float32', dims, data };
}

function int64s(name: string, ...values: number[]): OnnxTensor {
  return {
    name,
    elementType: 'int64',
    dims: [values.length],
    data: BigInt64Array.from(values, BigInt),
  };
}

/** A network as PyTorch exports it: batch normalisation apart, a Dropout, Reshape for flattening. */
const layers: readonly OnnxNode[] = [
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
const initializers: readonly OnnxTensor[] = [
  reals('conv1.weight', 3, 2, 3, 3),
  reals('norm.weight', 3),
  reals('norm.bias', 3),
  reals('norm.mean', 3),
  { name: 'norm.var', elementType: 'float32', dims: [3], data: Float32Array.of(0.5, 1, 4) },
  int64s('shape', 0, -1),
  reals('onnx::Gemm_12', 12, 5),
  reals('fc1.bias', 5),
];
const plain: OnnxModel = {
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
function changed(
  replacements: Record<string, Partial<OnnxNode>>,
  graph: Partial<OnnxModel['graph']> = {},
): OnnxModel {
  const nodes = plain.graph.nodes.map((original) => ({
    ...original,
    ...replacements[original.outputs[0]],
  }));
  return { ...plain, graph: { ...plain.graph, nodes, ...graph } };
}

function read(model: OnnxModel): Float32Network {
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

const refusal = (model: OnnxModel) => messageOf(() => readNetwork(encodeOnnx(model), 'net'));

describe('readNetwork', () => {
  test('names layers by their weights, or else by their nodes', () => {
    expect(read(plain).layers.map(({ name, kind }) => [name, kind])).toEqual([
      ['conv1', 'convolution'],
      ['features.pool1', 'max-pool'],
      ['reshape', 'flatten'],
      ['fc1', 'fully-connected'],
    ]);
  });

  test('numbers layers that would share a name', () => {
    const nodes = [
      node('Relu', ['a'], 'b'),
      node('MaxPool', ['b'], 'c', { kernel_shape: ints(1, 1) }, 'pool'),
      node('MaxPool', ['c'], 'd', { kernel_shape: ints(1, 1) }, 'pool'),
    ];
    const first = node('Conv', ['input', 'conv1.weight'], 'a');
    const { layers } = read(
      changed(
        {},
        {
          nodes: [first, ...nodes],
          outputs: [{ name: 'd', elementType: 'float32', dims: undefined }],
        },
      ),
    );
    expect(layers.map(({ name }) => name)).toEqual(['conv1', 'pool', 'pool_2']);
  });

  test('keeps what batch normalisation computes when it folds it', async () => {
    const network = read(plain);
    expect(weightedLayers(network).map(({ relu }) => relu)).toEqual([true, false]);
    const inputs = randomInputs(network, 4, 4);
    const original = await runOnnx(encodeOnnx(plain), network, inputs, 'disabled');
    const folded = await runOnnx(writeFloat32(network), network, inputs, 'disabled');
    const expected = original.get('logits')!;
    expect(Math.max(...expected) - Math.min(...expected)).toBeGreaterThan(1);
    for (const [index, value] of folded.get('logits')!.entries()) {
      expect(value).toBeCloseTo(expected[index], 4);
    }
  });

  test('takes name and checksum from the file', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'bitcell-')), 'tiny.onnx');
    const bytes = encodeOnnx(plain);
    writeFileSync(file, bytes);
    const { name, checksum } = readNetwork(file);
    expect([name, checksum]).toEqual(['tiny', sha256Hex(bytes)]);
    expect(readNetwork(bytes).name).toBe('main_graph');
    expect(readNetwork(file, 'other').name).toBe('other');
  });

  test('reads constants that are nodes, and a fixed batch', () => {
    const shape = node('Constant', [], 'shape', {
      value: { type: 'tensor', value: int64s('', 1, 12) },
    });
    const model = changed(
      {},
      {
        nodes: [shape, ...layers],
        initializers: initializers.filter(({ name }) => name !== 'shape'),
        inputs: [{ name: 'input', elementType: 'float32', dims: [1, 2, 4, 4] }],
      },
    );
    expect({ ...read(model), checksum: '' }).toEqual({ ...read(plain), checksum: '' });
  });
});

describe('readNetwork refuses', () => {
  test('a missing file', () => {
    expect(() => readNetwork('/nowhere/x.onnx')).toThrow(
      'Cannot read /nowhere/x.onnx: no such file or folder.',
    );
  });

  test('operators it does not know, by node', () => {
    expect(refusal(changed({ relu: { opType: 'Sigmoid', name: 'act1' } }))).toBe(
      'net: node "act1" (Sigmoid) is an unsupported operator; Bitcell reads Conv, Gemm, MatMul, BatchNormalization, Relu, Clip, LeakyRelu, MaxPool, AveragePool, GlobalAveragePool, Add, Concat, Flatten, Reshape, Identity, Dropout, Constant',
    );
    expect(refusal(changed({ relu: { domain: 'com.example' } }))).toMatch(
      /^net: node "relu" \(com\.example\.Relu\) is an unsupported operator; /,
    );
  });

  test.each<[string, OnnxModel, string]>([
    [
      'a missing initialiser',
      changed({}, { initializers: initializers.slice(1) }),
      'net: node "/conv1/Conv_output" (Conv) takes "conv1.weight", which is neither an initialiser nor made by an earlier node',
    ],
    [
      'weights of another type',
      changed(
        {},
        {
          initializers: [
            {
              ...reals('', 3, 2, 3, 3),
              name: 'conv1.weight',
              elementType: 'int8',
              data: new Int8Array(54),
            },
            ...initializers.slice(1),
          ],
        },
      ),
      'net: node "/conv1/Conv_output" (Conv) has a weight "conv1.weight" of type int8, expected float32',
    ],
    [
      'weights of another shape',
      changed({}, { initializers: [reals('conv1.weight', 3, 3, 3, 3), ...initializers.slice(1)] }),
      'net: node "/conv1/Conv_output" (Conv) has weights of dimensions [3, 3, 3, 3], which do not fit 2 input channels in 1 groups',
    ],
    [
      'parameters for another number of channels',
      changed({
        normalized: {
          inputs: ['/conv1/Conv_output', 'fc1.bias', 'norm.bias', 'norm.mean', 'norm.var'],
        },
      }),
      'net: node "normalized" (BatchNormalization) has a scale "fc1.bias" of 5 values for 3 channels',
    ],
    [
      'an unknown kind of automatic padding',
      changed({
        '/conv1/Conv_output': {
          attributes: new Map([['auto_pad', { type: 'string', value: 'SAME' }]]),
        },
      }),
      'net: node "/conv1/Conv_output" (Conv) has auto_pad = SAME, which is not one of ONNX\'s',
    ],
    [
      'a sum of tensors of other shapes',
      changed({ kept: { opType: 'Add', inputs: ['pooled', 'relu'] } }),
      'net: node "kept" (Add) adds tensors of shapes 3×2×2 and 3×4×4, which must be equal',
    ],
    [
      'joining along another axis',
      changed({
        kept: {
          opType: 'Concat',
          inputs: ['pooled', 'pooled'],
          attributes: new Map([['axis', int(2)]]),
        },
      }),
      'net: node "kept" (Concat) has axis = 2; Bitcell supports 1 only',
    ],
    [
      'joining maps of other sizes',
      changed({ kept: { opType: 'Concat', inputs: ['pooled', 'relu'] } }),
      'net: node "kept" (Concat) joins tensors of shapes 3×2×2 and 3×4×4, which differ in more than channels',
    ],
    [
      'a constant added to something without a bias',
      changed({ kept: { opType: 'Add', inputs: ['pooled', 'fc1.bias'] } }),
      'net: node "kept" (Add) adds a constant to something that has no bias',
    ],
    [
      'bounds that are no constants',
      changed({ kept: { opType: 'Clip', inputs: ['pooled', 'relu'] } }),
      'net: node "kept" (Clip) has a min "relu" that is not one constant float',
    ],
    [
      'a window larger than its input',
      changed({ pooled: { attributes: new Map([['kernel_shape', ints(5, 2)]]) } }),
      'net: node "/features/pool1/MaxPool" (MaxPool) has a 5×2 window larger than its padded 4×4 input',
    ],
    [
      'a Gemm of other inputs',
      changed(
        {},
        {
          initializers: [
            ...initializers.slice(0, 6),
            reals('onnx::Gemm_12', 11, 5),
            reals('fc1.bias', 5),
          ],
        },
      ),
      'net: node "/fc1/Gemm" (Gemm) has weights of dimensions [11, 5], which do not fit 12 inputs',
    ],
    [
      'a scaled Gemm',
      changed({ result: { attributes: new Map([['alpha', float(0.5)]]) } }),
      'net: node "/fc1/Gemm" (Gemm) has alpha other than 1, which Bitcell does not support',
    ],
    [
      'feature maps into a Gemm',
      changed({ result: { inputs: ['pooled', 'onnx::Gemm_12', 'fc1.bias'] } }),
      'net: node "/fc1/Gemm" (Gemm) takes a tensor of 4 dimensions, expected 2 (batch included)',
    ],
    [
      'reshaping to something else',
      changed(
        {},
        {
          initializers: [
            ...initializers.slice(0, 5),
            int64s('shape', 0, 3, 4),
            ...initializers.slice(6),
          ],
        },
      ),
      'net: node "flat" (Reshape) reshapes to [0, 3, 4], but Bitcell supports only reshaping to [batch, 12]',
    ],
    [
      'an input of unknown size',
      changed({}, { inputs: [{ name: 'input', elementType: 'float32', dims: ['n', 2, 'h', 4] }] }),
      'net: input "input" has shape [n, 2, h, 4]; expected [batch, channels, height, width] or [batch, features] with fixed sizes after the batch',
    ],
    [
      'two outputs',
      changed({}, { outputs: [...plain.graph.outputs, ...plain.graph.outputs] }),
      'net has 1 inputs and 2 outputs, but Bitcell reads networks with one of each',
    ],
    [
      'an old operator set',
      { ...plain, opsets: new Map([['', 8]]) },
      'net uses operator set 8; Bitcell reads 9 and later ones',
    ],
  ])('%s', (_, model, message) => {
    expect(refusal(model)).toBe(message);
  });
});

const range = { low: -1, high: 3 };
const source = read(plain);
const quantized = quantizeNetwork(
  source,
  source.tensors.map(() => range),
);
const qdq = decodeOnnx(writeQdq(quantized), 'net');

function withTensor(name: string, change: (tensor: OnnxTensor) => OnnxTensor): OnnxModel {
  const initializers = qdq.graph.initializers.map((tensor) =>
    tensor.name === name ? change(tensor) : tensor,
  );
  return { ...qdq, graph: { ...qdq.graph, initializers } };
}
function withNode(output: string, change: Partial<OnnxNode>): OnnxModel {
  const nodes = qdq.graph.nodes.map((original) =>
    original.outputs[0] === output ? { ...original, ...change } : original,
  );
  return { ...qdq, graph: { ...qdq.graph, nodes } };
}

/** What a weight tensor stored output by input becomes when stored input by output. */
function transposed(tensor: OnnxTensor): OnnxTensor {
  const [rows, columns] = tensor.dims;
  const data = Int8Array.from(tensor.data as Int8Array, (_, index) =>
    Number(tensor.data[(index % rows) * columns + Math.floor(index / rows)]),
  );
  return { ...tensor, elementType: 'int8', dims: [columns, rows], data };
}

describe('readNetwork reads QDQ files', () => {
  test('with Gemm weights stored input by output', () => {
    const weights = withTensor('fc1.weight', transposed);
    const nodes = weights.graph.nodes.map((original) =>
      original.outputs[0] === 'fc1.weight_dequantized'
        ? { ...original, attributes: new Map([['axis', int(1)]]) }
        : original.name === 'fc1'
          ? { ...original, attributes: new Map() }
          : original,
    );
    const found = readNetwork(
      encodeOnnx({ ...weights, graph: { ...weights.graph, nodes } }),
      'net',
    );
    expect({ ...found, checksum: quantized.checksum }).toEqual(quantized);
  });

  test('with one weight scale for a layer', () => {
    const scale = 0.25;
    const inputScale = quantized.tensors[0].quantization!.scale;
    const initializers = qdq.graph.initializers.map((tensor): OnnxTensor => {
      const scalar = { name: tensor.name, dims: [] };
      if (tensor.name === 'conv1.weight_scale') {
        return { ...scalar, elementType: 'float32', data: Float32Array.of(scale) };
      }
      if (tensor.name === 'conv1.weight_zero_point') {
        return { ...scalar, elementType: 'int8', data: Int8Array.of(-3) };
      }
      if (tensor.name === 'conv1.bias_scale') {
        const data = new Float32Array(3).fill(inputScale * scale);
        return { ...scalar, dims: [3], elementType: 'float32', data };
      }
      return tensor;
    });
    const bytes = encodeOnnx({ ...qdq, graph: { ...qdq.graph, initializers } });
    const [conv] = weightedLayers(readNetwork(bytes) as Int8Network);
    expect(conv.scales).toEqual(new Float32Array(3).fill(scale));
    expect(conv.zeroPoints).toEqual(new Int32Array(3).fill(-3));
    expect(conv.weights).toEqual(weightedLayers(quantized)[0].weights);
  });
});

describe('readNetwork refuses QDQ files with', () => {
  test.each<[string, OnnxModel, RegExp | string]>([
    [
      'a bias of another scale',
      withTensor(
        'conv1.bias_scale',
        (tensor) => ({ ...tensor, data: Float32Array.of(1, 1, 1) }) as OnnxTensor,
      ),
      /^net: node "conv1" \(Conv\) has a bias "conv1\.bias" of scale 1 in channel 0; it must be [\d.e-]+, the input's scale times the weights'$/,
    ],
    [
      'a ReLU before a zero point above 0',
      withTensor(
        'relu_zero_point',
        (tensor) => ({ ...tensor, data: Uint8Array.of(5) }) as OnnxTensor,
      ),
      'net: node "relu_quantized" (QuantizeLinear) has zero point 5 after the Relu of layer "conv1"; onnxruntime leaves such groups unfused, so quantise ReLU outputs with zero point 0',
    ],
    [
      'weights and zero points of different types',
      withTensor('conv1.weight', (tensor) => ({
        ...tensor,
        elementType: 'uint8',
        data: new Uint8Array(54),
      })),
      'net: node "conv1.weight_dequantized" (DequantizeLinear) has a zero point "conv1.weight_zero_point" of type int8, expected uint8',
    ],
    [
      'weights of 64 bits',
      withTensor('conv1.weight', (tensor) => ({
        ...tensor,
        elementType: 'int64',
        data: new BigInt64Array(54),
      })),
      'net: node "conv1.weight_dequantized" (DequantizeLinear) takes the constant "conv1.weight" of type int64; Bitcell reads int8 or uint8 weights and int32 biases',
    ],
    [
      'a scale of zero',
      withTensor(
        'conv1.weight_scale',
        (tensor) => ({ ...tensor, data: new Float32Array(3) }) as OnnxTensor,
      ),
      'net: node "conv1.weight_dequantized" (DequantizeLinear) has a scale of 0, which is not a positive number',
    ],
    [
      'a requantisation beyond the range of float32',
      withTensor(
        'logits_scale',
        (tensor) => ({ ...tensor, data: Float32Array.of(1e-45) }) as OnnxTensor,
      ),
      /^net: layer "fc1" has scales [\d.e-]+ \(input\), [\d.e-]+ \(weights of channel 0\) and 1\.4\d*e-45 \(output\), which requantise by no finite number$/,
    ],
    [
      'scales along another axis',
      withNode('conv1.weight_dequantized', { attributes: new Map([['axis', int(1)]]) }),
      'net: node "conv1.weight_dequantized" (DequantizeLinear) has 3 scales along axis 1 of "conv1.weight", expected one, or 3 along axis 0',
    ],
    [
      'a pooling that changes the quantisation',
      withTensor(
        'pooled_scale',
        (tensor) => ({ ...tensor, data: Float32Array.of(2) }) as OnnxTensor,
      ),
      'net: node "pooled_quantized" (QuantizeLinear) has another scale or zero point than the input of layer "features.pool1"; onnxruntime leaves such groups unfused',
    ],
    [
      'a layer whose input is not quantised',
      withNode('logits_real', { inputs: ['flat_quantized', 'fc1.weight_dequantized'] }),
      'net: node "fc1" (Gemm) takes "flat_quantized", which does not come from a DequantizeLinear; onnxruntime leaves such groups unfused',
    ],
    [
      'an unsupported operator',
      withNode('flat', { opType: 'Softmax' }),
      /^net: node "reshape" \(Softmax\) is an unsupported operator; Bitcell reads QuantizeLinear, /,
    ],
  ])('%s', (_, changedModel, message) => {
    const found = refusal(changedModel);
    if (typeof message === 'string') expect(found).toBe(message);
    else expect(found).toMatch(message);
  });
});
