import { createFaultBuffers, type FaultBuffers } from '../../fault/index.js';
import type { KernelCode } from '../../kernels/index.js';
import { memoryPartsOf, unitsOfSide } from '../../mitigation/index.js';
import type { Network } from '../../models/index.js';
import {
  type Accelerator,
  batchWithinBytes,
  batchWithinMemory,
  createNetworkDatapath,
  createPatchBuffers,
  createPrefixSharing,
  type Datapath,
  type Disturbance,
  type PlacedStorage,
  storageSeed,
  transientSites,
  weightMemoryOf,
} from '../../sim/index.js';
import { levelOfDies, mapOfDie } from '../inputs/dies/index.js';
import type { Condition } from '../study/conditions.js';
import {
  type FaultMapsAtRate,
  faultSourceName,
  trialFaultMap,
  trialFaultMaps,
} from '../study/fault-source.js';
import type { Scope } from '../study/scope.js';
import { createStorageScope, layerOfScope, siteScope } from '../study/storage-scope.js';
import type { Study } from '../study/study.js';
import { createDeltaRunners, type Engine, type TrialNetwork } from './engines.js';
import { knownMapsOf, knownMapsOfDie } from './known-maps.js';
import { type StorageSide, storageSideOf } from './storage-side.js';
import {
  entryOf,
  faultMapKey,
  memoryKey,
  networkOf,
  placeStorages,
  type StudyData,
  type StudyNetwork,
} from './study-data.js';
import { drawTransientFaults } from './transient-faults.js';
import {
  type FaultyStorage,
  runTrial,
  type TransientContext,
  type Trial,
  type TrialContext,
  type TrialResult,
} from './trial.js';

/** Images that the datapath computes together, where their tensors take little memory. */
export const BATCH = 20;
/** Of int8 words more, where there are as many and memory for them. */
const INT8_BATCH = 50;
/** Part of the memory that a datapath may take for a larger batch. */
const INT8_MEMORY_SHARE = 1 / 8;

/**
 * Bytes of the tensors of a batch on one thread. Several images save time where maps are small; 20 of VGG-16 for 32×32
 * pixels take a quarter of this, and one of ResNet-50 for 224×224 pixels half.
 */
const BATCH_BYTES = 128 * 2 ** 20;

/** Images of a network that a study computes together on a thread at least. */
export function studyBatch(network: Network): number {
  return batchWithinBytes(network, BATCH, BATCH_BYTES);
}

/** Tensors of int8 words are small enough for what more images at a time save: reading the weights once for all. */
function batchOf(network: Network, { images }: Study): number {
  const batch = studyBatch(network);
  if (network.format !== 'int8' || batch < BATCH) return batch;
  const most = images === 'pilot' ? INT8_BATCH : Math.min(images, INT8_BATCH);
  return most <= BATCH
    ? BATCH
    : Math.max(BATCH, batchWithinMemory(network, most, INT8_MEMORY_SHARE));
}

/** Bytes for what the mitigations of a trial have in common: all but the two largest tensors of a batch of VGG-16. */
const SHARING_BYTES = 7 * 2 ** 20;

/** How one thread runs trials: none of this changes a result. */
export interface ThreadOptions {
  readonly engine: Engine;
  /** Bytes that the thread may take for following changes through fixed images. */
  readonly deltaBytes: number;
}

/**
 * A function that runs the trials of a study on one thread. Trials should come network by network, as for
 * `createTrialContexts`.
 */
export function createTrialRunner(
  data: StudyData,
  kernels: KernelCode,
  options: ThreadOptions,
): (trial: Trial) => TrialResult {
  const contextOf = createTrialContexts(data, kernels, options);
  return (trial) => runTrial(contextOf(trial.condition), trial);
}

/**
 * A function from the index of a condition to what its trials share on one thread. Networks and conditions are set up
 * when first used; of the networks only the latest is kept, because each takes much memory, so conditions should come
 * network by network.
 */
