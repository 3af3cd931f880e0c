import { fc } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { featureCount } from '../../core/index.js';
import { type CellGeometry, cellCount, FAULT_KINDS, type FaultMap } from '../../fault/index.js';
import {
  clipFloat32,
  createReferenceBackend,
  type Float32Clip,
  type Int8Clip,
  int8Finish,
  loadKernels,
} from '../../kernels/index.js';
import {
  type ArrayLayer,
  arrayLayers,
  isOnArray,
  type Network,
  type WordFormat,
  weightBits,
  wordMask,
} from '../../models/index.js';
import {
  type Accelerator,
  type ActivationUnit,
  type ArrayFaults,
  arrayFaultsOf,
  createDatapath,
  createNetworkDatapath,
  type Datapath,
  disturbanceOf,
  firstWeightOfLayers,
  int8Specification,
  placeStorage,
  runFloat32Layer,
  runInt8Layer,
  type StorageName,
  type SystolicArray,
  storedWords,
  type WeightMemory,
  type WeightPatches,
  type WordFaults,
} from '../../sim/index.js';
import { weightMemories, xorshift } from '../../testing/index.js';
import { definedCell, definedPlace } from './reference.js';
import { drawOf, randomImages, randomNetwork, randomUnits, seeds } from './storage-networks.js';

/** Random cases of each storage, array and format; the claim of 1,000 cases each takes minutes. */
const CASES = Number(process.env.BITCELL_TEST_ARRAY_FAULTS ?? 20);

const TIMEOUT = 60_000 + 200 * CASES;

/** Cases of a network, one after the other on the same datapaths, which take longer to make than to run. */
const CASES_OF_NETWORK = 5;

const kernels = loadKernels();

const ARRAYS: Readonly<Record<string, Pick<SystolicArray, 'dataflow' | 'preload'>>> = {
  'output-stationary': { dataflow: 'output-stationary' },
  'weight-stationary': { dataflow: 'weight-stationary' },
  'preloading weight-stationary': { dataflow: 'weight-stationary', preload: true },
  'input-stationary': { dataflow: 'input-stationary' },
};

/** Storages of the array, with the accumulators in registers or in a memory. */
const STORAGES = ['weight-registers', 'multipliers', 'accumulators', 'accumulator memory'] as const;
type Storage = (typeof STORAGES)[number];

/** Faults of a storage, few or many: cells in ascending order. */
function randomMap(geometry: CellGeometry, random: () => number): FaultMap {
  const draw = drawOf(random);
  const all = cellCount(geometry);
  const count = random() < 0.4 ? 1 : draw(1, Math.max(1, Math.ceil(all / 20)));
  const cells = new Set(Array.from({ length: count }, () => draw(0, all - 1)));
  return {
    geometry,
    cells: Float64Array.from(cells).sort(),
    kinds: Uint8Array.from(cells, () => draw(0, FAULT_KINDS.length - 1)),
    provenance: { source: 'file', file: 'random' },
  };
}

function addFault({ and, or, xor }: WordFaults, word: number, bit: number, kind: string): void {
  const mask = (1 << bit) >>> 0;
  if (kind === 'stuck-at-0') and[word] &= ~mask;
  else if (kind === 'stuck-at-1') or[word] |= mask;
  else xor[word] ^= mask;
}

function soundWords(count: number): WordFaults {
  return {
    and: new Uint32Array(count).fill(0xffffffff),
    or: new Uint32Array(count),
    xor: new Uint32Array(count),
  };
}

const REGISTER_BITS = {
  'weight-registers': { int8: 8, float32: 32 },
  multipliers: { int8: 18, float32: 32 },
  accumulators: { int8: 32, float32: 32 },
} as const;

