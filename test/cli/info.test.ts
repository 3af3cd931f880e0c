import { expect, test } from 'vitest';
import { writeIslandNetwork } from '../sim/islands.js';
import { bitcell, bitcellJson, newFolder } from './command.js';
import { CELLS, WEIGHTS, writeTinyNetwork } from './tiny-network.js';

const folder = newFolder();
const { int8 } = writeTinyNetwork(folder);
const islands = writeIslandNetwork(folder);

test('info lists layers, where they are computed and what they store', async () => {
  const result = await bitcellJson(['info', int8]);
  expect(result).toMatchObject({
    ...{ model: int8, format: 'int8' },
    inputs: [{ name: 'images', elementType: 'float32', shape: [1, 3, 32, 32] }],
    outputs: [{ name: 'logits', elementType: 'float32', shape: [1, 10] }],
    totals: { layers: 5, simulated: 5, islands: 0, weights: WEIGHTS, cells: 8 * WEIGHTS },
  });
  expect(WEIGHTS * 8).toBeLessThan(CELLS.int8);
  expect(result.layers).toMatchObject([
    { name: 'conv1', operator: 'convolution', place: 'array', weights: 216, timed: true },
    { name: 'pool1', operator: 'max-pool', place: 'vector unit', weights: 0, timed: true },
    { name: 'flatten', operator: 'flatten', place: 'moved', cells: 0 },
    { name: 'fc1', output: { channels: 16, height: 1, width: 1 } },
    { name: 'fc2', simulated: true, nodes: [], sharedWith: null },
  ]);
});

test('info says why an island is not simulated, and which weights it takes', async () => {
  const { layers, totals } = await bitcellJson(['info', islands]);
  expect(totals).toMatchObject({ simulated: 6, islands: 1, weights: 288 + 120 + 50 });
  expect(layers).toMatchObject([
    { name: 'conv', operator: 'convolution', place: 'array' },
    { operator: 'stored-weights', place: 'weight memory', weights: 120, cells: 32 * 120 },
    {
      ...{ operator: 'island', place: 'host', simulated: false, timed: false },
      nodes: [{ node: 'node "u" (ConvTranspose)', reason: expect.any(String) }],
    },
    { operator: 'transpose', place: 'moved' },
    { operator: 'global-average-pool', place: 'vector unit' },
    { operator: 'flatten', place: 'moved' },
    { name: 'fc', weights: 50 },
  ]);
  const { stdout } = await bitcell(['info', islands]);
  expect(stdout).toContain(`${islands}: float32 words, 458 weights in 14,656 cells\n`);
  expect(stdout).toContain('\ninput x: float32 [1, 3, 32, 32]\noutput y: float32 [1, 10]\n');
  expect(stdout).toMatch(
    /\n\S+ is not simulated: onnxruntime computes it on the host.*\n {2}node "u"/,
  );
});

test('timing names what it does not time', async () => {
  const result = await bitcellJson(['timing', '--model', islands]);
  expect(result.notTimed).toEqual([{ name: 'u', nodes: ['node "u" (ConvTranspose)'] }]);
  const vector = result.vector as { layers: { name: string }[] };
  expect(vector.layers.map(({ name }) => name)).not.toContain('u');
  const { stdout } = await bitcell(['timing', '--model', islands]);
  expect(stdout).toContain(
    '\nu is not timed, for the host computes it: node "u" (ConvTranspose)\n',
  );
});
