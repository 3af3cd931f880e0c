import { InputError } from '../../core/index.js';
import type { CellGeometry } from '../../fault/index.js';
import { arrayLayers, type Network, WORD_BITS } from '../../models/index.js';
import type { Accelerator } from '../accelerator/accelerator.js';
import { type MemoryExtras, placeNetwork } from '../accelerator/place-network.js';
import { STORAGE_TITLES, type StorageName } from '../hardware/storages.js';
import { type ArrayRegisters, registersOf } from '../memory/array-registers.js';
import {
  defaultFeatureMapMemory,
  type FeatureMaps,
  heldTensors,
  placeFeatureMaps,
  type StoredTensor,
} from '../memory/feature-maps.js';
import type { Placement } from '../memory/placement.js';
import {
  defineWeightMemory,
  memoryGeometry,
  slotCount,
  type WeightMemory,
} from '../memory/weight-memory.js';

/** What the cells of a storage are, and what they hold. */
export type StorageCells =
  | { readonly kind: 'weights'; readonly placement: Placement }
  | {
      readonly kind: 'feature-maps';
      readonly featureMaps: FeatureMaps;
      /** Those of the storage. */
      readonly tensors: readonly StoredTensor[];
    }
  | { readonly kind: 'registers'; readonly registers: ArrayRegisters }
  | { readonly kind: 'accumulator-memory'; readonly memory: WeightMemory; readonly slots: number };

/** A storage of an accelerator, for one network. */
export interface PlacedStorage {
  readonly name: StorageName;
  readonly cells: StorageCells;
  readonly geometry: CellGeometry;
  /** Of its memory; 1 of registers. */
  readonly columnMux: number;
  /** Bits of what it holds: of a weight, a value, a sum or a product. */
  readonly valueBits: number;
}

/** How a storage is placed. */
export interface StorageOptions {
  /** Of weights and feature maps. */
  readonly placement: Placement['kind'];
  /** What its memory has beside its data, where that is not what the accelerator's has. */
  readonly extras?: MemoryExtras | undefined;
}

/** The feature-map memory of an accelerator; one that fits the network is sized for it. */
export function featureMapMemoryOf(
  { featureMapMemory = 'fits-network' }: Pick<Accelerator, 'featureMapMemory'>,
  network: Network,
): WeightMemory {
  return featureMapMemory === 'fits-network' ? defaultFeatureMapMemory(network) : featureMapMemory;
}

type Place = (
  network: Network,
  accelerator: Accelerator,
  options: StorageOptions,
) => Omit<PlacedStorage, 'name'>;

/** How each storage is placed. */
const PLACES: Readonly<Record<StorageName, Place>> = {
  weights(network, accelerator, { placement: kind, extras }) {
    const placement = placeNetwork(network, accelerator, kind, extras);
    const { geometry, memory, weightBits } = placement;
    return {
      cells: { kind: 'weights', placement },
      ...{ geometry, columnMux: memory.columnMux, valueBits: weightBits },
    };
  },
  inputs: (network, accelerator, options) =>
    featureMapCells(network, accelerator, options, ({ layer }) => layer === undefined),
  activations: (network, accelerator, options) =>
    featureMapCells(network, accelerator, options, ({ layer }) => layer !== undefined),
  'weight-registers': (network, { array }) =>
    registerCells(registersOf('weight-registers', array, network.format)),
  accumulators(network, { array, accumulatorMemory: memory }) {
    if (!memory) return registerCells(registersOf('accumulators', array, network.format));
    const slots = slotCount(memory, 32);
    return {
      cells: { kind: 'accumulator-memory', memory, slots },
      ...{ geometry: memoryGeometry(memory), columnMux: memory.columnMux, valueBits: 32 },
    };
  },
  multipliers: (network, { array }) =>
    registerCells(registersOf('multipliers', array, network.format)),
};

function featureMapCells(
  network: Network,
  accelerator: Accelerator,
  { placement, extras }: StorageOptions,
  isMeant: (tensor: StoredTensor) => boolean,
): Omit<PlacedStorage, 'name'> {
  const own = featureMapMemoryOf(accelerator, network);
  const memory = extras ? defineWeightMemory({ ...own, ...extras }) : own;
  const featureMaps = placeFeatureMaps(network, memory, placement);
  return {
    cells: { kind: 'feature-maps', featureMaps, tensors: featureMaps.tensors.filter(isMeant) },
    geometry: featureMaps.geometry,
    columnMux: memory.columnMux,
    valueBits: WORD_BITS[network.format],
  };
}

function registerCells(registers: ArrayRegisters): Omit<PlacedStorage, 'name'> {
  return {
    cells: { kind: 'registers', registers },
    ...{ geometry: registers.geometry, columnMux: 1, valueBits: registers.bits },
  };
}

/**
 * A storage of an accelerator, as a network uses it.
 *
 * @throws InputError where the network does not fit it
 */
export function placeStorage(
  name: StorageName,
  network: Network,
  accelerator: Accelerator,
  options: StorageOptions,
): PlacedStorage {
  if (name !== 'weights') requireOneFormat(name, network);
  return { name, ...PLACES[name](network, accelerator, options) };
}

/** Storages other than the weight memory hold words of one format: those of the weights. */
function requireOneFormat(name: StorageName, network: Network): void {
  if (network.format === 'float32') return;
  const isMeant = ({ layer }: { readonly layer: string | undefined }) =>
    name === 'inputs' ? layer === undefined : layer !== undefined;
  const held =
    name === 'inputs' || name === 'activations'
      ? heldTensors(network)
          .filter(isMeant)
          .map(({ tensor }) => tensor)
      : arrayLayers(network).map(({ input }) => input);
  const real = held.find((tensor) => !network.tensors[tensor].quantization);
  if (real === undefined) return;
  throw new InputError(
    `${network.name}: faults in ${STORAGE_TITLES[name]} are simulated where all values there are of 8 bits, but tensor "${network.tensors[real].name}" holds float32 numbers; break the weights (--storages weights), or quantise the whole network`,
  );
}

/**
 * The memory of a storage, in which words are read and written as a whole.
 *
 * @returns undefined for registers
 */
export function memoryOfStorage({ cells }: PlacedStorage): WeightMemory | undefined {
  switch (cells.kind) {
    case 'weights':
      return cells.placement.memory;
    case 'feature-maps':
      return cells.featureMaps.memory;
    case 'accumulator-memory':
      return cells.memory;
    case 'registers':
      return undefined;
  }
}
