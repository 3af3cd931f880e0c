import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { drawTransientFaults } from '../../campaign/trial/transient-faults.js';
import { featureCount, InputError, windowSize } from '../../core/index.js';
import { cellIndex, FAULT_KINDS, type FaultMap } from '../../fault/index.js';
import { createReferenceBackend, loadKernels } from '../../kernels/index.js';
import { arrayLayers, dequantize, type Network, WORD_BITS } from '../../models/index.js';
import {
  type Accelerator,
  applyFaultMap,
  canFollowChanges,
  cellsOfWeight,
  createDatapath,
  createDeltaRunner,
  createNetworkDatapath,
  createRecording,
  DATAFLOWS,
  placeStorage,
  recordRun,
  runTransients,
  STORAGES,
  type StorageName,
  type SystolicArray,
  storedWords,
  type TransientFault,
  type TransientSites,
  transientDisturbance,
  transientSites,
} from '../../sim/index.js';
import { int8Networks, xorshift } from '../../testing/index.js';
import { architectures } from './bit-faults.js';
import { heldTensors } from './placed-feature-maps.js';
import {
  bitsOf,
  drawOf,
  randomImages,
  randomUnits,
  seeds,
  storageNetworks,
} from './storage-networks.js';

const kernels = loadKernels();

const networks: fc.Arbitrary<Network> = fc.oneof(
  storageNetworks('int8'),
  storageNetworks('float32'),
  int8Networks(),
  fc.oneof(int8Networks(), architectures).map(dequantize),
  architectures,
);

function randomArray(random: () => number): SystolicArray {
  const draw = drawOf(random);
  const dataflow = DATAFLOWS[draw(0, DATAFLOWS.length - 1)];
  return { rows: draw(1, 5), columns: draw(1, 5), dataflow };
}

function placedIn(network: Network, array: SystolicArray, name: StorageName) {
  const accelerator: Accelerator = { name: 'random', array, weightMemory: 'fits-network' };
  return placeStorage(name, network, accelerator, { placement: 'resident' });
}

function sitesIn(network: Network, array: SystolicArray, name: StorageName): TransientSites {
  return transientSites(network, array, placedIn(network, array, name));
}

/** Faults of any storages, some of them next to one another. */
function randomFaults(
  all: readonly TransientSites[],
  most: number,
  random: () => number,
): TransientFault[] {
  const draw = drawOf(random);
  const faults = new Map<string, TransientFault>();
  let [sites, last] = [all[0], 0];
  for (let count = draw(0, most); count > 0; count -= 1) {
    if (random() < 0.7) sites = all[draw(0, all.length - 1)];
    if (sites.count === 0) continue;
    last = random() < 0.3 ? (last + draw(1, 40)) % sites.count : draw(0, sites.count - 1);
    const fault = sites.faultAt(last);
    faults.set(JSON.stringify(fault), fault);
  }
  return [...faults.values()];
}

const IMAGES = 5;

describe('runTransients', () => {
  property.prop(
    [
      networks,
      fc.constantFrom(Number.POSITIVE_INFINITY, 20_000, 2_000, 0),
      fc.constantFrom(0, 1, undefined),
      seeds,
    ],
    { numRuns: Number(process.env.BITCELL_TEST_TRANSIENTS ?? 40) },
  )(
    'gives each image what it has alone with its faults',
    (network, budget, advantage, seed) => {
      const random = xorshift(seed);
      const draw = drawOf(random);
      const array = randomArray(random);
      const all = STORAGES.map((name) => sitesIn(network, array, name));
      const units = randomUnits(network, random);
      const words = storedWords(network);
      const images = randomImages(network, IMAGES, random).map((value) => value * 3);
      const length = images.length / IMAGES;
      const imageOf = (number: number) => images.subarray(number * length, (number + 1) * length);

      const datapath = createNetworkDatapath(network, kernels, draw(1, 3));
      datapath.setActivationUnits(units);
      const recording = createRecording(network, IMAGES, budget);
      recordRun(
        datapath,
        recording,
        images,
        Uint32Array.from({ length: IMAGES }, (_, i) => i),
      );
      const runner =
        canFollowChanges(network) && random() < 0.6
          ? createDeltaRunner(network, datapath, kernels, IMAGES, units, advantage)
          : undefined;
      runner?.record(images, IMAGES);
      const alone =
        random() < 0.5
          ? createNetworkDatapath(network, kernels, 1)
          : createDatapath(network, createReferenceBackend(), 1);
      alone.setActivationUnits(units);

      for (let map = 0; map < 3; map += 1) {
        // A runner follows images that are one behind the other; others come in any order.
        const first = draw(0, IMAGES - 1);
        const count = draw(1, IMAGES - first);
        const numbers = runner
          ? Uint32Array.from({ length: count }, (_, place) => first + place)
          : Uint32Array.from(new Set(Array.from({ length: count }, () => draw(0, IMAGES - 1))));
        const faults = Array.from(numbers, () => randomFaults(all, 4, random));
        const loadImages = () => {
          const loaded = new Float32Array(numbers.length * length);
          for (const [place, number] of numbers.entries()) {
            loaded.set(imageOf(number), place * length);
          }
          return loaded;
        };
        const outputs = runTransients({
          ...{ datapath, recording, words, numbers, loadImages },
          faultsOf: (place) => faults[place],
          following: runner && { runner, first },
        });
        const expected = Array.from(numbers, (number, place) => {
          alone.setDisturbance(transientDisturbance(network, faults[place], words));
          return bitsOf(alone.run(imageOf(number), 1));
        });
        expect(bitsOf(outputs)).toEqual(expected.flat());
      }
    },
    120_000,
  );
});

