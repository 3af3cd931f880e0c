import { describe, expect, test } from 'vitest';
import {
  arrayLayers,
  dequantize,
  encodeOnnx,
  type Float32Network,
  type Int8Network,
  isOnArray,
  layerWords,
  type Network,
  type OnnxModel,
  quantizeNetwork,
  readNetwork,
  wordReader,
  writeQdq,
} from '../../models/index.js';
import { networkWeights } from '../../sim/index.js';
import { createGraphWriter, type GraphWriter, int } from '../fuzz/graph-writer.js';

/** Values that differ, within ±1. */
function reals(length: number): Float32Array {
  return Float32Array.from({ length }, (_, index) => Math.sin(index * 1.7 + 1));
}

function finish(writer: GraphWriter, inputs: number, outputs: number): OnnxModel {
  return writer.finish(
    13,
    { name: 'input', elementType: 'float32', dims: ['batch', ...vectorOrMap(inputs)] },
    [{ name: 'output', elementType: 'float32', dims: ['batch', ...vectorOrMap(outputs)] }],
  );
}

const vectorOrMap = (channels: number) =>
  channels === MAP_CHANNELS ? [channels, 4, 4] : [channels];
const MAP_CHANNELS = 3;

function sharing(network: Network) {
  return arrayLayers(network).map(({ name, sharedWeights }) => [name, sharedWeights]);
}

/** Two 1×1 convolutions with one initialiser, each followed by a batch normalisation. */
function normalizedTwice(scales: readonly [number, number]): OnnxModel {
  const writer = createGraphWriter(false);
  const weight = writer.constant('weight', 'float32', [3, 3, 1, 1], reals(9));
  let value = 'input';
  for (const [place, scale] of scales.entries()) {
    const sum = writer.node('Conv', [value, weight], `sum${place}`);
    const constants = [scale, 0.5, 0.25, 1].map((constant) =>
      writer.constant('norm', 'float32', [3], new Float32Array(3).fill(constant)),
    );
    const output = place === scales.length - 1 ? 'output' : `normalized${place}`;
    value = writer.node('BatchNormalization', [sum, ...constants], output);
  }
  return finish(writer, MAP_CHANNELS, MAP_CHANNELS);
}

/** x·W, then ·Wᵀ. */
function tiedMatrix(): OnnxModel {
  const writer = createGraphWriter(false);
  const weight = writer.constant('weight', 'float32', [4, 6], reals(24));
  const hidden = writer.node('Gemm', ['input', weight], 'hidden', { transB: int(1) });
  writer.node('MatMul', [hidden, weight], 'output');
  return finish(writer, 6, 6);
}

/** Two layers whose weights QuantizeLinear makes of one float32 initialiser, by these scales. */
function quantizedTwice(scales: readonly [number, number]): OnnxModel {
  const writer = createGraphWriter(false);
  const zero = writer.constant('zero', 'uint8', [], Uint8Array.of(100));
  const scalar = (value: number) => writer.constant('scale', 'float32', [], Float32Array.of(value));
  const pair = (name: string, scale: string, real: string) =>
    writer.node(
      'DequantizeLinear',
      [writer.node('QuantizeLinear', [name, scale, zero], writer.fresh('quantized')), scale, zero],
      real,
    );
  const weight = writer.constant('weight', 'float32', [5, 5], reals(25));
  let value = pair('input', scalar(0.1), 'real');
  for (const [place, scale] of scales.entries()) {
    const weights = pair(weight, scalar(scale), writer.fresh('weights'));
    const sum = writer.node('Gemm', [value, weights], `sum${place}`, { transB: int(1) });
    value = pair(sum, scalar(0.2), place === 1 ? 'output' : writer.fresh('real'));
  }
  return finish(writer, 5, 5);
}

const read = (model: OnnxModel) => readNetwork(encodeOnnx(model), 'net');

describe('an initialiser that several layers read', () => {
  test('takes up a batch normalisation that is the same for all of them', () => {
    const network = read(normalizedTwice([0.5, 0.5]));
    expect(network.layers.map(({ kind }) => kind)).toEqual(['convolution', 'convolution']);
    expect(networkWeights(network)).toBe(9);
  });

  test('takes up none that would make different words of it', () => {
    const network = read(normalizedTwice([0.5, 2]));
    expect(network.layers.map(({ kind }) => kind)).toEqual([
      ...['convolution', 'affine', 'convolution', 'affine'],
    ]);
    expect(networkWeights(network)).toBe(9);
    expect(arrayLayers(network)[0].weights).toEqual(reals(9));
  });

  test('may be read transposed', () => {
    const network = read(tiedMatrix());
    const [[first], [, shared]] = sharing(network);
    expect(shared).toEqual({ layer: first, transposed: true });
    expect(networkWeights(network)).toBe(24);
  });

  test('is one set of words where it is quantised twice in the same way', () => {
    expect(networkWeights(read(quantizedTwice([0.01, 0.01])))).toBe(25);
    expect(networkWeights(read(quantizedTwice([0.01, 0.02])))).toBe(50);
  });

  test.each([
    ['per-channel', tiedMatrix()],
    ['per-tensor', tiedMatrix()],
    ['per-channel', normalizedTwice([0.5, 0.5])],
  ] as const)('is quantised to one set of words, %s', (granularity, model) => {
    const network = read(model) as Float32Network;
    const ranges = network.tensors.map((_, index) => ({ low: -1 - index, high: 2 + 3 * index }));
    const quantized = quantizeNetwork(network, ranges, granularity);
    expect(sharing(quantized)).toEqual(sharing(network));
    expect(sharing(readNetwork(writeQdq(quantized)))).toEqual(sharing(network));
    expect(networkWeights(readNetwork(writeQdq(quantized)))).toBe(networkWeights(network));
  });

  test('is dequantised to one set of words by equal scales alone', () => {
    const network = read(quantizedTwice([0.01, 0.01])) as Int8Network;
    expect(networkWeights(dequantize(network))).toBe(25);
    const layers = network.layers.map((layer, index) =>
      isOnArray(layer) && index > 0 ? { ...layer, scales: layer.scales.map((s) => 2 * s) } : layer,
    );
    expect(networkWeights(dequantize({ ...network, layers }))).toBe(50);
  });
});

test('uint8 weights have the words and the numbers of the file', () => {
  const [layer] = arrayLayers(read(quantizedTwice([0.01, 0.01])) as Int8Network);
  const expected = Array.from(reals(25), (value) =>
    Math.max(0, Math.min(255, Math.round(value / Math.fround(0.01)) + 100)),
  );
  expect([...layerWords(layer)]).toEqual(expected);
  expect(Array.from(layerWords(layer), wordReader(layer))).toEqual(expected);
});
