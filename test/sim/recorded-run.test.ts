import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { featureCount } from '../../core/index.js';
import { type KernelCode, loadKernels } from '../../kernels/index.js';
import { arrayLayers, dequantize, type Network } from '../../models/index.js';
import {
  createNetworkDatapath,
  createRecording,
  type Datapath,
  differingLayers,
  firstWeightOfLayers,
  recordRun,
  runFrom,
} from '../../sim/index.js';
import { int8Networks, xorshift } from '../../testing/index.js';
import { architectures, patchesOf } from './bit-faults.js';

const kernels: KernelCode = loadKernels();
const UNBOUNDED = Number.POSITIVE_INFINITY;

function imagesFor(network: Network, count: number, seed: number): Float32Array {
  const random = xorshift(seed);
  const length = featureCount(network.tensors[network.input].shape) * count;
  return Float32Array.from({ length }, () => (random() - 0.5) * 20);
}

const networks = fc
  .tuple(fc.oneof(int8Networks(), architectures), fc.boolean())
  .map(([network, float]): Network => (float ? dequantize(network) : network));
const shares = fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), {
  maxLength: 4,
});
const budgets = fc.oneof(fc.constant(UNBOUNDED), fc.integer({ min: 0, max: 20_000 }));

/** Records all images under their own numbers, backwards. */
function recordAll(datapath: Datapath, images: Float32Array, count: number, budget: number) {
  const recording = createRecording(datapath.network, count, budget);
  const numbers = Uint32Array.from({ length: count }, (_, index) => count - 1 - index);
  recordRun(datapath, recording, images, numbers);
  return { recording, numbers };
}

describe('runFrom', () => {
  property.prop(
    [networks, shares, fc.integer({ min: 0, max: 31 }), budgets, fc.integer({ min: 1, max: 4 })],
    { numRuns: 120 },
  )(
    'gives the outputs of a whole run, whatever is recorded',
    (network, faults, bit, budget, batch) => {
      const images = imagesFor(network, 5, 1);
      const datapath = createNetworkDatapath(network, kernels, batch);
      const { recording, numbers } = recordAll(datapath, images, 5, budget);
      const patches = patchesOf(network, faults, bit);
      datapath.setDisturbance({ weights: patches });
      const differing = differingLayers(network, { weights: patches });
      fc.pre(differing !== undefined);
      const outputs = runFrom(datapath, recording, numbers, differing, () => images);
      expect(Array.from(outputs)).toEqual(Array.from(datapath.run(images, 5)));
    },
  );

  property.prop([networks, shares, shares, fc.integer({ min: 0, max: 31 })], { numRuns: 40 })(
    'can start from a run that was faulty itself',
    (network, faults, more, bit) => {
      const images = imagesFor(network, 3, 2);
      const datapath = createNetworkDatapath(network, kernels, 2);
      datapath.setDisturbance({ weights: patchesOf(network, faults, bit) });
      const { recording, numbers } = recordAll(datapath, images, 3, UNBOUNDED);
      datapath.setDisturbance({ weights: patchesOf(network, [...faults, ...more], bit) });
      const differing = differingLayers(network, { weights: patchesOf(network, more, bit) });
      fc.pre(differing !== undefined);
      const outputs = runFrom(datapath, recording, numbers, differing, () => images);
      expect(Array.from(outputs)).toEqual(Array.from(datapath.run(images, 3)));
    },
  );

  test('skips the layers before the first that differs, and images that no longer differ', () => {
    const [network] = fc.sample(int8Networks(), { numRuns: 1, seed: 3 });
    const weighted = arrayLayers(network);
    const images = imagesFor(network, 2, 3);
    const datapath = createNetworkDatapath(network, kernels, 2);
    const { recording, numbers } = recordAll(datapath, images, 2, UNBOUNDED);
    const computed: number[] = [];
    const counting = {
      ...datapath,
      runLayer: (layer: number, count: number) => {
        computed.push(layer);
        datapath.runLayer(layer, count);
      },
    };
    const { name } = weighted[weighted.length - 1];
    const last = network.layers.findIndex((layer) => layer.name === name);
    runFrom(counting, recording, numbers, { first: last, last }, () => images);
    expect(Math.min(...computed)).toBe(last);
    computed.length = 0;
    // Nothing differs at all, so each image is done at the first point behind the range.
    runFrom(counting, recording, numbers, { first: 0, last: 0 }, () => images);
    expect(computed.length).toBeLessThan(network.layers.length);
  });
});

describe('differingLayers', () => {
  property.prop([networks, fc.array(fc.nat(), { minLength: 1, maxLength: 3 })], { numRuns: 40 })(
    'is from the layer of the first weight to that of the last',
    (network, numbers) => {
      const starts = firstWeightOfLayers(network);
      const total = starts[starts.length - 1];
      const weights = Uint32Array.from([
        ...new Set(numbers.map((number) => number % total)),
      ]).sort();
      const layerOf = (weight: number) => {
        const index = arrayLayers(network).findIndex(
          (_layer, position) => starts[position] <= weight && weight < starts[position + 1],
        );
        const { name } = arrayLayers(network)[index];
        return network.layers.findIndex((layer) => layer.name === name);
      };
      expect(
        differingLayers(network, { weights: { weights, words: weights, effectiveFaults: 1 } }),
      ).toEqual({
        first: layerOf(weights[0]),
        last: layerOf(weights[weights.length - 1]),
      });
    },
  );
});
