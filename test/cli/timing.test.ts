import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bitcell, bitcellJson, newFolder } from './command.js';
import { writeTinyNetwork } from './tiny-network.js';

const folder = newFolder();
const { int8, float32 } = writeTinyNetwork(folder);

interface Layer {
  readonly name: string;
  readonly totalCycles: number;
}

/** Cycles by layer, and all the numbers of the total. */
async function timing(...options: string[]) {
  const result = await bitcellJson(['timing', ...options]);
  const cycles = (result.layers as Layer[]).map(({ name, totalCycles }) => [name, totalCycles]);
  return { result, cycles };
}

// Positions M, window K and filters N: conv1 256, 27, 8; fc1 1, 512, 16; fc2 1, 16, 10.
test('timing gives the cycles of the weight-stationary 16×16 preset', async () => {
  const { result, cycles } = await timing('--model', int8);
  expect(cycles).toEqual([
    ['conv1', 2 * 1 * (256 + 2 * 16 + 16 - 2) - 1],
    ['fc1', 32 * 1 * (1 + 2 * 16 + 16 - 2) - 1],
    ['fc2', 1 * 1 * (1 + 2 * 16 + 16 - 2) - 1],
  ]);
  expect(result).toMatchObject({
    model: int8,
    accelerator: 'edge-16x16',
    total: {
      computeCycles: 603 + 1503 + 46,
      stallCycles: 0,
      totalCycles: 603 + 1503 + 46,
      utilization: (256 * 27 * 8 + 512 * 16 + 16 * 10) / ((603 + 1503 + 46) * 16 * 16),
    },
    energy: null,
  });
});

test.each([
  [
    'output-stationary',
    [32 * 2 * (27 + 8 + 4 - 2) - 1, 1 * 4 * (512 + 10) - 1, 1 * 3 * (16 + 10) - 1],
  ],
  [
    'input-stationary',
    [4 * 64 * (8 + 2 * 8 + 4 - 2) - 1, 64 * 1 * (16 + 18) - 1, 2 * 1 * (10 + 18) - 1],
  ],
])('timing gives the cycles of an accelerator in a file, %s on 8×4', async (dataflow, expected) => {
  const accelerator = join(newFolder(), 'accelerator.json');
  writeFileSync(
    accelerator,
    JSON.stringify({
      name: 'mine',
      array: { rows: 8, columns: 4, dataflow },
      weightMemory: 'fits-network',
    }),
  );
  const { cycles } = await timing('--model', float32, '--accelerator', accelerator);
  expect(cycles).toEqual([
    ['conv1', expected[0]],
    ['fc1', expected[1]],
    ['fc2', expected[2]],
  ]);
});

test('timing takes AlexNet when no network is given', async () => {
  const { cycles } = await timing();
  const layers = [
    { positions: 16 * 16, window: 3 * 9, filters: 64 },
    { positions: 8 * 8, window: 64 * 9, filters: 192 },
    { positions: 4 * 4, window: 192 * 9, filters: 384 },
    { positions: 4 * 4, window: 384 * 9, filters: 256 },
    { positions: 4 * 4, window: 256 * 9, filters: 256 },
    { positions: 1, window: 1024, filters: 4096 },
    { positions: 1, window: 4096, filters: 4096 },
    { positions: 1, window: 4096, filters: 10 },
  ];
  expect(cycles.map(([, found]) => found)).toEqual(
    layers.map(
      ({ positions, window, filters }) =>
        Math.ceil(window / 16) * Math.ceil(filters / 16) * (positions + 2 * 16 + 16 - 2) - 1,
    ),
  );
});

test('timing prints a table as text', async () => {
  const { status, stdout, stderr } = await bitcell(['timing', '--model', int8]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toContain('edge-16x16: 16×16, weight-stationary, one image\n');
  expect(stdout).toMatch(/\nfc1 +1,503 +0 +1,503 +2\.1\n/);
  expect(stdout).toMatch(/\ntotal +2,152 +0 +2,152 +11\.6\n$/);
});
