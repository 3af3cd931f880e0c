import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { featureCount } from '../../core/index.js';
import { loadKernels } from '../../kernels/index.js';
import { arrayLayers, dequantize, type Int8Network } from '../../models/index.js';
import {
  type ActivationUnit,
  canFollowChanges,
  createDeltaRunner,
  createNetworkDatapath,
  storedWords,
  type WeightPatches,
} from '../../sim/index.js';
import { ARCHITECTURES, int8GraphOf, int8Networks, xorshift } from '../../testing/index.js';
import { ALL_CODES } from '../kernels/codes.js';

const kernels = loadKernels();

function imagesFor(network: Int8Network, count: number, seed: number): Float32Array {
  const random = xorshift(seed);
  const length = featureCount(network.tensors[network.input].shape) * count;
  return Float32Array.from({ length }, () => (random() - 0.3) * 20);
}

function patchesOf(
  network: Int8Network,
  faults: readonly (readonly [number, number])[],
): WeightPatches {
  const words = storedWords(network);
  const faulty = new Map<number, number>();
  for (const [share, bit] of faults) {
    const weight = Math.floor(share * words.length);
    faulty.set(weight, words[weight] ^ (1 << bit));
  }
  const sorted = [...faulty].sort(([a], [b]) => a - b);
  return {
    weights: Uint32Array.from(sorted, ([weight]) => weight),
    words: Uint32Array.from(sorted, ([, word]) => word),
    effectiveFaults: sorted.length,
  };
}

/** A threshold for each channel, or different ones for its neurons. */
function unitsOf(
  network: Int8Network,
  mode: 'clip-zero' | 'clamp' | 'none',
  threshold: number,
  perNeuron: boolean,
) {
  const units = new Map<string, ActivationUnit>();
  if (mode === 'none') return units;
  for (const { name, shape, relu } of arrayLayers(network)) {
    const count = perNeuron ? featureCount(shape.output) : shape.output.channels;
    const thresholds = Int32Array.from({ length: count }, (_, neuron) =>
      perNeuron ? threshold - ((neuron * 911) % 5000) : threshold,
    );
    if (relu) units.set(name, { format: 'int8', clip: { mode, thresholds } });
  }
  return units;
}

const share = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const bit = fc.integer({ min: 0, max: 7 });
const fewFaults = fc.array(fc.tuple(share, bit), { maxLength: 3 });
const manyFaults = fc.array(fc.tuple(share, bit), { minLength: 20, maxLength: 200 });
const modes = fc.constantFrom('clip-zero' as const, 'clamp' as const, 'none' as const);

describe('createDeltaRunner', () => {
  property.prop(
    [
      int8Networks(),
      fc.array(
        fc.oneof({ weight: 4, arbitrary: fewFaults }, { weight: 1, arbitrary: manyFaults }),
        {
          minLength: 1,
          maxLength: 4,
        },
      ),
      modes,
      fc.integer({ min: 0, max: 20_000 }),
      fc.boolean(),
      fc.integer({ min: 1, max: 4 }),
      fc.constantFrom(0, 1, undefined),
      fc.constantFrom(...ALL_CODES),
    ],
    { numRuns: 200 },
  )(
    'gives the outputs of whole runs, one fault map after the other',
    (network, maps, mode, threshold, perNeuron, batch, advantage, code) => {
      const count = 5;
      const images = imagesFor(network, count, 1);
      const units = unitsOf(network, mode, threshold, perNeuron);
      const datapath = createNetworkDatapath(network, kernels, batch);
      const runner = createDeltaRunner(network, datapath, code, count, units, advantage);
      const plain = createNetworkDatapath(network, kernels, count);
      plain.setActivationUnits(units);
      const golden = plain.run(images, count);
      const ofImage = (values: Float32Array, image: number) => (values.length / count) * image;
      // Recorded in two goes, as a study does that runs more images later.
      expect(runner.record(images.subarray(0, ofImage(images, 2)), 2)).toEqual(
        golden.subarray(0, ofImage(golden, 2)),
      );
      runner.record(images.subarray(ofImage(images, 2)), count - 2);
      expect(runner.recorded).toBe(count);
      for (const faults of maps) {
        const patches = patchesOf(network, faults);
        plain.setDisturbance({ weights: patches });
        const expected = plain.run(images, count);
        expect(runner.run(patches, 1, 3)).toEqual(
          expected.subarray(ofImage(expected, 1), ofImage(expected, 4)),
        );
        expect(runner.run(patches)).toEqual(expected);
      }
    },
  );

  test('follows weights with zero points, too', () => {
    const [network] = fc.sample(int8Networks(), { numRuns: 1, seed: 5 });
    const shifted: Int8Network = {
      ...network,
      layers: network.layers.map((layer) =>
        'zeroPoints' in layer
          ? {
              ...layer,
              zeroPoints: layer.zeroPoints.map((_, channel) => ((channel * 37) % 256) - 128),
            }
          : layer,
      ),
    };
    const images = imagesFor(shifted, 3, 2);
    const plain = createNetworkDatapath(shifted, kernels, 3);
    const datapath = createNetworkDatapath(shifted, kernels, 3);
    const runner = createDeltaRunner(shifted, datapath, kernels, 3, new Map());
    runner.record(images, 3);
    const patches = patchesOf(shifted, [[0.01, 7]]);
    plain.setDisturbance({ weights: patches });
    expect(runner.run(patches)).toEqual(plain.run(images, 3));
  });
});

describe('canFollowChanges', () => {
  const random = xorshift(1);
  const input = { channels: 3, height: 8, width: 8 };

  test.each(Object.keys(ARCHITECTURES))('refuses %s, whose graph has branches', (name) => {
    const network = int8GraphOf(ARCHITECTURES[name](input, random), random);
    expect(canFollowChanges(network)).toBe(false);
  });

  test('takes int8 chains and refuses float32 ones', () => {
    const [network] = fc.sample(int8Networks(), { numRuns: 1, seed: 1 });
    expect(canFollowChanges(network)).toBe(true);
    expect(canFollowChanges(dequantize(network))).toBe(false);
  });
});
