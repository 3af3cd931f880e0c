import { expect, test } from 'vitest';
import { InputError } from '../../core/index.js';
import { resolveModel, weightedLayers } from '../../models/index.js';
import {
  ACCELERGY_65NM,
  type Accelerator,
  inferenceCost,
  loadAccelerator,
  networkTiming,
} from '../../sim/index.js';

const network = resolveModel('alexnet');
const weights = weightedLayers(network).reduce((sum, layer) => sum + layer.weights.length, 0);
const tpu = loadAccelerator('tpu-v1');
const slow: Accelerator = { ...tpu, bandwidth: { input: 1, weights: 1, output: 1 } };

test('an inference waits where the bandwidth is finite', () => {
  const shapes = weightedLayers(network).map(({ shape }) => shape);
  expect(inferenceCost(network, tpu)).toEqual({ timing: networkTiming(shapes, tpu.array) });
  // A word a cycle: no weight arrives sooner.
  expect(inferenceCost(network, slow).timing.total.totalCycles).toBeGreaterThan(weights);
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