export function createTrialContexts(
  data: StudyData,
  kernels: KernelCode,
  options: ThreadOptions,
): (condition: number) => TrialContext {
  let current: { readonly shared: StudyNetwork; readonly network: TrialNetwork } | undefined;
  const contexts = new Map<number, TrialContext>();
  const latestMaps = new Map<string, ReturnType<typeof rememberMaps>>();

  function trialNetwork(shared: StudyNetwork): TrialNetwork {
    if (current?.shared !== shared) {
      // Nothing may hold on to the last network's memory while the next one's is made.
      contexts.clear();
      current = undefined;
      current = { shared, network: createTrialNetwork(data, shared, kernels, options) };
    }
    return current.network;
  }

  function createContext(condition: Condition): TrialContext {
    const shared = networkOf(data, condition.model, condition.format);
    const network = trialNetwork(shared);
    const accelerator = entryOf(data.accelerators, condition.accelerator);
    const placed = placeStorages(data.study, shared.network, accelerator, condition.storage);
    return {
      condition,
      study: data.study,
      network,
      storages: placed.map((storage) => {
        const scope = createStorageScope(condition.scope, shared.network, storage);
        return { placed: storage, scope, ...mapsOf(condition, storage, scope) };
      }),
      sides: sidesOf(data.study, network, placed, condition, accelerator),
      ...(condition.source.kind === 'transient' && {
        transient: transientContext(data.study, shared.network, placed, condition, accelerator),
      }),
      workload: data.workload,
    };
  }

  /** The fault maps of a storage by their numbers, and what is known of them. */
  function mapsOf(
    condition: Condition,
    storage: PlacedStorage,
    scope: Scope,
  ): Pick<FaultyStorage, 'faultMap' | 'knownMaps'> {
    const { source, model, format, accelerator, rate, voltage } = condition;
    if (source.kind === 'dies') {
      const dies = entryOf(data.dies, memoryKey(storage));
      const level = levelOfDies(dies, voltage);
      return {
        faultMap: (map) => mapOfDie(dies, level.dies[map]),
        knownMaps: (map, whole) =>
          knownMapsOfDie({ dies, die: level.dies[map], map, seed: data.study.seed }, whole),
      };
    }
    const request = {
      ...{ source, geometry: storage.geometry, scope },
      seed: storageSeed(data.study.seed, storage.name),
      readMap: (file: string) => entryOf(data.faultMaps, faultMapKey(file, storage)),
    };
    const family = [model, format, accelerator, faultSourceName(source), condition.scope];
    const latest = latestMaps.get(storage.name) ?? rememberMaps();
    latestMaps.set(storage.name, latest);
    return {
      faultMap: (map) =>
        options.engine === 'plain'
          ? trialFaultMap({ ...request, map, rate })
          : latest(JSON.stringify([...family, map]), (buffers) =>
              trialFaultMaps({ ...request, map }, buffers),
            )(rate),
      knownMaps: (map, whole) => knownMapsOf({ ...request, map }, whole),
    };
  }

  return (condition) => {
    const context = contexts.get(condition) ?? createContext(data.conditions[condition]);
    contexts.set(condition, context);
    return context;
  };
}

/** The transient faults of a condition. */
function transientContext(
  { seed }: StudyData['study'],
  network: Network,
  storages: readonly PlacedStorage[],
  { scope, rate, faultCount, source }: Condition,
  { array }: Accelerator,
): TransientContext {
  const all = storages.map((storage) => ({
    storage,
    sites: transientSites(network, array, storage, siteScope(scope)),
  }));
  const count = all.reduce((sum, { sites }) => sum + sites.count, 0);
  const level = { rate, faultCount };
  const isExhaustive = source.kind === 'transient' && source.state === 'exhaustive';
  return {
    requested: faultCount ?? rate * count,
    faultsOf: (map, image) =>
      all.flatMap(({ storage, sites }) =>
        drawTransientFaults(sites, storage, { seed, map, image, level, isExhaustive }),
      ),
  };
}

/** What the storages make of maps under each mitigation; mitigations with the same parts share it. */
function sidesOf(
  { mitigations }: StudyData['study'],
  { network, words }: TrialNetwork,
  storages: readonly PlacedStorage[],
  { scope }: Condition,
  accelerator: Accelerator,
): ReadonlyMap<string, StorageSide> {
  const context = {
    ...{ network, words, storages, array: accelerator.array },
    ownMemory: weightMemoryOf(accelerator, network),
    layer: layerOfScope(scope),
  };
  const sides = new Map<string, StorageSide>();
  return new Map(
    mitigations.map((mitigation) => {
      const parts = memoryPartsOf(mitigation);
      const key = JSON.stringify(parts);
      const side = sides.get(key) ?? storageSideOf(parts, context);
      sides.set(key, side);
      return [mitigation.name, side];
    }),
  );
}

/** Keeps the maps of one key, the latest: those of several rates are drawn in one go. */
function rememberMaps(): (
  key: string,
  create: (buffers: FaultBuffers) => FaultMapsAtRate,
) => FaultMapsAtRate {
  const buffers = createFaultBuffers();
  let latest: { readonly key: string; readonly maps: FaultMapsAtRate } | undefined;
  return (key, create) => {
    if (latest?.key !== key) latest = { key, maps: create(buffers) };
    return latest.maps;
  };
}

function createTrialNetwork(
  { study }: StudyData,
  shared: StudyNetwork,
  kernels: KernelCode,
  { engine, deltaBytes }: ThreadOptions,
): TrialNetwork {
  const { network, sides } = shared;
  const datapath = rememberDisturbance(
    createNetworkDatapath(network, kernels, batchOf(network, study)),
  );
  const { images, imageChoice } = study;
  const follows = imageChoice === 'fixed' && images !== 'pilot' && engine === 'incremental';
  return {
    ...shared,
    units: new Map([...sides].map(([name, side]) => [name, unitsOfSide(side, network)])),
    datapath,
    engine,
    patchBuffers: createPatchBuffers(),
    deltaRunners: follows
      ? createDeltaRunners(network, datapath, kernels, images, deltaBytes)
      : undefined,
    sharing:
      network.format === 'float32' && imageChoice === 'drawn' && engine === 'incremental'
        ? createPrefixSharing(datapath, SHARING_BYTES)
        : undefined,
  };
}

/** The mitigations of a trial share its faults, and there may be millions: they are put in once. */
function rememberDisturbance(datapath: Datapath): Datapath {
  let installed: Disturbance | undefined;
  return {
    ...datapath,
    setDisturbance(disturbance) {
      if (disturbance === installed) return;
      datapath.setDisturbance(disturbance);
      installed = disturbance;
    },
  };
}
