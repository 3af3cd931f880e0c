import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readFloat32Npy, writeNpy } from '../../core/index.js';
import { readThresholds } from '../../mitigation/index.js';
import { loadCifar10, normalize } from '../../models/index.js';
import { bitcellJson, newFolder } from './command.js';
import { ACTIVATED_LAYERS, writeTinyNetwork } from './tiny-network.js';

const IMAGES = 30;
const folder = newFolder();
const { int8: model } = writeTinyNetwork(folder);

test('profile gives thresholds that clip nothing of the images they come from', async () => {
  const output = join(folder, 'profile.json');
  const args = ['--model', model, '--output', output, '--images', String(IMAGES)];
  expect(await bitcellJson(['profile', ...args])).toEqual({
    model,
    output,
    images: IMAGES,
    layers: ACTIVATED_LAYERS,
    unfused: [],
  });
  const { int8, float32 } = readThresholds(output);
  expect(Object.values(int8 ?? {}).map(({ length }) => length)).toEqual([8, 16]);
  expect(Object.values(float32 ?? {}).map(({ length }) => length)).toEqual([1, 1]);

  const training = loadCifar10({ split: 'train', limit: IMAGES });
  const input = join(folder, 'images.npy');
  writeNpy(input, { shape: [IMAGES, 3, 32, 32], data: normalize(training) });
  const infer = async (name: string, ...options: string[]) => {
    const outputs = join(folder, `${name}.npy`);
    await bitcellJson(['infer', model, '--input', input, '--output', outputs, ...options]);
    return readFloat32Npy(outputs);
  };
  for (const format of ['int8', 'float32']) {
    const [plain, clipped] = await Promise.all([
      infer('plain', '--format', format),
      infer('clipped', '--format', format, '--thresholds', output),
    ]);
    expect(clipped).toEqual(plain);
  }
});

test.each([
  ['layer', [8, 16], [1, 1]],
  ['channel', [8, 16], [8, 16]],
  ['neuron', [8 * 256, 16], [8 * 256, 16]],
])(
  'profile --granularity %s records as many thresholds as it says',
  async (kind, int8, float32) => {
    const output = join(folder, `${kind}.json`);
    const args = ['--model', model, '--output', output, '--images', '10', '--granularity', kind];
    expect(await bitcellJson(['profile', ...args])).toMatchObject({ granularity: kind });
    const found = readThresholds(output);
    expect(found.granularity).toEqual({ int8: kind, float32: kind });
    expect(Object.values(found.int8 ?? {}).map(({ length }) => length)).toEqual(int8);
    expect(Object.values(found.float32 ?? {}).map(({ length }) => length)).toEqual(float32);
  },
);

test('profile writes distributions, clean and under faults', async () => {
  const distributions = join(folder, 'distributions.json');
  const args = ['--model', model, '--output', join(folder, 'other.json'), '--images', '10'];
  const further = ['--distributions', distributions, '--rates', '0.01'];
  expect(await bitcellJson(['profile', ...args, ...further])).toMatchObject({
    distributions,
    seed: 1,
  });
  const content = JSON.parse(readFileSync(distributions, 'utf8'));
  expect(content).toMatchObject({ format: 'bitcell-distributions', images: 10, faults: 'flip' });
  for (const format of ['int8', 'float32']) {
    const [clean, faulty] = content[format];
    expect([clean.rate, faulty.rate]).toEqual([0, 0.01]);
    expect(clean.layers.map(({ name }: { name: string }) => name)).toEqual(ACTIVATED_LAYERS);
    expect(faulty.layers).not.toEqual(clean.layers);
  }
  // Flipped exponent bits make weights enormous.
  const [clean, faulty] = content.float32;
  expect(faulty.layers[1].largest).toBeGreaterThan(1e6 * clean.layers[1].largest);
});
