import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { featureCount } from '../../core/index.js';
import { createReferenceBackend, loadKernels } from '../../kernels/index.js';
import { arrayLayers, dequantize, type Network } from '../../models/index.js';
import {
  type ActivationUnit,
  createDatapath,
  createNetworkDatapath,
  type Datapath,
  firstWeightOfLayers,
  storedWords,
  type WeightPatches,
} from '../../sim/index.js';
import { int8Networks } from '../../testing/index.js';

const kernels = loadKernels();

/** Images around the range that the input can hold. */
function imagesFor(network: Network, count: number, seed: number): Float32Array {
  const length = featureCount(network.tensors[network.input].shape) * count;
  return Float32Array.from({ length }, (_, index) => 20 * Math.sin(seed + index * 12.9898));
}

function somePatches(network: Network, shares: readonly number[]): WeightPatches {
  const words = storedWords(network);
  const weights = [...new Set(shares.map((share) => Math.floor(share * words.length)))].sort(
    (a, b) => a - b,
  );
  const topBit = network.format === 'int8' ? 0x80 : 0x40000000;
  return {
    weights: Uint32Array.from(weights),
    words: Uint32Array.from(weights, (weight) => (words[weight] ^ topBit) >>> 0),
    effectiveFaults: weights.length,
  };
}

function someUnits(network: Network, mode: 'clip-zero' | 'clamp'): Map<string, ActivationUnit> {
  return new Map(
    arrayLayers(network)
      .filter(({ relu }) => relu)
      .map(({ name, shape }): [string, ActivationUnit] => {
        const channels = shape.output.channels;
        return network.format === 'int8'
          ? [
              name,
              { format: 'int8', clip: { mode, thresholds: new Int32Array(channels).fill(3000) } },
            ]
          : [
              name,
              { format: 'float32', clip: { mode, thresholds: new Float32Array(channels).fill(1) } },
            ];
      }),
  );
}

function everyTensor(datapath: Datapath, images: Float32Array, count: number): unknown[] {
  const seen: unknown[] = [];
  datapath.run(images, count, {
    tensor: (tensor, values, first, size) => {
      const { shape } = datapath.network.tensors[tensor];
      seen.push([tensor, first, Array.from(values.subarray(0, size * featureCount(shape)))]);
    },
  });
  return seen;
}

const networks = fc
  .tuple(int8Networks(), fc.boolean())
  .map(([network, float]): Network => (float ? dequantize(network) : network));
const shares = fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), {
  minLength: 1,
  maxLength: 6,
});
const modes = fc.constantFrom('clip-zero' as const, 'clamp' as const);

describe('createDatapath', () => {
  property.prop([networks, shares, modes, fc.integer({ min: 1, max: 5 })], { numRuns: 60 })(
    'computes every tensor alike on WebAssembly and on the reference, faulted and clipped',
    (network, faults, mode, count) => {
      const images = imagesFor(network, count, 1);
      const fast = createNetworkDatapath(network, kernels, 2);
      const slow = createDatapath(network, createReferenceBackend(), count);
      for (const datapath of [fast, slow]) {
        datapath.setDisturbance({ weights: somePatches(network, faults) });
        datapath.setActivationUnits(someUnits(network, mode));
      }
      expect(Array.from(fast.run(images, count))).toEqual(Array.from(slow.run(images, count)));
    },
  );

  property.prop([networks, shares], { numRuns: 30 })(
    'is as before when patches and units are taken back',
    (network, faults) => {
      const images = imagesFor(network, 2, 2);
      const datapath = createNetworkDatapath(network, kernels, 2);
      const before = everyTensor(datapath, images, 2);
      datapath.setDisturbance({ weights: somePatches(network, faults) });
      datapath.setActivationUnits(someUnits(network, 'clip-zero'));
      datapath.run(images, 2);
      datapath.setDisturbance(undefined);
      datapath.setActivationUnits(new Map());
      expect(everyTensor(datapath, images, 2)).toEqual(before);
    },
  );

  property.prop([networks, fc.array(fc.tuple(shares, shares), { minLength: 1, maxLength: 4 })], {
    numRuns: 30,
  })(
    'forgets earlier patches, of other weights and of the same with other words',
    (network, sequence) => {
      const images = imagesFor(network, 2, 6);
      const datapath = createNetworkDatapath(network, kernels, 2);
      for (const [some, more] of sequence) {
        const patches = somePatches(network, [...some, ...more]);
        datapath.setDisturbance({ weights: patches });
        datapath.run(images, 2);
        const stored = storedWords(network);
        // The same weights, every second with the word as stored.
        const words = patches.words.map((word, index) =>
          index % 2 === 0 ? word : stored[patches.weights[index]],
        );
        datapath.setDisturbance({ weights: { ...patches, words } });
        datapath.run(images, 2);
      }
      const last = somePatches(network, sequence[0][0]);
      datapath.setDisturbance({ weights: last });
      const fresh = createNetworkDatapath(network, kernels, 2);
      fresh.setDisturbance({ weights: last });
      expect(everyTensor(datapath, images, 2)).toEqual(everyTensor(fresh, images, 2));
    },
  );

  property.prop([networks, shares], { numRuns: 30 })(
    'patches as if the words had been written into the network',
    (network, faults) => {
      const patches = somePatches(network, faults);
      const first = firstWeightOfLayers(network);
      const words = storedWords(network);
      for (const [index, weight] of patches.weights.entries()) words[weight] = patches.words[index];
      const values =
        network.format === 'int8' ? new Int8Array(words.buffer) : new Float32Array(words.buffer);
      const written = {
        ...network,
        layers: network.layers.map((layer) => {
          const index = arrayLayers(network).findIndex(({ name }) => name === layer.name);
          return index < 0
            ? layer
            : { ...layer, weights: values.slice(first[index], first[index + 1]) };
        }),
      } as Network;
      const images = imagesFor(network, 3, 3);
      const patched = createNetworkDatapath(network, kernels, 3);
      patched.setDisturbance({ weights: patches });
      expect(Array.from(patched.run(images, 3))).toEqual(
        Array.from(createNetworkDatapath(written, kernels, 3).run(images, 3)),
      );
    },
  );

  property.prop([networks, fc.integer({ min: 1, max: 4 })], { numRuns: 30 })(
    'gives each image the same outputs whatever the batch',
    (network, batch) => {
      const images = imagesFor(network, 5, 4);
      expect(Array.from(createNetworkDatapath(network, kernels, batch).run(images, 5))).toEqual(
        Array.from(createNetworkDatapath(network, kernels, 5).run(images, 5)),
      );
    },
  );

  test('names a layer that does not exist', () => {
    const [network] = fc.sample(int8Networks(), { numRuns: 1, seed: 1 });
    const datapath = createNetworkDatapath(network, kernels, 1);
    const units = new Map([
      [
        'conv9',
        { format: 'int8', clip: { mode: 'clamp', thresholds: Int32Array.of(1) } } as ActivationUnit,
      ],
    ]);
    expect(() => datapath.setActivationUnits(units)).toThrow(
      'random has no layer "conv9" with weights',
    );
  });

  test('refuses fewer values than the images need', () => {
    const [network] = fc.sample(int8Networks(), { numRuns: 1, seed: 1 });
    const datapath = createNetworkDatapath(network, kernels, 1);
    const length = featureCount(network.tensors[0].shape);
    expect(() => datapath.run(new Float32Array(length), 2)).toThrow(
      `random takes images of ${length} values, but 2 images came with ${length} values`,
    );
  });
});
