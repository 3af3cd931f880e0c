import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readFloat32Npy, writeNpy } from '../../core/index.js';
import { loadCifar10, normalize } from '../../models/index.js';
import { runOnnx } from '../models/onnxruntime.js';
import { bitcell, bitcellJson, newFolder } from './command.js';
import { ACTIVATED_LAYERS, INT8_NETWORK, writeTinyNetwork } from './tiny-network.js';

const folder = newFolder();
const files = writeTinyNetwork(folder);
const IMAGES = 20;

/** Outputs of a quantised file on the first test images: of `bitcell infer` and of onnxruntime. */
async function outputsOf(file: string, simulated: string, ...options: string[]) {
  const inputs = normalize(loadCifar10({ split: 'test', limit: IMAGES }));
  const input = join(newFolder(), 'images.npy');
  const output = join(newFolder(), 'outputs.npy');
  writeNpy(input, { shape: [IMAGES, 3, 32, 32], data: inputs });
  await bitcellJson(['infer', simulated, '--input', input, '--output', output, ...options]);
  const bytes = readFileSync(file);
  const [disabled, all] = await Promise.all(
    (['disabled', 'all'] as const).map(async (level) =>
      (await runOnnx(bytes, INT8_NETWORK, inputs, level)).get('logits'),
    ),
  );
  return { ours: Array.from(readFloat32Npy(output).data), disabled, all };
}

describe('quantize', () => {
  test('writes a network that onnxruntime runs as the simulated datapath does', async () => {
    const output = join(folder, 'quantized.onnx');
    const args = ['quantize', files.float32, '--output', output];
    const result = await bitcellJson([...args, '--calibration-images', '50', '--images', '200']);
    expect(result).toMatchObject({ model: files.float32, output, images: 200 });
    const activation = (zeroPoint: unknown) => ({ scale: expect.any(Number), zeroPoint });
    expect(result.layers).toMatchObject([
      { name: 'conv1', channels: 8, output: activation(0) },
      { name: 'fc1', channels: 16, output: activation(0) },
      { name: 'fc2', channels: 10, output: activation(expect.any(Number)) },
    ]);
    const { float32, int8 } = result.accuracy as { float32: number; int8: number };
    // Shares of 200 images, as near as quantised weights bring them.
    expect(Math.round(200 * float32)).toBeCloseTo(200 * float32, 9);
    expect(Math.abs(float32 - int8)).toBeLessThan(0.1);
    const { ours, all } = await outputsOf(output, output);
    expect(ours).toEqual(all);
  });

  test('calibrates on percentiles, too, which gives smaller scales', async () => {
    const run = async (name: string, ...options: string[]) => {
      const args = ['quantize', files.float32, '--output', join(folder, `${name}.onnx`)];
      const budget = ['--calibration-images', '50', '--images', '1'];
      const { layers } = await bitcellJson([...args, ...budget, ...options]);
      return (layers as { output: { scale: number } }[]).map(({ output }) => output.scale);
    };
    const [largest, percentile] = await Promise.all([
      run('min-max'),
      run('percentile', '--calibration', 'percentile', '--percentile', '99'),
    ]);
    for (const [layer, scale] of percentile.entries()) expect(scale).toBeLessThan(largest[layer]);
  });
});

describe('export', () => {
  test.each([
    ['clip', 'accumulator'],
    ['clamp', 'accumulator'],
    ['clip', 'requantised'],
  ])(
    'writes a network that does in onnxruntime what infer does: %s, %s',
    async (mitigation, clipPosition) => {
      const output = join(folder, `${mitigation}-${clipPosition}.onnx`);
      const result = await bitcellJson([
        'export',
        ...['--model', files.int8, '--thresholds', files.thresholds],
        ...['--mitigation', mitigation, '--clip-position', clipPosition, '--output', output],
      ]);
      expect(result).toEqual({
        model: files.int8,
        format: 'int8',
        mitigation,
        clipPosition,
        output,
        outputFormat: 'qoperator',
        bytes: readFileSync(output).length,
        clippedLayers: ACTIVATED_LAYERS,
      });
      const clipping = [
        ...['--thresholds', files.thresholds, '--mitigation', mitigation],
        ...['--clip-position', clipPosition],
      ];
      const { ours, disabled, all } = await outputsOf(output, files.int8, ...clipping);
      expect(disabled).toEqual(ours);
      expect(all).toEqual(ours);
      expect((await outputsOf(files.int8, files.int8)).ours).not.toEqual(ours);
    },
  );

  test('refuses float32 words that are to be clipped after requantisation', async () => {
    const args = ['--model', files.int8, '--thresholds', files.thresholds, '--output', 'out.onnx'];
    const refused = ['--format', 'float32', '--clip-position', 'requantised'];
    const { status, stderr } = await bitcell(['export', ...args, ...refused]);
    expect(status).toBe(2);
    expect(stderr).toContain('with float32 words has no requantisation to clip after');
  });

  test('says in text what it wrote', async () => {
    const args = ['--model', files.int8, '--thresholds', files.thresholds, '--output', 'out.onnx'];
    const { status, stdout, stderr } = await bitcell(['export', ...args]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^out\.onnx: .+tiny\.onnx with 2 clipped layers \(clip\), \d+ bytes\n$/);
  });
});
