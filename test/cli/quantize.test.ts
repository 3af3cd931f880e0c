import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sha256Hex } from '../../core/index.js';
import {
  arrayLayers,
  decodeOnnx,
  loadCifar10,
  normalize,
  readNetwork,
} from '../../models/index.js';
import { runOnnx } from '../models/onnxruntime.js';
import { bitcell, bitcellJson, newFolder, refusal } from './command.js';
import { FLOAT32_NETWORK, writeTinyNetwork } from './tiny-network.js';

const folder = newFolder();
const { int8, float32: model } = writeTinyNetwork(folder);
const few = ['--images', '40', '--calibration-images', '30'];

/** Quantise the tiny network: what the command prints, and the file it writes. */
async function quantize(...options: string[]) {
  const output = join(newFolder(), 'quantized.onnx');
  const result = await bitcellJson(['quantize', model, '-o', output, ...few, ...options]);
  return { output, result, bytes: readFileSync(output) };
}

describe('quantize', () => {
  test('reports each layer, its scales and its noise', async () => {
    const { output, result, bytes } = await quantize();
    expect(result).toMatchObject({
      model,
      output,
      outputFormat: 'qdq',
      checksum: sha256Hex(bytes),
      calibration: { method: 'min-max', images: 30 },
      weights: 'per-channel',
      biasCorrection: false,
      images: 40,
    });
    const network = readNetwork(output);
    if (network.format !== 'int8') throw new Error('not quantised');
    expect(result.layers).toEqual(
      arrayLayers(network).map(({ name, output, scales }) => ({
        name,
        channels: scales.length,
        output: network.tensors[output].quantization,
        signalToNoise: { weights: expect.any(Number), output: expect.any(Number) },
      })),
    );
  });

  test('gives the same file again, and others with other options', async () => {
    const checksums = await Promise.all(
      [
        ['--calibration', 'mse'],
        ['--calibration', 'mse'],
        ['--calibration', 'percentile'],
        ['--calibration', 'mse', '--weights', 'per-tensor'],
        ['--calibration', 'mse', '--bias-correction'],
        ['--calibration', 'mse', '--output-format', 'qoperator'],
      ].map(async (options) => (await quantize(...options)).result.checksum),
    );
    expect(checksums[1]).toBe(checksums[0]);
    expect(new Set(checksums).size).toBe(checksums.length - 1);
  });

  test('writes QDQ and QOperator files that onnxruntime runs alike, at its highest level and at none', async () => {
    const options = ['--calibration', 'mse', '--weights', 'per-tensor', '--bias-correction'];
    const [qdq, qoperator] = await Promise.all([
      quantize(...options),
      quantize(...options, '--output-format', 'qoperator'),
    ]);
    expect({ ...qoperator.result, output: '', outputFormat: '', checksum: '' }).toEqual({
      ...qdq.result,
      output: '',
      outputFormat: '',
      checksum: '',
    });
    const { graph } = decodeOnnx(qoperator.bytes, qoperator.output);
    expect(graph.nodes.map(({ opType }) => opType)).toEqual(
      ['QuantizeLinear', 'QLinearConv', 'MaxPool', 'Flatten', 'QGemm', 'QGemm'].concat(
        'DequantizeLinear',
      ),
    );
    const inputs = normalize(loadCifar10({ split: 'test', limit: 20 }));
    const [fused, plain] = await Promise.all([
      runOnnx(qdq.bytes, FLOAT32_NETWORK, inputs, 'all'),
      runOnnx(qoperator.bytes, FLOAT32_NETWORK, inputs, 'disabled'),
    ]);
    expect(plain.get('logits')).toEqual(fused.get('logits'));
  });

  test('prints a table, and progress on stderr', async () => {
    const cwd = newFolder();
    const { status, stdout, stderr } = await bitcell(
      ['quantize', model, '--output', 'out.onnx', ...few, '--bias-correction'],
      { cwd },
    );
    expect(status).toBe(0);
    // One run of 30 images in float32 and one for each of the three layers.
    expect(stderr).toContain('120 of 120 calibration inferences');
    expect(stderr).toContain('30 of 30 calibration images compared');
    expect(stderr).toContain('40 of 40 test images');
    expect(stdout).toMatch(/^layer +weight SQNR \[dB\] +output SQNR \[dB\]\n/);
    for (const name of ['conv1', 'fc1', 'fc2']) {
      expect(stdout).toMatch(new RegExp(`\n${name} +\\d+\\.\\d +\\d+\\.\\d\n`));
    }
    expect(stdout).toMatch(
      /\nout\.onnx: accuracy \d+\.\d % in float32, \d+\.\d % in int8 \(40 test images\)\n$/,
    );
  });

  test.each([
    [['--calibration', 'percentile', '--percentile', '50'], 'not above 50 and at most 100'],
    [['--calibration', 'percentile', '--percentile', 'x'], 'not above 50 and at most 100'],
    [['--calibration', 'entropy'], 'Allowed choices are min-max, percentile, mse.'],
    [['--calibration-images', '0'], 'Expected a whole number of at least 1.'],
    [['--calibration-images', '50001'], 'CIFAR-10 has 50000 training images'],
    [
      ['--percentile', '99'],
      '--percentile 99 has no effect with --calibration min-max: choose --calibration percentile',
    ],
  ])('refuses %j', async (options, message) => {
    expect(await refusal(['quantize', model, '-o', 'out.onnx', ...options])).toContain(message);
  });

  test('refuses a network that is quantised already', async () => {
    expect(await refusal(['quantize', int8, '-o', 'out.onnx'])).toBe(
      `${int8} is quantised already`,
    );
  });
});
