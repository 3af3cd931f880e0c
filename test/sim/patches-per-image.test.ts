import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { featureCount } from '../../core/index.js';
import { loadKernels } from '../../kernels/index.js';
import { dequantize, type Network } from '../../models/index.js';
import {
  createNetworkDatapath,
  runPerImage,
  storedWords,
  type WeightPatches,
} from '../../sim/index.js';
import { ARCHITECTURES, int8Networks, xorshift } from '../../testing/index.js';

const kernels = loadKernels();

const networks = fc
  .tuple(int8Networks(), fc.boolean())
  .map(([network, float]): Network => (float ? dequantize(network) : network));
const shares = fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), {
  maxLength: 5,
});

function imagesFor(network: Network, count: number): Float32Array {
  const length = featureCount(network.tensors[network.input].shape) * count;
  return Float32Array.from({ length }, (_, index) => 20 * Math.sin(index * 12.9898));
}

/** Weights at the given shares of the network with their top bit (float32: of the exponent) inverted. */
function patchesAt(network: Network, positions: readonly number[]): WeightPatches {
  const words = storedWords(network);
  const weights = [...new Set(positions.map((share) => Math.floor(share * words.length)))].sort(
    (a, b) => a - b,
  );
  const topBit = network.format === 'int8' ? 0x80 : 0x40000000;
  return {
    weights: Uint32Array.from(weights),
    words: Uint32Array.from(weights, (weight) => (words[weight] ^ topBit) >>> 0),
    effectiveFaults: weights.length,
  };
}

/** Each image alone, on a datapath of its own. */
function runAlone(
  network: Network,
  images: Float32Array,
  patches: readonly (WeightPatches | undefined)[],
): number[] {
  const length = featureCount(network.tensors[network.input].shape);
  return patches.flatMap((own, image) => {
    const datapath = createNetworkDatapath(network, kernels, 1);
    datapath.setDisturbance({ weights: own });
    return Array.from(datapath.run(images.subarray(image * length, (image + 1) * length), 1));
  });
}

describe('runPerImage', () => {
  test.prop(
    [
      networks,
      fc.array(shares, { minLength: 1, maxLength: 3 }),
      fc.array(fc.option(fc.nat({ max: 2 }), { nil: undefined }), { minLength: 1, maxLength: 7 }),
      fc.integer({ min: 1, max: 3 }),
    ],
    { numRuns: 40 },
  )(
    'gives each image the outputs that it has alone with its patches',
    (network, maps, mapOfImage, batch) => {
      const images = imagesFor(network, mapOfImage.length);
      const patches = mapOfImage.map((map) =>
        map === undefined ? undefined : patchesAt(network, maps[map % maps.length]),
      );
      const datapath = createNetworkDatapath(network, kernels, batch);
      const outputs = runPerImage(datapath, images, patches.length, (image) => ({
        weights: patches[image],
      }));
      expect(Array.from(outputs)).toEqual(runAlone(network, images, patches));
      const clean = createNetworkDatapath(network, kernels, batch).run(images, patches.length);
      expect(datapath.run(images, patches.length)).toEqual(clean);
    },
  );

  test('runs images with long lists of patches, too', () => {
    const network = ARCHITECTURES.MobileNetV2({ channels: 3, height: 8, width: 8 }, xorshift(3));
    const all = Array.from({ length: 2000 }, (_, weight) => weight / 2000);
    const patches = [undefined, all, all.slice(1), undefined, all].map(
      (positions) => positions && patchesAt(network, positions),
    );
    const images = imagesFor(network, patches.length);
    const datapath = createNetworkDatapath(network, kernels, 2);
    expect(
      Array.from(
        runPerImage(datapath, images, patches.length, (image) => ({ weights: patches[image] })),
      ),
    ).toEqual(runAlone(network, images, patches));
  });

  test('asks for the patches of each image once, and for no others', () => {
    const [network] = fc.sample(int8Networks(), { numRuns: 1, seed: 1 });
    const asked: number[] = [];
    const datapath = createNetworkDatapath(network, kernels, 2);
    runPerImage(datapath, imagesFor(network, 4), 3, (image) => {
      asked.push(image);
      return undefined;
    });
    expect(asked).toEqual([0, 1, 2]);
  });

  test('takes the patches back when something fails', () => {
    const [network] = fc.sample(int8Networks(), { numRuns: 1, seed: 1 });
    const images = imagesFor(network, 2);
    const datapath = createNetworkDatapath(network, kernels, 2);
    const clean = datapath.run(images, 2);
    datapath.setDisturbance({ weights: patchesAt(network, [0, 0.5, 0.9]) });
    expect(() =>
      runPerImage(datapath, images, 2, () => {
        throw new Error('no map');
      }),
    ).toThrow('no map');
    expect(datapath.run(images, 2)).toEqual(clean);
  });

  test('refuses fewer values than the images need', () => {
    const [network] = fc.sample(int8Networks(), { numRuns: 1, seed: 1 });
    const length = featureCount(network.tensors[0].shape);
    const datapath = createNetworkDatapath(network, kernels, 1);
    expect(() => runPerImage(datapath, new Float32Array(length), 2, () => undefined)).toThrow(
      `random takes images of ${length} values, but 2 images came with ${length} values`,
    );
  });
});
