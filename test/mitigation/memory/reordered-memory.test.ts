import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { featureCount } from '../../../core/index.js';
import { type FaultMap, uniformFaultMap } from '../../../fault/index.js';
import { createReferenceBackend } from '../../../kernels/index.js';
import {
  channelCost,
  type MemoryPart,
  memorySideOf,
  type PlacedWeights,
  type PlaceFaults,
  parseMitigation,
  reorderChannels,
} from '../../../mitigation/index.js';
import { arrayLayers, dequantize, type Network } from '../../../models/index.js';
import {
  applyFaultMap,
  createDatapath,
  firstWeightOfLayers,
  loadAccelerator,
  type Placement,
  placeNetwork,
  storedWords,
  type WeightPatches,
} from '../../../sim/index.js';
import { ARCHITECTURES, int8GraphOf, int8Networks, xorshift } from '../../../testing/index.js';
import { channelPlaces, permuteNetwork } from './permuted-network.js';

const accelerator = loadAccelerator('edge-16x16');
const REORDER: MemoryPart = { use: 'reorder' };

/** A memory that holds a network, or a small one that is filled again and again. */
function placedIn(network: Network, kind: Placement['kind'], parts: readonly MemoryPart[] = []) {
  const weightMemory = { rows: 16, wordBits: 64, columnMux: 2 } as const;
  const weights = arrayLayers(network).reduce((sum, layer) => sum + layer.weights.length, 0);
  const bits = weights * (network.format === 'int8' ? 8 : 32);
  const banks = kind === 'streamed' ? 2 : Math.ceil(bits / (16 * 2 * 64)) + 1;
  const checkBits = parts.some(({ use }) => use === 'secded') ? 8 : 0;
  const small = { ...accelerator, weightMemory: { ...weightMemory, banks, checkBits } };
  return { network, placement: placeNetwork(network, small, kind) };
}

const settings = fc.record({
  kind: fc.constantFrom<Placement['kind']>('resident', 'streamed'),
  isFloat: fc.boolean(),
  rate: fc.constantFrom(1e-3, 1e-2, 0.05),
  faults: fc.constantFrom('stuck-at', 'stuck-at-0', 'stuck-at-1'),
  seed: fc.nat(1000),
});

const networks = fc.oneof(
  int8Networks(),
  fc
    .tuple(fc.constantFrom(...Object.keys(ARCHITECTURES)), fc.integer({ min: 1, max: 1000 }))
    .map(([name, seed]) => architecture(name, seed)),
);

function architecture(name: string, seed: number) {
  const build = ARCHITECTURES[name];
  const random = xorshift(seed);
  return int8GraphOf(build({ channels: 3, height: 8, width: 8 }, random), random);
}

interface Options {
  readonly rate: number;
  readonly faults: 'stuck-at' | 'stuck-at-0' | 'stuck-at-1' | 'flip';
  readonly seed: number;
}

function mapFor({ placement }: PlacedWeights, options: Options): FaultMap {
  return uniformFaultMap({ geometry: placement.geometry, ...options, trial: 0 });
}

function outputsOf(network: Network, patches?: WeightPatches): Float32Array {
  const { shape, quantization } = network.tensors[network.input];
  const random = xorshift(7);
  const spread = quantization ? quantization.scale * 255 : 4;
  const images = Float32Array.from({ length: 2 * featureCount(shape) }, () => random() * spread);
  const datapath = createDatapath(network, createReferenceBackend(), 2);
  if (patches) datapath.setDisturbance({ weights: patches });
  return datapath.run(images, 2);
}

/** The words that weights are read as. */
function byWeight({ weights, words }: WeightPatches, weightAt = (place: number) => place) {
  return new Map(
    Array.from(weights, (place, at) => [weightAt(place), words[at]] as const).sort(
      ([one], [other]) => one - other,
    ),
  );
}

const others = fc.constantFrom<MemoryPart[]>(
  [],
  [{ use: 'rotate' }],
  [{ use: 'rotate', by: 'data' }],
  [{ use: 'secded' }],
  [{ use: 'secded', onDetect: 'zero' }, { use: 'rotate' }, { use: 'range-check' }],
  [{ use: 'harden' }, { use: 'closest-value' }],
  [{ use: 'word-masking', unit: 'row', spareWords: 2 }, { use: 'invert' }],
  [
    { use: 'spares', rows: 1, columns: 2 },
    { use: 'range-check', granularity: 'channel' },
  ],
);