/** The faulty registers of a map: bit b of element (r, c) is in row r and column c · bits + b; bank 1 shifts in. */
function faultsOfRegisters(
  map: FaultMap,
  storage: keyof typeof REGISTER_BITS,
  format: WordFormat,
  { rows, columns }: SystolicArray,
): ArrayFaults {
  const bits = REGISTER_BITS[storage][format];
  const banks = [soundWords(rows * columns), soundWords(rows * columns)];
  for (let bank = 0; bank < map.geometry.banks; bank += 1) {
    for (let r = 0; r < rows; r += 1) {
      for (let c = 0; c < columns; c += 1) {
        for (let bit = 0; bit < bits; bit += 1) {
          const fault = map.cells.indexOf((bank * rows + r) * columns * bits + c * bits + bit);
          if (fault >= 0)
            addFault(banks[bank], r * columns + c, bit, FAULT_KINDS[map.kinds[fault]]);
        }
      }
    }
  }
  switch (storage) {
    case 'accumulators':
      return { sums: banks[0] };
    case 'multipliers':
      return { products: banks[0] };
    case 'weight-registers':
      return {
        weightRegisters: banks[0],
        ...(map.geometry.banks === 2 && { shiftRegisters: banks[1] }),
      };
  }
}

/** The faulty sums of a map of the accumulator memory: sums of 32 bits one behind the other. */
function faultsOfMemory(map: FaultMap, memory: WeightMemory): ArrayFaults {
  const words = memory.banks * memory.rows * memory.columnMux;
  const slots = Math.floor((words * memory.wordBits) / 32);
  const faults = soundWords(slots);
  const { rows, columns } = map.geometry;
  for (let slot = 0; slot < slots; slot += 1) {
    for (let bit = 0; bit < 32; bit += 1) {
      const place = definedPlace(BigInt(memory.wordBits), 32n, BigInt(slot), BigInt(bit));
      const { bank, row, column } = definedCell(memory, place.address, place.bit);
      const fault = map.cells.indexOf((bank * rows + row) * columns + column);
      if (fault >= 0) addFault(faults, slot, bit, FAULT_KINDS[map.kinds[fault]]);
    }
  }
  return { accumulatorMemory: { slots, faults } };
}

/** Some weights that are read of their memory as other words. */
function randomPatches(network: Network, random: () => number): WeightPatches {
  const words = storedWords(network);
  const draw = drawOf(random);
  const weights = Uint32Array.from(
    new Set(Array.from({ length: draw(1, 5) }, () => draw(0, words.length - 1))),
  ).sort();
  const bits = network.format === 'int8' ? 8 : 32;
  return {
    weights,
    words: Uint32Array.from(weights, (weight) => words[weight] ^ (1 << draw(0, bits - 1))),
    effectiveFaults: weights.length,
  };
}

interface Case {
  readonly network: Network;
  readonly array: SystolicArray;
  /** As the maps say it, cell by cell. */
  readonly faults: ArrayFaults;
  readonly weights: WeightPatches | undefined;
  readonly layer: string | undefined;
  readonly units: ReadonlyMap<string, ActivationUnit>;
  /** What the maps make of the network. */
  readonly disturbance: ReturnType<typeof disturbanceOf>;
}

function randomCase(
  network: Network,
  kind: Pick<SystolicArray, 'dataflow' | 'preload'>,
  storage: Storage,
  memory: WeightMemory,
  random: () => number,
): Case {
  const draw = drawOf(random);
  const { format } = network;
  const array = { ...kind, rows: draw(1, 5), columns: draw(1, 5) };
  // An array has accumulators in one place alone.
  const others = STORAGES.filter((other) => !other.startsWith('accumulator'));
  const broken = new Set([storage, ...others.filter(() => random() < 0.25)]);
  const accelerator: Accelerator = {
    ...{ name: 'random', array, weightMemory: 'fits-network' },
    ...(storage === 'accumulator memory' && { accumulatorMemory: memory }),
  };
  let [found, defined]: ArrayFaults[] = [{}, {}];
  for (const one of broken) {
    const name: StorageName = one === 'accumulator memory' ? 'accumulators' : one;
    const placed = placeStorage(name, network, accelerator, { placement: 'resident' });
    const map = randomMap(placed.geometry, random);
    found = { ...found, ...arrayFaultsOf(map, placed) };
    defined = {
      ...defined,
      ...(one === 'accumulator memory'
        ? faultsOfMemory(map, memory)
        : faultsOfRegisters(map, one, format, array)),
    };
  }
  const weights = random() < 0.5 ? randomPatches(network, random) : undefined;
  const names = arrayLayers(network).map(({ name }) => name);
  const layer = random() < 0.25 ? names[draw(0, names.length - 1)] : undefined;
  return {
    ...{ network, array, faults: defined, weights, layer },
    units: random() < 0.5 ? randomUnits(network, random) : new Map(),
    disturbance: disturbanceOf(network, array, { weights, array: found, layer }),
  };
}

