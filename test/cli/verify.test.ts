import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import type { CaseResult } from '../../campaign/verify/index.js';
import { featureCount } from '../../core/index.js';
import { bitcell, bitcellJson, newFolder, refusal } from './command.js';
import { INT8_NETWORK, writeTinyNetwork } from './tiny-network.js';

const { int8: model, thresholds } = writeTinyNetwork(newFolder());

/** Outputs of all layers of one image. */
const VALUES = INT8_NETWORK.layers.reduce(
  (sum, { output }) => sum + featureCount(INT8_NETWORK.tensors[output].shape),
  0,
);

test('verify finds the datapath equal to onnxruntime, clean, faulted and clipped', async () => {
  const result = await bitcellJson(['verify', '--model', model, '--images', '3']);
  expect(result).toMatchObject({ model, images: 3, onnxruntimeOverflows: false });
  const [given, disabled, inside, ...others] = result.cases as CaseResult[];
  const [changed, cases] = [/^the file as given/, /^(?!the file as given)/].map((start) =>
    others.filter(({ name }) => start.test(name)),
  );
  expect(changed.map(({ name }) => name)).toEqual([
    expect.stringMatching(/^the file as given, faulted: .*, all$/),
    expect.stringMatching(/^the file as given, faulted: .*, inner values as outputs, all$/),
    expect.stringMatching(/^the file as given, clipped in \d layers, all$/),
    expect.stringMatching(
      /^the file as given, clipped in \d layers, inner values as outputs, all$/,
    ),
  ]);
  for (const found of changed) expect(found).toMatchObject({ mismatches: 0, images: 3, steps: 0 });
  const clean = { images: 3, mismatches: 0, exposingChanges: 0, unfused: [] };
  expect(given).toEqual({
    name: 'the file as given, all',
    ...clean,
    layers: 1,
    values: 30,
    steps: 0,
  });
  expect(disabled).toMatchObject({ name: 'the file as given, disabled', ...clean, values: 30 });
  expect(inside).toMatchObject({ ...clean, layers: INT8_NETWORK.layers.length, steps: 0 });
  for (const found of cases) {
    expect(found).toEqual({
      name: expect.any(String),
      ...clean,
      layers: INT8_NETWORK.layers.length,
      values: expect.any(Number),
      steps: 0,
    });
    // At the level `all` the outputs are compared once more, on a file that shows nothing else.
    const outputs = /\ball$/.test(found.name) ? 30 : 0;
    expect(found.values).toBe(3 * VALUES + outputs);
  }
  const names = cases.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  const plain = names.filter((name) => !name.startsWith('cl'));
  for (const form of [', QOperator at disabled', ', QDQ at all']) {
    expect(names).toContain(`clean${form}`);
    const faulted = plain.filter((name) => name.endsWith(form));
    expect(faulted.length).toBeGreaterThanOrEqual(20);
    expect(faulted.some((name) => name.includes('1e-2'))).toBe(true);
  }
  for (const variant of ['clip per neuron', 'clamp per neuron, requantised']) {
    expect(names).toContain(`${variant}, disabled`);
    expect(names).toContain(`${variant}, all`);
  }
  for (const mitigation of ['clip', 'clamp']) {
    for (const level of ['disabled', 'all']) {
      const clipped = new RegExp(`^${mitigation} at .+, ${level}$`);
      expect(names.filter((name) => clipped.test(name)).length).toBeGreaterThan(0);
    }
  }
});

test('verify takes thresholds from a file and prints a table as text', async () => {
  const { status, stdout } = await bitcell([
    'verify',
    ...['--model', model, '--images', '1', '--thresholds', thresholds, '--quiet'],
  ]);
  expect(status).toBe(0);
  expect(stdout).toMatch(/^case +images +layers +values +mismatches +steps +unfused\n/);
  expect(stdout).toMatch(/\n[\d,]+ values compared with onnxruntime, 0 differ\.\n$/);
});

/** A module that, loaded before the command, changes one stored value of every run of onnxruntime. */
function wrongOnnxruntime(): string {
  const file = join(newFolder(), 'wrong-onnxruntime.mjs');
  const entry = pathToFileURL(createRequire(import.meta.url).resolve('onnxruntime-node'));
  writeFileSync(
    file,
    `import runtime from ${JSON.stringify(entry.href)};
     const { create } = runtime.InferenceSession;
     runtime.InferenceSession.create = async (...options) => {
       const session = await create(...options);
       const run = session.run.bind(session);
       session.run = async (...inputs) => {
         const outputs = await run(...inputs);
         const layer = Object.values(outputs).find(({ type }) => type === 'uint8');
         if (layer) layer.data[0] ^= 1;
         return outputs;
       };
       return session;
     };`,
  );
  return pathToFileURL(file).href;
}

test('verify exits with 3 and names the place when onnxruntime gives another value', async () => {
  const { status, stdout, stderr } = await bitcell(
    ['verify', '--model', model, '--images', '1', '--quiet', '--json'],
    { env: { NODE_OPTIONS: `--import ${wrongOnnxruntime()}` } },
  );
  expect(status).toBe(3);
  const cases: CaseResult[] = JSON.parse(stdout).cases;
  // The cases of outputs alone, which are float32, stay right.
  for (const { name, mismatches } of cases) {
    expect(mismatches).toBe(
      /^the file as given, (all|disabled|(faulted|clipped).* (words|layers), all)$/.test(name)
        ? 0
        : 1,
    );
  }
  expect(stderr).toMatch(
    /^bitcell: the file as given, inner tensors as outputs, all: layer \S+, image 0, channel 0, position \(0, 0\): Bitcell \d+, onnxruntime \d+/,
  );
});

test('verify refuses a mitigation of which onnxruntime knows nothing', async () => {
  const args = ['verify', '--model', model, '--images', '1', '--mitigation', 'secded+clip'];
  expect(await refusal(args)).toContain('--mitigation: secded stands in the weight memory');
});
