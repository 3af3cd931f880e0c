import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { weightCount } from '../../core/index.js';
import {
  createFaultBuffers,
  type FaultMap,
  type FaultModel,
  nestedFaultMaps,
} from '../../fault/index.js';
import { loadKernels } from '../../kernels/index.js';
import { dequantize, type Network, weightedLayers } from '../../models/index.js';
import {
  applyFaultMap,
  createNetworkDatapath,
  createPatchBuffers,
  defineWeightMemory,
  differingLayers,
  type Placement,
  residentPlacement,
  storedWords,
  streamedPlacement,
  type WeightPatches,
} from '../../sim/index.js';
import { int8Networks, systolicArrays } from '../../testing/index.js';

const plain = ({ weights, words, effectiveFaults }: WeightPatches) => ({
  weights: Array.from(weights),
  words: Array.from(words),
  effectiveFaults,
});

/** The map with its faults in lists alone. */
const listed = ({ geometry, cells, kinds, provenance }: FaultMap): FaultMap => ({
  geometry,
  cells: cells.slice(),
  kinds: kinds.slice(),
  provenance,
});

const networks = fc
  .tuple(int8Networks(), fc.boolean())
  .map(([network, float]): Network => (float ? dequantize(network) : network));

const models: fc.Arbitrary<FaultModel> = fc.record({
  model: fc.constant('uniform' as const),
  faults: fc.constantFrom('flip', 'stuck-at-0', 'stuck-at-1', 'stuck-at'),
});

/** Words of one weight and more, with and without bits that hold none, and narrower than a weight. */
const words = fc.record({
  columnMux: fc.constantFrom(1, 2, 4, 8, 16),
  wordBits: fc.constantFrom(4, 32, 40, 64, 128),
});

/** A memory with a few more words than the network needs. */
function placementOf(
  network: Network,
  { columnMux, wordBits }: { readonly columnMux: number; readonly wordBits: number },
  array: Parameters<typeof streamedPlacement>[3] | undefined,
): Placement {
  const shapes = weightedLayers(network).map(({ shape }) => shape);
  const weights = shapes.reduce((sum, shape) => sum + weightCount(shape), 0);
  const weightBits = network.format === 'int8' ? 8 : 32;
  const used = wordBits < 32 ? wordBits : Math.floor(wordBits / weightBits) * weightBits;
  const rows = 8 * Math.ceil((weights * weightBits) / used / columnMux / 8 + 1);
  const memory = defineWeightMemory({ banks: 2, rows, wordBits, columnMux });
  return array
    ? streamedPlacement(memory, shapes, weightBits, array)
    : residentPlacement(memory, weights, weightBits);
}

const rates = fc.array(
  fc.oneof(fc.constantFrom(0, 0.0003, 0.0005, 0.01), fc.double({ min: 0, max: 0.6, noNaN: true })),
  { minLength: 1, maxLength: 5 },
);

const code = loadKernels();

describe('faults as bitmaps', () => {
  const faultBuffers = createFaultBuffers();
  const patchBuffers = createPatchBuffers();

  test.prop(
    [
      networks,
      models,
      words,
      fc.option(systolicArrays(), { nil: undefined }),
      fc.maxSafeNat(),
      rates,
    ],
    { numRuns: 150 },
  )('make the patches that they make as lists', (network, model, memory, array, seed, ratesOf) => {
    const placement = placementOf(network, memory, array);
    const stored = storedWords(network);
    const mapAt = nestedFaultMaps(model, placement.geometry, seed, 0, undefined, faultBuffers);
    for (const rate of ratesOf) {
      const map = mapAt(rate);
      const patches = applyFaultMap(map, placement, stored, patchBuffers);
      const expected = applyFaultMap(listed(map), placement, stored);
      expect(expected.inverted).toBeUndefined();
      // Few faults of a stream are lists again.
      const isDense = map.bits !== undefined && (array === undefined || rate > 0.005);
      if (isDense || map.bits === undefined) {
        expect(patches.inverted !== undefined).toBe(isDense);
      }
      const layers = differingLayers(network, { weights: patches });
      expect(layers).toEqual(differingLayers(network, { weights: expected }));
      expect(plain(patches)).toEqual(plain(expected));
    }
  });

  test.prop([networks, models, words, fc.maxSafeNat(), rates], { numRuns: 60 })(
    'are in kernels what they are as lists, from one to the next and taken out',
    (network, model, memory, seed, ratesOf) => {
      const placement = placementOf(network, memory, undefined);
      const stored = storedWords(network);
      const mapAt = nestedFaultMaps(model, placement.geometry, seed, 0, undefined, faultBuffers);
      const [dense, sparse] = [0, 1].map(() => createNetworkDatapath(network, code, 1));
      const { channels, height, width } = network.tensors[network.input].shape;
      const image = Float32Array.from({ length: channels * height * width }, (_, index) =>
        Math.sin(seed + index),
      );
      const outputs = (datapath: typeof dense) => Array.from(datapath.run(image, 1));
      const clean = outputs(dense);
      for (const [place, rate] of ratesOf.entries()) {
        const map = mapAt(rate);
        // Lists in between: bits are then put in the place of lists, and lists in that of bits.
        const isListed = place % 3 === 2;
        const weights = applyFaultMap(
          isListed ? listed(map) : map,
          placement,
          stored,
          patchBuffers,
        );
        dense.setDisturbance({ weights });
        sparse.setDisturbance({ weights: applyFaultMap(listed(map), placement, stored) });
        expect(outputs(dense)).toEqual(outputs(sparse));
        if (seed % 2 === 0) {
          dense.setDisturbance(undefined);
          expect(outputs(dense)).toEqual(clean);
        }
      }
      dense.setDisturbance(undefined);
      expect(outputs(dense)).toEqual(clean);
    },
  );
});