/** A layer with the weights that are read of the memory. */
function readOfMemory(
  network: Network,
  layer: ArrayLayer,
  patches: WeightPatches | undefined,
): ArrayLayer {
  const number = arrayLayers(network).findIndex(({ name }) => name === layer.name);
  const first = firstWeightOfLayers(network)[number];
  const weights = layer.weights.slice();
  const bits = weightBits(weights);
  for (const [place, weight] of (patches?.weights ?? []).entries()) {
    const index = weight - first;
    if (index < 0 || index >= bits.length) continue;
    bits[index] = (patches?.words[place] ?? 0) ^ wordMask(layer);
  }
  return { ...layer, weights } as ArrayLayer;
}

/** One image of a layer on the array, cycle by cycle, and then as accumulators become outputs. */
function runLayer(
  { network, array, faults: all, weights, layer: only, units }: Case,
  layer: ArrayLayer,
  input: Uint8Array | Float32Array,
): { sums: Int32Array | Float32Array; outputs: Uint8Array | Float32Array } {
  const faults = only === undefined || only === layer.name ? all : {};
  const read = readOfMemory(network, layer, weights);
  const clip = units.get(layer.name)?.clip;
  const { channels } = layer.shape.output;
  if (network.format === 'int8' && 'zeroPoints' in read) {
    const specification = int8Specification(network, read);
    const { accumulators } = runInt8Layer(
      { ...specification, wordMask: wordMask(read) },
      input as Uint8Array,
      array,
      { faults },
    );
    const finish = int8Finish(specification);
    return {
      sums: accumulators,
      outputs: Uint8Array.from(accumulators, (sum, index) => {
        const place = { position: Math.floor(index / channels), channel: index % channels };
        return finish(sum, place, clip as Int8Clip | undefined);
      }),
    };
  }
  if (!(read.weights instanceof Float32Array) || !(read.bias instanceof Float32Array)) {
    throw new Error('words of two formats');
  }
  const { accumulators } = runFloat32Layer(
    { shape: read.shape, weights: read.weights, bias: read.bias },
    input as Float32Array,
    array,
    { faults },
  );
  const outputs = accumulators.map((sum, index) => {
    const clipped = clip ? clipOne(sum, index, clip as Float32Clip) : sum;
    return layer.relu && clipped <= 0 ? 0 : clipped;
  });
  if (layer.upper !== undefined) clipFloat32(outputs, outputs, -Infinity, layer.upper);
  return { sums: accumulators, outputs };
}

/** Thresholds are of channels or of neurons, channels innermost. */
function clipOne(sum: number, index: number, { mode, thresholds }: Float32Clip): number {
  const threshold = thresholds[index % thresholds.length];
  if (mode === 'clip-zero') return sum <= threshold ? sum : 0;
  return sum > threshold ? threshold : sum;
}

/** Everything that a datapath computes: by layer its sums, by tensor its values, of all images. */
function observe(datapath: Datapath, images: Float32Array, count: number) {
  const sums = new Map<string, (Int32Array | Float32Array)[]>();
  const tensors = new Map<number, (Uint8Array | Float32Array)[]>();
  datapath.run(images, count, {
    accumulators({ name, shape, weights }, values, firstRow, rows, stride) {
      const { channels, height, width } = shape.output;
      const positions = height * width;
      const empty = () =>
        weights instanceof Float32Array
          ? new Float32Array(positions * channels)
          : new Int32Array(positions * channels);
      const its = sums.get(name) ?? Array.from({ length: count }, empty);
      sums.set(name, its);
      for (let row = 0; row < rows; row += 1) {
        const image = Math.floor((firstRow + row) / positions);
        const position = (firstRow + row) % positions;
        const part = values.subarray(row * stride, row * stride + channels);
        its[image].set(part, position * channels);
      }
    },
    tensor(tensor, values, firstImage, size) {
      const length = featureCount(datapath.network.tensors[tensor].shape);
      const its = tensors.get(tensor) ?? [];
      tensors.set(tensor, its);
      for (let image = 0; image < size; image += 1) {
        its[firstImage + image] = values.slice(image * length, (image + 1) * length);
      }
    },
  });
  return { sums, tensors };
}

