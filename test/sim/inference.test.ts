import { expect, test } from 'vitest';
import { InputError } from '../../core/index.js';
import { arrayLayers, dequantize, resolveModel } from '../../models/index.js';
import {
  ACCELERGY_65NM,
  type Accelerator,
  inferenceCost,
  loadAccelerator,
  networkTiming,
  parseAccelerator,
} from '../../sim/index.js';

const network = resolveModel('alexnet');
const weights = arrayLayers(network).reduce((sum, layer) => sum + layer.weights.length, 0);
const tpu = loadAccelerator('tpu-v1');
const slow: Accelerator = { ...tpu, bandwidth: { input: 1, weights: 1, output: 1 } };

test('an inference waits where the bandwidth is finite', () => {
  const shapes = arrayLayers(network).map(({ shape }) => shape);
  expect(inferenceCost(network, tpu)).toEqual({ timing: networkTiming(shapes, tpu.array) });
  // A word a cycle: no weight arrives sooner.
  expect(inferenceCost(network, slow).timing.total.totalCycles).toBeGreaterThan(weights);
});

test.each([
  [network, 1],
  [network.format === 'int8' ? dequantize(network) : expect.unreachable(), 4],
] as const)('a bandwidth in bytes a second counts the bytes of $format words', (net, wordBytes) => {
  const accelerator = parseAccelerator(
    [
      'name: mine',
      'array: { rows: 16, columns: 16, dataflow: weight-stationary }',
      'clock: 500MHz',
      'weightMemory: fits-network',
      'buffers: { input: 64KiB, weights: 64KiB, output: 64KiB }',
      'bandwidth: { input: 1GB/s, weights: 1GB/s, output: 1GB/s }',
    ].join('\n'),
    'mine.yaml',
  );
  // 4096 × 4096 weights in tiles of 16 × 16, which load slower than they compute: all bytes at 2 a cycle, then the
  // last tile and its 16 outputs.
  const fc2 = inferenceCost(net, accelerator).timing.layers[6];
  const [tile, drain] = [1 + 2 * 16 + 16 - 2, (16 * wordBytes) / 2];
  expect(fc2.hardwareCycles).toBe((4096 * 4096 * wordBytes) / 2 + tile + drain);
});

test('an energy table gives the energy of an inference', () => {
  const { energy } = inferenceCost(network, { ...slow, energyTable: ACCELERGY_65NM });
  const bits = network.format === 'int8' ? 8 : 32;
  // Each weight is written once when it arrives from memory, and read once.
  expect(energy?.components.weightSram).toBeCloseTo(
    (weights * bits * (18.2e-12 + 14.1e-12)) / 64,
    12,
  );
  expect(energy).toMatchObject({
    table: 'accelergy-65nm',
    source: ACCELERGY_65NM.source,
    power: null,
  });
  expect(energy?.notGiven.map(({ component }) => component)).toEqual([
    ...['inputSram', 'outputSram', 'registerFile', 'mac', 'leakage'],
  ]);
});

test('a bandwidth needs buffers', () => {
  const { buffers, ...rest } = slow;
  expect(buffers).toBeDefined();
  expect(() => inferenceCost(network, rest)).toThrow(
    new InputError('tpu-v1 has a bandwidth but no buffers: give their sizes by --buffers.'),
  );
});
