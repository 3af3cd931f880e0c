import { describe, expect, test } from 'vitest';
import {
  arrayLayers,
  decodeOnnx,
  encodeOnnx,
  type Int8Network,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  quantizeNetwork,
  readNetwork,
  writeQdq,
} from '../../models/index.js';
import { int, plain, read, refusal } from './plain-network.js';

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
    const [conv] = arrayLayers(readNetwork(bytes) as Int8Network);
    expect(conv.scales).toEqual(new Float32Array(3).fill(scale));
    expect(conv.zeroPoints).toEqual(new Int32Array(3).fill(-3));
    expect(conv.weights).toEqual(arrayLayers(quantized)[0].weights);
  });
});

/** The model with the weights of its first layer in float32 behind a QuantizeLinear without zero point. */
function withFloatWeights(attributes: OnnxNode['attributes']): OnnxModel {
  const scale = Float32Array.of(0.25);
  const reals = new Float32Array(54).map((_, index) => 0.25 * (index - 27));
  const initializers = qdq.graph.initializers.map((tensor): OnnxTensor => {
    if (tensor.name === 'conv1.weight') return { ...tensor, elementType: 'float32', data: reals };
    if (tensor.name !== 'conv1.bias_scale') return tensor;
    const data = new Float32Array(3).fill(quantized.tensors[0].quantization!.scale * 0.25);
    return { ...tensor, data } as OnnxTensor;
  });
  initializers.push({ name: 'step', elementType: 'float32', dims: [], data: scale });
  const nodes = qdq.graph.nodes.flatMap((original) =>
    original.outputs[0] === 'conv1.weight_dequantized'
      ? [
          {
            ...{ name: 'q', opType: 'QuantizeLinear', domain: '', attributes },
            ...{ inputs: ['conv1.weight', 'step'], outputs: ['integers'] },
          },
          { ...original, inputs: ['integers', 'step'], attributes: new Map() },
        ]
      : [original],
  );
  return { ...qdq, opsets: new Map([['', 21]]), graph: { ...qdq.graph, initializers, nodes } };
}

const INT8 = int(3);

describe('QuantizeLinear and DequantizeLinear', () => {
  test('quantise to the type that output_dtype names, where there is no zero point', () => {
    const model = withFloatWeights(new Map([['output_dtype', INT8]]));
    const [conv] = arrayLayers(readNetwork(encodeOnnx(model)) as Int8Network);
    expect(conv.weights).toEqual(Int8Array.from({ length: 54 }, (_, index) => index - 27));
    expect(conv.zeroPoints).toEqual(new Int32Array(3));
    // Without it they are uint8, and so none is negative.
    const unsigned = readNetwork(encodeOnnx(withFloatWeights(new Map()))) as Int8Network;
    const [other] = arrayLayers(unsigned);
    const numbers = Array.from(other.weights, (weight) => weight - other.zeroPoints[0]);
    expect(numbers).toEqual(Array.from({ length: 54 }, (_, index) => Math.max(0, index - 27)));
  });

  test.each<[string, OnnxNode['attributes']]>([
    [
      'saturate and axis',
      new Map([
        ['saturate', int(0)],
        ['axis', int(0)],
        ['output_dtype', INT8],
      ]),
    ],
    [
      'precision float',
      new Map([
        ['precision', int(1)],
        ['output_dtype', INT8],
      ]),
    ],
    [
      'blocks of no size',
      new Map([
        ['block_size', int(0)],
        ['output_dtype', INT8],
      ]),
    ],
  ])('may have %s, which change nothing', (_, attributes) => {
    const [conv] = arrayLayers(
      readNetwork(encodeOnnx(withFloatWeights(attributes))) as Int8Network,
    );
    expect(conv.weights[0]).toBe(-27);
  });

  test.each<[string, OnnxModel, string]>([
    [
      'another type',
      withFloatWeights(new Map([['output_dtype', int(5)]])),
      'net: node "q" (QuantizeLinear) has output_dtype = 5; Bitcell supports 2 (uint8) and 3 (int8) only',
    ],
    [
      'scales of blocks',
      withFloatWeights(new Map([['block_size', int(16)]])),
      'net: node "q" (QuantizeLinear) has block_size = 16; Bitcell supports 0 only',
    ],
    [
      'the precision of float16',
      withFloatWeights(new Map([['precision', int(10)]])),
      'net: node "q" (QuantizeLinear) has precision = 10; Bitcell supports 0 and 1 only',
    ],
    [
      'an attribute of the future',
      withFloatWeights(new Map([['rounding', int(1)]])),
      'net: node "q" (QuantizeLinear) has an attribute "rounding" that Bitcell does not know',
    ],
    [
      'a zero point of another type than output_dtype',
      withNode('relu_quantized', { attributes: new Map([['output_dtype', INT8]]) }),
      'net: node "relu_quantized" (QuantizeLinear) has output_dtype = 3, but a zero point "relu_zero_point" of type uint8',
    ],
    [
      'a result of float16',
      withNode('conv1.weight_dequantized', {
        attributes: new Map([
          ['axis', int(0)],
          ['output_dtype', int(10)],
        ]),
      }),
      'net: node "conv1.weight_dequantized" (DequantizeLinear) has output_dtype = 10; Bitcell supports 0 and 1 only',
    ],
  ])('may not have %s', (_, model, message) => {
    expect(refusal(model)).toBe(message);
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
      'a layer whose input is not quantised',
      withNode('logits_real', { inputs: ['flat_quantized', 'fc1.weight_dequantized'] }),
      'net: node "fc1" (Gemm) takes "flat_quantized", which does not come from a DequantizeLinear',
    ],
  ])('%s', (_, changedModel, message) => {
    const found = refusal(changedModel);
    if (typeof message === 'string') expect(found).toBe(message);
    else expect(found).toMatch(message);
  });
});