const IMAGES = 2;

/** What WebAssembly and reference kernels compute is what the array does, sums and all tensors. */
function expectArray(one: Case, datapaths: readonly Datapath[], images: Float32Array): void {
  const { network, units, disturbance } = one;
  const [fast, slow] = datapaths.map((datapath) => {
    datapath.setActivationUnits(units);
    datapath.setDisturbance(disturbance);
    return observe(datapath, images, IMAGES);
  });
  for (const layer of network.layers) {
    for (let image = 0; image < IMAGES; image += 1) {
      const outputs = fast.tensors.get(layer.output)?.[image];
      const others = slow.tensors.get(layer.output)?.[image];
      if (!outputs || !others) throw new Error(`nothing was seen of ${layer.name}`);
      expectSame(others, outputs, `outputs of ${layer.name} on the reference kernels`);
      if (!isOnArray(layer)) continue;
      const input = fast.tensors.get(layer.input)?.[image];
      const [sums, otherSums] = [fast, slow].map((run) => run.sums.get(layer.name)?.[image]);
      if (!input || !sums || !otherSums) throw new Error(`nothing was seen of ${layer.name}`);
      const expected = runLayer(one, layer, input);
      expectSame(sums, expected.sums, `sums of ${layer.name}`);
      expectSame(otherSums, expected.sums, `sums of ${layer.name} on the reference kernels`);
      expectSame(outputs, expected.outputs, `outputs of ${layer.name}`);
    }
  }
}

/** Equal to the bit, any NaN being one. Not `toEqual` of all, which takes longer than the array does. */
function expectSame(
  found: Uint8Array | Int32Array | Float32Array,
  expected: Uint8Array | Int32Array | Float32Array,
  what: string,
): void {
  expect(found.length, what).toBe(expected.length);
  const place = expected.findIndex((value, index) => !Object.is(value, found[index]));
  if (place >= 0) expect([place, found[place]], what).toEqual([place, expected[place]]);
}

/** Memories whose words hold whole sums, or whose banks hold whole sums in several words. */
const memories = weightMemories([8, 16, 32, 64]).filter(
  ({ wordBits, rows, columnMux }) => (wordBits * rows * columnMux) % 32 === 0,
);

for (const [name, kind] of Object.entries(ARRAYS)) {
  describe(`networks on a faulty ${name} array are computed as the array does, cycle by cycle`, () => {
    const storages = STORAGES.filter(
      (storage) => storage !== 'accumulator memory' || kind.dataflow !== 'output-stationary',
    );
    for (const format of ['int8', 'float32'] as const) {
      test.each(storages)(
        `${format}, %s`,
        (storage) => {
          fc.assert(
            fc.property(seeds, memories, (seed, memory) => {
              const random = xorshift(seed);
              const network = randomNetwork(format, random);
              const images = randomImages(network, IMAGES, random);
              const batch = drawOf(random)(1, IMAGES);
              const datapaths = [
                createNetworkDatapath(network, kernels, batch),
                createDatapath(network, createReferenceBackend(), batch),
              ];
              for (let number = 0; number < CASES_OF_NETWORK; number += 1) {
                const one = randomCase(network, kind, storage, memory, random);
                expectArray(one, datapaths, images);
              }
            }),
            { numRuns: Math.ceil(CASES / CASES_OF_NETWORK) },
          );
        },
        TIMEOUT,
      );
    }
  });
}