describe('a transient fault in a memory', () => {
  const small = fc
    .constantFrom('int8' as const, 'float32' as const)
    .chain((format) => storageNetworks(format));

  property.prop([small, seeds], { numRuns: 60 })(
    'is its cell inverted, for all that reads it',
    (network, seed) => {
      const random = xorshift(seed);
      const array = randomArray(random);
      const words = storedWords(network);
      const { cells, geometry } = placedIn(network, array, 'weights');
      if (cells.kind !== 'weights') throw new Error('no weight memory');
      const { placement } = cells;
      const faults = randomFaults([sitesIn(network, array, 'weights')], 6, random);
      const struck = faults.flatMap((fault) =>
        fault.kind === 'weight' ? [cellsOfWeight(placement, fault.weight)[fault.bit]] : [],
      );
      const map: FaultMap = {
        geometry,
        cells: Float64Array.from(struck, (cell) => cellIndex(geometry, cell)).sort(),
        kinds: new Uint8Array(struck.length).fill(FAULT_KINDS.indexOf('flip')),
        provenance: { source: 'file', file: 'flips' },
      };
      const patches = applyFaultMap(map, placement, words);
      const found = transientDisturbance(network, faults, words).weights;
      expect(Array.from(found?.weights ?? [])).toEqual(Array.from(patches.weights));
      expect(Array.from(found?.words ?? [])).toEqual(Array.from(patches.words));
    },
  );
});

/** How many bits of how many values there are, from the definition. */
function definedCount(network: Network, name: StorageName): number {
  const word = WORD_BITS[network.format];
  const values = (tensor: number) => featureCount(network.tensors[tensor].shape);
  const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
  const products = sum(
    arrayLayers(network).map(({ shape }) => featureCount(shape.output) * windowSize(shape)),
  );
  switch (name) {
    case 'weights': {
      const own = arrayLayers(network).filter(({ sharedWeights }) => !sharedWeights);
      return sum(own.map(({ weights }) => weights.length)) * word;
    }
    case 'inputs':
      return values(network.input) * word;
    case 'activations':
      return (
        sum(
          heldTensors(network)
            .slice(1)
            .map(({ tensor }) => values(tensor)),
        ) * word
      );
    case 'weight-registers':
      return products * word;
    case 'multipliers':
      return products * (network.format === 'int8' ? 18 : 32);
    case 'accumulators':
      return products * 32;
  }
}