property.prop([networks, settings, others], { numRuns: 60 })(
  'a permuted network in the memory as it is reads the same words, and computes the same',
  (int8, { kind, isFloat, ...options }, parts) => {
    const placed = placedIn(isFloat ? dequantize(int8) : int8, kind, parts);
    const { network, placement } = placed;
    const map = mapFor(placed, options);
    const side = memorySideOf([...parts, REORDER], placed);
    const patches = side.patchesOf(map);
    const places = channelPlaces(network, placement, side.placement);
    const permuted = permuteNetwork(network, places);
    const weightAt: number[] = [];
    for (const [weight, place] of permuted.placeOf.entries()) weightAt[place] = weight;
    const expected = memorySideOf(parts, { network: permuted.network, placement }).patchesOf(map);
    expect(byWeight(patches)).toEqual(byWeight(expected, (place) => weightAt[place]));
    expect(patches.effectiveFaults).toBe(expected.effectiveFaults);
    if (isFloat) return;
    expect(outputsOf(permuted.network)).toEqual(outputsOf(network));
    expect(outputsOf(permuted.network, expected)).toEqual(outputsOf(network, patches));
  },
);

property.prop([networks, settings], { numRuns: 30 })(
  'without other parts the words are those of the fault map on the permuted network',
  (int8, { kind, isFloat, ...options }) => {
    const placed = placedIn(isFloat ? dequantize(int8) : int8, kind);
    const { network, placement } = placed;
    const map = mapFor(placed, options);
    const side = memorySideOf([REORDER], placed);
    const patches = side.patchesOf(map);
    const permuted = permuteNetwork(network, channelPlaces(network, placement, side.placement));
    const weightAt: number[] = [];
    for (const [weight, place] of permuted.placeOf.entries()) weightAt[place] = weight;
    const expected = applyFaultMap(map, placement, wordsOf(permuted.network));
    expect(byWeight(patches)).toEqual(byWeight(expected, (place) => weightAt[place]));
    const none = { ...map, cells: map.cells.slice(0, 0), kinds: map.kinds.slice(0, 0) };
    expect(side.patchesOf(none).weights).toHaveLength(0);
    for (const places of channelPlaces(network, placement, side.placement).values()) {
      expect(places).toEqual([...places.keys()]);
    }
  },
);

function wordsOf(network: Network) {
  return network.format === 'int8' ? storedWords(network) : storedWords(network);
}

/** What each channel of a layer would cost in each place: bit for bit, from the fault map. */
function layerPlaces({ network, placement }: PlacedWeights, map: FaultMap, layer: number) {
  const first = firstWeightOfLayers(network);
  const { shape } = arrayLayers(network)[layer];
  const { channels } = shape.output;
  const window = (first[layer + 1] - first[layer]) / channels;
  const ones = wordsOf(network).fill(placement.weightBits === 8 ? 0xff : 0xffffffff);
  const zeros = wordsOf(network).fill(0);
  const stuckAt0 = byWeight(applyFaultMap(map, placement, ones));
  const stuckAt1 = byWeight(applyFaultMap(map, placement, zeros));
  return Array.from({ length: channels }, (_, channel): PlaceFaults => {
    const start = first[layer] + channel * window;
    const and = Uint32Array.from(
      { length: window },
      (_, at) => stuckAt0.get(start + at) ?? ones[0],
    );
    const or = Uint32Array.from({ length: window }, (_, at) => stuckAt1.get(start + at) ?? 0);
    return { lanes: Uint32Array.from(and.keys()), and, or, xor: new Uint32Array(window) };
  });
}

/** Channels with one word in each lane: those of a layer in the places that its inputs have. */
function layerChannels({ network }: PlacedWeights, layer: number): Uint32Array[] {
  const first = firstWeightOfLayers(network);
  const { channels } = arrayLayers(network)[layer].shape.output;
  const window = (first[layer + 1] - first[layer]) / channels;
  const words = wordsOf(network);
  return Array.from({ length: channels }, (_, channel) => {
    const start = first[layer] + channel * window;
    return Uint32Array.from(words.subarray(start, start + window));
  });
}

