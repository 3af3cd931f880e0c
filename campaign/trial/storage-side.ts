import { FAULT_KINDS, type FaultMap } from '../../fault/index.js';
import {
  type FeatureMapSide,
  featureMapSideOf,
  type KnownMaps,
  type MemoryPart,
  type MemorySide,
  memorySideOf,
  type Repairs,
  standsIn,
} from '../../mitigation/index.js';
import type { Network } from '../../models/index.js';
import {
  type ArrayFaults,
  arrayFaultsOf,
  cellOfWeightBit,
  type Disturbance,
  disturbanceOf,
  type PatchBuffers,
  type PlacedStorage,
  type ReadThrough,
  type StoredWords,
  type SystolicArray,
  type TransientFault,
  transientDisturbance,
  transientSums,
  type WeightMemory,
  type WeightPatches,
} from '../../sim/index.js';

/** A fault map of one of the storages that are broken at once. */
export interface StorageMap {
  readonly map: FaultMap;
  /** What parts know of it that are chosen for faulty cells. */
  readonly knownTo: KnownMaps;
}

/** What maps make of a network. */
export interface SideResult {
  readonly disturbance: Disturbance;
  /** Faulty cells that change a weight; null: what is struck depends on the image. */
  readonly effective: number | null;
  /** What spare lines made of the maps; undefined: there are none. */
  readonly repairs: Readonly<Repairs> | undefined;
}

/** What the storages of a condition make of fault maps under the memory parts of a mitigation. */
export interface StorageSide {
  /**
   * @param maps one for each storage, in their order
   * @param buffers memory for the patches of weights, which are then valid until the next call with them
   */
  resultOf(maps: readonly StorageMap[], buffers?: PatchBuffers): SideResult;
  /** Whether something in a memory may correct what strikes it. */
  readonly protectsMemory: boolean;
  /** What transient faults of one image make of the network. */
  disturbanceOf(faults: readonly TransientFault[]): Disturbance;
}

/** What the sides of a condition are made for. */
export interface SideContext {
  readonly network: Network;
  /** Fault-free stored words of all weights. */
  readonly words: StoredWords;
  readonly array: SystolicArray;
  readonly storages: readonly PlacedStorage[];
  /** The weight memory as the accelerator has it. */
  readonly ownMemory: WeightMemory;
  /** Name of the only layer that faults of the array strike; undefined: all. */
  readonly layer: string | undefined;
}

/** @throws InputError when a part does not fit the network or a memory */
export function storageSideOf(parts: readonly MemoryPart[], context: SideContext): StorageSide {
  const { network, array, storages, layer } = context;
  const readers = storages.map((storage) => readerOf(parts, storage, context));
  const hasSpareLines = readers.some((reader) => reader.hasSpareLines);
  const protectsMemory = parts.length > 0;
  const sound = storages.map((storage) => flipsOf([], storage));
  const side: StorageSide = {
    protectsMemory,
    disturbanceOf(faults) {
      if (!protectsMemory) return transientDisturbance(network, faults, context.words);
      // No test finds them: what is chosen for faulty cells knows none.
      const maps = storages.map((storage, index) => ({
        map: flipsOf(faults, storage),
        knownTo: () => sound[index],
      }));
      const { disturbance } = side.resultOf(maps);
      const operations = faults.filter((fault) => fault.kind === 'operation');
      const sums = transientSums(operations, network, disturbance.weights);
      return { ...disturbance, ...(sums.size > 0 && { sums }) };
    },
    resultOf(maps, buffers) {
      const repairs = { banks: 0, repaired: 0, notProvedOptimal: 0, uncoveredCells: 0 };
      const found = readers.map((reader, index) => reader.read(maps[index], { buffers, repairs }));
      const [weights] = found.flatMap((one) => (one.weights ? [one.weights] : []));
      const disturbance = disturbanceOf(network, array, {
        ...{ weights, layer },
        tensors: new Map(found.flatMap((one) => [...(one.tensors ?? [])])),
        array: Object.assign({}, ...found.map((one) => one.array)) as ArrayFaults,
      });
      return {
        disturbance,
        effective: weights && found.length === 1 ? weights.effectiveFaults : null,
        repairs: hasSpareLines ? repairs : undefined,
      };
    },
  };
  return side;
}

/** The cells of a resident storage that transient faults strike, as a map of flips. */
function flipsOf(
  faults: readonly TransientFault[],
  { cells, geometry, valueBits }: PlacedStorage,
): FaultMap {
  const places = faults.flatMap((fault) => {
    if (cells.kind === 'weights' && fault.kind === 'weight') {
      return [{ placement: cells.placement, value: fault.weight, bit: fault.bit }];
    }
    if (cells.kind !== 'feature-maps' || fault.kind !== 'value') return [];
    const stored = cells.tensors.find(({ tensor }) => tensor === fault.tensor);
    return stored ? [{ placement: stored.placement, value: fault.value, bit: fault.bit }] : [];
  });
  const struck = places.map(({ placement, value, bit }) =>
    cellOfWeightBit(
      placement.memory,
      placement.weightBits,
      placement.slotOf(value) * valueBits + bit,
    ),
  );
  const flips = Float64Array.from(new Set(struck)).sort();
  return {
    geometry,
    cells: flips,
    kinds: new Uint8Array(flips.length).fill(FAULT_KINDS.indexOf('flip')),
    provenance: { source: 'file', file: 'transient faults' },
  };
}

/** What one storage makes of a map. */
interface ReadStorage {
  readonly weights?: WeightPatches;
  readonly tensors?: ReadonlyMap<number, ReadThrough>;
  readonly array?: ArrayFaults;
}

interface StorageReader {
  readonly hasSpareLines: boolean;
  read(
    storageMap: StorageMap,
    to: { readonly buffers: PatchBuffers | undefined; readonly repairs: Repairs },
  ): ReadStorage;
}

function readerOf(
  parts: readonly MemoryPart[],
  storage: PlacedStorage,
  { network, words, ownMemory }: SideContext,
): StorageReader {
  const { cells } = storage;
  if (cells.kind === 'weights') {
    const { placement } = cells;
    const side: MemorySide = memorySideOf(parts, { network, placement, ownMemory }, words);
    return {
      hasSpareLines: side.hasSpareLines,
      read: ({ map, knownTo }, { buffers, repairs }) => ({
        weights: side.patchesOf(map, buffers, undefined, repairs, knownTo),
      }),
    };
  }
  if (cells.kind === 'feature-maps') {
    const standing = parts.filter((part) => standsIn(part, storage.name));
    const side: FeatureMapSide = featureMapSideOf(standing, { network, ...cells });
    return {
      hasSpareLines: side.hasSpareLines,
      read: ({ map, knownTo }, { repairs }) => ({ tensors: side.readsOf(map, knownTo, repairs) }),
    };
  }
  return {
    hasSpareLines: false,
    read: ({ map }) => ({ array: arrayFaultsOf(map, storage) }),
  };
}
