import type { FaultMap } from '../../fault/index.js';
import {
  type ActivationSide,
  type MemoryNeeds,
  memoryNeeds,
  memoryPartsOf,
  standsIn,
} from '../../mitigation/index.js';
import { type Network, WORD_BITS, type WordFormat } from '../../models/index.js';
import {
  type Accelerator,
  type MemoryExtras,
  networkWeights,
  type PlacedStorage,
  type Placement,
  placeNetwork,
  placeOnNamed,
  placeStorage,
  type Recording,
  type StorageName,
  slotCount,
  weightMemoryOf,
} from '../../sim/index.js';
import type { Task, Workload } from '../../workload/index.js';
import type { PlacedDies } from '../inputs/dies/index.js';
import type { SharedNetwork } from '../inputs/shared-network.js';
import type { Condition } from '../study/conditions.js';
import { storagesOf, strikesWeights } from '../study/storages.js';
import type { Study } from '../study/study.js';
import type { GoldenPredictions } from './recorded-samples.js';

/** A network of a study in one word format, with what all its trials share. */
export interface StudyNetwork extends SharedNetwork {
  /** As the study names it. */
  readonly model: string;
  /** How its outputs are judged. */
  readonly task: Task;
  /** What each mitigation, and `none`, puts behind the accumulators, as a key of `sides`: several may put the same. */
  readonly activationOf: ReadonlyMap<string, string>;
  readonly sides: ReadonlyMap<string, ActivationSide>;
  /** By the keys of `sides`: a fault-free memory reads the same under every mitigation. */
  readonly golden: ReadonlyMap<string, GoldenPredictions>;
  readonly recordings: ReadonlyMap<string, Recording>;
}

/**
 * All that the threads of a study share: plain data that can be posted to a worker, large arrays in
 * shared memory.
 */
export interface StudyData {
  readonly study: Study;
  readonly conditions: readonly Condition[];
  readonly networks: readonly StudyNetwork[];
  /** By the name that the study gives them. */
  readonly accelerators: ReadonlyMap<string, Accelerator>;
  /** By `faultMapKey`. */
  readonly faultMaps: ReadonlyMap<string, FaultMap>;
  /** Measured dies by `memoryKey`. */
  readonly dies: ReadonlyMap<string, PlacedDies>;
  readonly workload: Workload;
}

/** A network of a study. */
export function networkOf(
  { networks }: Pick<StudyData, 'networks'>,
  model: string,
  format: WordFormat,
): StudyNetwork {
  const found = networks.find(
    (candidate) => candidate.model === model && candidate.network.format === format,
  );
  if (!found) throw new Error(`no network ${model} with ${format} words`);
  return found;
}

/** An entry of a table that a study's own names index. */
export function entryOf<T>(table: ReadonlyMap<string, T>, name: string): T {
  const found = table.get(name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
}

/** A fault map file as read for one storage: formats that do not state their memory can serve several. */
export function faultMapKey(
  file: string,
  { name, geometry, columnMux }: Pick<PlacedStorage, 'name' | 'geometry' | 'columnMux'>,
): string {
  return JSON.stringify([file, name, geometry, columnMux]);
}

/** A memory that dies are placed in. */
export function memoryKey({
  geometry,
  columnMux,
}: Pick<PlacedStorage, 'geometry' | 'columnMux'>): string {
  return JSON.stringify([geometry, columnMux]);
}

/**
 * The place of a network in the weight memory of an accelerator, which has the check bits and the spare lines that the
 * mitigations of the study need: no data cell moves for them. Given fault maps say themselves which of them there are.
 *
 * @param nameOrFile of the accelerator, for messages
 *
 * @throws InputError when the network, or a mitigation, does not fit the memory
 */
export function placeForStudy(
  { placement: kind, mitigations, faultMaps, dies, storages }: Study,
  network: Network,
  given: Accelerator,
  nameOrFile = given.name,
): Placement {
  // Weights that no fault strikes need not fit: prices and summaries ask for their place all the same.
  const accelerator = strikesWeights(storages) ? given : withRoomFor(network, given);
  const placement = placeOnNamed(nameOrFile, () => placeNetwork(network, accelerator, kind));
  const { memory } = placement;
  const needed = mitigations.map((mitigation) =>
    memoryNeeds(memoryPartsOf(mitigation), { network, placement }),
  );
  const extras = widestMemory(memory, needed);
  return faultMaps || dies ? placement : placeNetwork(network, accelerator, kind, extras);
}

/** An accelerator whose weight memory holds a network: the same, or one with a memory that fits. */
function withRoomFor(network: Network, accelerator: Accelerator): Accelerator {
  const slots = slotCount(weightMemoryOf(accelerator, network), WORD_BITS[network.format]);
  return slots >= networkWeights(network)
    ? accelerator
    : { ...accelerator, weightMemory: 'fits-network' };
}

/**
 * Storages of an accelerator that are broken at once, each with the check bits and spare lines that the mitigations of the
 * study need in it; given fault maps say themselves which of them there are.
 *
 * @param label see `storagesOf`
 * @param nameOrFile of the accelerator, for messages
 *
 * @throws InputError when the network, or a mitigation, does not fit one of them
 */
export function placeStorages(
  study: Study,
  network: Network,
  accelerator: Accelerator,
  label: string,
  nameOrFile = accelerator.name,
): PlacedStorage[] {
  return storagesOf(label).map((name) =>
    name === 'weights'
      ? weightStorage(placeForStudy(study, network, accelerator, nameOrFile))
      : placeOnNamed(nameOrFile, () => placeOtherStorage(study, network, accelerator, name)),
  );
}

function weightStorage(placement: Placement): PlacedStorage {
  const { geometry, memory, weightBits } = placement;
  return {
    name: 'weights',
    cells: { kind: 'weights', placement },
    ...{ geometry, columnMux: memory.columnMux, valueBits: weightBits },
  };
}

function placeOtherStorage(
  { placement, mitigations, faultMaps }: Study,
  network: Network,
  accelerator: Accelerator,
  name: StorageName,
): PlacedStorage {
  const storage = placeStorage(name, network, accelerator, { placement });
  if (storage.cells.kind !== 'feature-maps' || faultMaps) return storage;
  const { featureMaps } = storage.cells;
  const first = { network, placement: featureMaps.tensors[0].placement };
  const needed = mitigations.map((mitigation) =>
    memoryNeeds(
      memoryPartsOf(mitigation).filter((part) => standsIn(part, name)),
      first,
    ),
  );
  return placeStorage(name, network, accelerator, {
    placement,
    extras: widestMemory(featureMaps.memory, needed),
  });
}

/** What a memory has beside its data where it has what is needed, each the most. */
function widestMemory(memory: MemoryExtras, needed: readonly MemoryNeeds[]): MemoryNeeds {
  const most = (extra: keyof MemoryNeeds) =>
    Math.max(memory[extra] ?? 0, ...needed.map((needs) => needs[extra]));
  return {
    checkBits: most('checkBits'),
    spareRows: most('spareRows'),
    spareColumns: most('spareColumns'),
  };
}
