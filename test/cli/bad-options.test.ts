import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { writeNpy } from '../../core/index.js';
import { newFolder, refusal } from './command.js';
import { writeTinyNetwork } from './tiny-network.js';

const folder = newFolder();
const { int8: model, float32 } = writeTinyNetwork(folder);
const images = join(folder, 'images.npy');
writeNpy(images, { shape: [1, 3, 32, 32], data: new Float32Array(3072) });

const run = ['run', '--model', model, '--out', 'results'];
const infer = ['infer', model, '--input', images, '--output', 'outputs.npy'];
const create = ['map', 'create', '--model', model, '--output', 'map.json'];
const quantize = ['quantize', float32, '--output', 'out.onnx'];
const verify = ['verify', '--model', model];

describe.concurrent('options', () => {
  test.each([
    { args: ['timing', '--modle', model], part: "unknown option '--modle'" },
    { args: ['frobnicate'], part: "unknown command 'frobnicate'" },
    { args: ['map', 'crate'], part: "unknown command 'crate'" },
    { args: ['timing', model], part: 'too many arguments' },
    { args: infer.slice(0, 4), part: 'give --output FILE or --output-dir FOLDER' },
    { args: [...run, '--threads', '0'], part: 'Expected a whole number of at least 1.' },
    { args: [...run, '--seed', '1.5'], part: 'Expected a whole number of at least 0.' },
    { args: [...run, '--maps', '0'], part: 'Expected a whole number of at least 1.' },
    { args: [...run, '--images', '10001'], part: 'study: images = 10001: ' },
    { args: [...run, '--format', 'int4'], part: 'study: formats.0 = "int4": ' },
    { args: [...run, '--faults', 'flips'], part: 'study: faults.0 = "flips": ' },
    { args: [...run, '--mitigations', 'clip,clip'], part: 'values must differ' },
    { args: ['run', '--model', model, '--resume'], part: '--resume needs --out FOLDER' },
    { args: [...run, '--stop', 'never'], part: '--stop needs --fault-maps' },
    {
      args: [...run, '--fault-maps', 'lot.csv', '--stop', 'late'],
      part: 'Allowed choices are settled, never.',
    },
    {
      args: [...run, '--fault-maps', 'lot.csv', '--stop', 'never', '--precision', '2'],
      part: 'study: precision ends dies, but dies.stop = never (--stop never) runs all of their images',
    },
    {
      args: [...run, '--fault-maps', 'lot.csv', '--precision', '0'],
      part: '"0" is not a number of percentage points up to 50.',
    },
    {
      args: ['run', '--only', '3'],
      part: 'Expected CONDITION:MAP, two whole numbers such as 2:17.',
    },
    {
      args: [...run, '--only', '0:0'],
      part: '--only runs one trial, prints it and saves nothing: give it without --out',
    },
    { args: ['run', '--model', model, '--limit', '3'], part: '--limit needs --only CONDITION:MAP' },
    { args: ['run', 'none.yaml'], part: 'Cannot read none.yaml: no such file or folder.' },
    {
      args: [...run, '--rates', '0.1', '--fault-map', 'map.json'],
      part: 'study: give either a fault map or rates: a map has its own rate',
    },
    { args: [...run, '--rates', '0.1,1.5'], part: '"1.5" is not a fault rate between 0 and 1.' },
    { args: [...run, '--rates', '-0.1'], part: '"-0.1" is not a fault rate between 0 and 1.' },
    { args: [...run, '--rates', '1e-3,'], part: '"" is not a fault rate between 0 and 1.' },
    { args: [...create, '--rate', '2'], part: '"2" is not a fault rate between 0 and 1.' },
    { args: [...infer, '--placement', 'all'], part: 'Allowed choices are resident, streamed.' },
    {
      args: [...quantize, '--calibration', 'percentile', '--percentile', '20'],
      part: 'The percentile 20 is not above 50 and at most 100',
    },
    {
      args: [...infer, '--clip-position', 'output'],
      part: 'Allowed choices are accumulator, requantised.',
    },
    { args: [...quantize, '--images', '10001'], part: 'CIFAR-10 has 10000 test images' },
    { args: [...verify, '--images', '10001'], part: 'CIFAR-10 has 10000 test images' },
    {
      args: ['profile', '--model', model, '--output', 'thresholds.json', '--images', '50001'],
      part: '--images 50001: CIFAR-10 has 50000 training images',
    },
  ])('$part', async ({ args, part }) => {
    expect(await refusal(args)).toContain(part);
  });

  test.each([
    ['timing', ['timing', '--model', model]],
    ['run', run],
    ['infer', infer],
    ['verify', verify],
    ['map', [...create, '--rate', '0.1']],
  ])('%s with an unknown accelerator', async (_command, args) => {
    expect(await refusal([...args, '--accelerator', 'edge-16x61'])).toBe(
      'Unknown accelerator "edge-16x61" (did you mean "edge-16x16"?): give one of edge-16x16, gemmini-16x16, eyeriss, tpu-v1 or a .yaml, .json or SCALE-Sim .cfg file.',
    );
  });

  test('wrong ones of the environment', async () => {
    const env = { BITCELL_SEED: 'dice' };
    expect(await refusal(run, { env })).toContain(
      "value 'dice' from env 'BITCELL_SEED' is invalid",
    );
  });

  test('wrong ones of a study file, with their place', async () => {
    const study = join(folder, 'study.yaml');
    writeFileSync(study, 'maps: 2\nmitigatoins: [clip]\n');
    expect(await refusal(['run', study])).toBe(
      `${study}:2:1: unknown field "mitigatoins" (did you mean "mitigations"?)`,
    );
  });
});

describe.concurrent('output', () => {
  // See run.test.ts for a folder that already holds results.
  const args = ['run', '--model', model, '--mitigations', 'none', '--format', 'int8', '--out'];

  test('a folder that holds other files', async () => {
    const holding = newFolder();
    writeFileSync(join(holding, 'notes.txt'), 'mine');
    expect(await refusal([...args, holding])).toBe(
      `${holding} is not empty and holds no study: choose another folder`,
    );
    expect(readdirSync(holding)).toEqual(['notes.txt']);
  });

  test('a folder that is a file, or below one', async () => {
    const occupied = join(folder, 'occupied');
    writeFileSync(occupied, 'mine');
    expect(await refusal([...args, occupied])).toBe(
      `${occupied} is a file: choose a folder for the results`,
    );
    expect(await refusal([...args, join(occupied, 'results')])).toBe(
      `Cannot write ${join(occupied, 'results', 'study.duckdb')}: a part of the path is a file, not a folder.`,
    );
    expect(readFileSync(occupied, 'utf8')).toBe('mine');
  });

  test('a file below a file', async () => {
    const below = join(images, 'outputs.npy');
    expect(await refusal([...infer.slice(0, 4), '--output', below, '--quiet'])).toBe(
      `Cannot write ${below}: a part of the path is a file, not a folder.`,
    );
  });
});