property.prop([int8Networks(), settings], { numRuns: 40 })(
  'layer by layer, given the inputs, the bits that are read wrongly cost least in sum',
  (int8, { kind, isFloat, ...options }) => {
    const placed = placedIn(isFloat ? dequantize(int8) : int8, kind);
    const { network, placement } = placed;
    const map = mapFor(placed, options);
    const side = memorySideOf([REORDER], placed);
    side.patchesOf(map);
    const places = channelPlaces(network, placement, side.placement);
    const layers = arrayLayers(network);
    const before = new Map<string, readonly number[]>();
    for (const [index, { name }] of layers.entries()) {
      const inputsPlaced = { ...placed, network: permuteNetwork(network, before).network };
      const found = places.get(name) ?? [];
      if (index < layers.length - 1) {
        const channels = layerChannels(inputsPlaced, index);
        const faults = layerPlaces(placed, map, index);
        const cost = (order: ArrayLike<number>) =>
          channels.reduce(
            (sum, channel, at) =>
              sum + channelCost(channel, faults[order[at]], placement.weightBits),
            0,
          );
        expect(cost(found)).toBe(cost(reorderChannels(channels, faults, placement.weightBits)));
        expect(cost(found)).toBeLessThanOrEqual(cost([...channels.keys()]));
      }
      before.set(name, found);
    }
  },
);

/** The layers whose channels have moved under many stuck cells. */
function movedLayers(name: string, part: MemoryPart, faults: Options['faults'] = 'stuck-at') {
  const placed = placedIn(architecture(name, 5), 'resident');
  const side = memorySideOf([part], placed);
  side.patchesOf(mapFor(placed, { rate: 0.05, faults, seed: 1 }));
  const places = channelPlaces(placed.network, placed.placement, side.placement);
  return [...places].filter(([, to]) => to.some((place, at) => place !== at)).map(([of]) => of);
}

describe('the layers whose channels move', () => {
  test('are in branches up to where these meet', () => {
    const all = arrayLayers(architecture('ResNet-18', 5)).map(({ name }) => name);
    const moved = movedLayers('ResNet-18', REORDER);
    // The first convolution of each of the three blocks; all has the stem, one projection and the classifier, too.
    expect([moved.length, all.length]).toEqual([3, 9]);
    expect(movedLayers('ResNet-18', { use: 'reorder', layers: [moved[1]] })).toEqual([moved[1]]);
  });

  test('are not beside depthwise convolutions', () => {
    expect(movedLayers('MobileNetV2', REORDER)).toEqual(['conv11']);
  });

  test('are none where all cells flip', () => {
    expect(movedLayers('ResNet-18', REORDER, 'flip')).toEqual([]);
  });
});

property.prop([int8Networks(), settings, fc.uniqueArray(fc.nat(3), { minLength: 1 })], {
  numRuns: 20,
})('channels that are not wholly in its banks stay', (network, { kind, ...options }, banks) => {
  const placed = placedIn(network, kind);
  const { memory } = placed.placement;
  const within = banks.filter((bank) => bank < memory.banks);
  fc.pre(within.length > 0);
  const side = memorySideOf([{ use: 'reorder', banks: within }], placed);
  side.patchesOf(mapFor(placed, options));
  const first = firstWeightOfLayers(network);
  const slotsOfBank = (memory.rows * memory.columnMux * memory.wordBits) / 8;
  for (const [index, [, places]] of [
    ...channelPlaces(network, placed.placement, side.placement),
  ].entries()) {
    const window = (first[index + 1] - first[index]) / places.length;
    for (const [channel, place] of places.entries()) {
      const weights = Array.from(
        { length: window },
        (_, at) => first[index] + channel * window + at,
      );
      const isWithin = weights.every((weight) =>
        within.includes(Math.floor(placed.placement.slotOf(weight) / slotsOfBank)),
      );
      if (!isWithin) expect(place).toBe(channel);
    }
  }
});

test('in-place-ecc is refused', () => {
  const placed = placedIn(architecture('ResNet-18', 5), 'resident');
  const message = 'in-place-ecc and reorder cannot stand together: it depends on the place';
  expect(() => memorySideOf([{ use: 'in-place-ecc' }, REORDER], placed)).toThrow(message);
  expect(() => parseMitigation('reorder+in-place-ecc')).toThrow(message);
});