describe('places for transient faults', () => {
  const formats = fc.constantFrom('int8' as const, 'float32' as const);
  const small = formats.chain((format) => storageNetworks(format));

  property.prop([small, fc.constantFrom(...STORAGES), seeds], { numRuns: 30 })(
    'are each bit of each value once',
    (network, name, seed) => {
      const sites = sitesIn(network, randomArray(xorshift(seed)), name);
      expect(sites.count).toBe(definedCount(network, name));
      fc.pre(sites.count < 50_000);
      const all = Array.from({ length: sites.count }, (_, site) =>
        Object.values(sites.faultAt(site)).join(),
      );
      expect(new Set(all).size).toBe(sites.count);
    },
  );

  property.prop([small, fc.constantFrom(...STORAGES), seeds], { numRuns: 15 })(
    'of a layer or a bit are those among all',
    (network, name, seed) => {
      const random = xorshift(seed);
      const array = randomArray(random);
      const placed = placedIn(network, array, name);
      const all = transientSites(network, array, placed);
      fc.pre(all.count < 10_000);
      const faultsOf = ({ count, faultAt }: TransientSites) =>
        Array.from({ length: count }, (_, site) => JSON.stringify(faultAt(site)));
      const bit = drawOf(random)(0, 7);
      expect(faultsOf(transientSites(network, array, placed, { bit }))).toEqual(
        faultsOf(all).filter((fault) => JSON.parse(fault).bit === bit),
      );
      const byLayer = network.layers.flatMap((layer) =>
        faultsOf(transientSites(network, array, placed, { layer: layer.name })),
      );
      // The network's input is of no layer.
      expect(byLayer).toEqual(name === 'inputs' ? [] : faultsOf(all));
    },
  );
});

describe('the transient faults of an image', () => {
  const sites: TransientSites = {
    count: 1000,
    faultAt: (site) => ({ kind: 'weight', weight: site, bit: 0 }),
  };
  const draws = fc.record({
    seed: fc.nat(),
    map: fc.nat(1000),
    image: fc.nat(9_999),
    level: fc.oneof(
      fc.double({ min: 0, max: 0.02, noNaN: true }).map((rate) => ({ rate })),
      fc.nat(20).map((faultCount) => ({ rate: faultCount / 1000, faultCount })),
    ),
  });
  const names = fc.constantFrom(...STORAGES);

  property.prop([fc.array(draws, { minLength: 2, maxLength: 6 }), names])(
    'depend on seed, map and image alone, whatever was drawn before',
    (all, name) => {
      const drawn = all.map((draw) => drawTransientFaults(sites, { name }, draw));
      const backwards = all.toReversed().map((draw) => drawTransientFaults(sites, { name }, draw));
      expect(backwards.toReversed()).toEqual(drawn);
    },
  );

  property.prop([draws, names])('are as many as the level says, all different', (draw, name) => {
    const faults = drawTransientFaults(sites, { name }, draw);
    const { rate, faultCount } = { faultCount: undefined, ...draw.level };
    expect([Math.floor(rate * 1000), Math.floor(rate * 1000) + 1, faultCount]).toContain(
      faults.length,
    );
    if (faultCount !== undefined) expect(faults.length).toBe(faultCount);
    expect(new Set(faults.map((fault) => JSON.stringify(fault))).size).toBe(faults.length);
  });

  test('differ from image to image, map to map and storage to storage', () => {
    const level = { rate: 0, faultCount: 10 };
    const drawn = STORAGES.flatMap((name) =>
      [0, 1, 2].flatMap((map) =>
        [0, 1, 2].map((image) =>
          JSON.stringify(drawTransientFaults(sites, { name }, { seed: 1, map, image, level })),
        ),
      ),
    );
    expect(new Set(drawn).size).toBe(drawn.length);
  });

  test('by rate are on average what the rate says, and equally often everywhere', () => {
    const counts = new Array<number>(10).fill(0);
    for (let image = 0; image < 2000; image += 1) {
      const draw = { seed: 3, map: 0, image, level: { rate: 0.0035 } };
      for (const fault of drawTransientFaults(sites, { name: 'multipliers' }, draw)) {
        if (fault.kind === 'weight') counts[Math.floor(fault.weight / 100)] += 1;
      }
    }
    const total = counts.reduce((sum, count) => sum + count, 0);
    // 3.5 an image: three, and a fourth by the toss of a coin; six standard deviations.
    expect(Math.abs(total - 7000)).toBeLessThan(6 * Math.sqrt(2000 / 4));
    for (const count of counts) expect(Math.abs(count - 700)).toBeLessThan(6 * Math.sqrt(700));
  });

  test('are refused where there are fewer places', () => {
    const draw = { seed: 1, map: 0, image: 0, level: { rate: 1, faultCount: 1001 } };
    expect(() => drawTransientFaults(sites, { name: 'weights' }, draw)).toThrow(InputError);
  });
});
