import { InputError, readFileChecked, sha256Hex } from '../../core/index.js';
import { type FaultMap, faultMapFiles } from '../../fault/index.js';
import {
  activationKeyOf,
  activationPartOf,
  activationSideOf,
  memoryPartsOf,
  NO_MITIGATION,
  type PlacedWeights,
  type Thresholds,
  unmeasuredCells,
} from '../../mitigation/index.js';
import { loadNetwork, zooThresholds } from '../../models/index.js';
import {
  type Accelerator,
  createRecording,
  loadAccelerator,
  type PlacedStorage,
  type Placement,
  requireDatapath,
  transientSites,
} from '../../sim/index.js';
import type { Workload } from '../../workload/index.js';
import { filesOfDies, levelOfDies, type PlacedDies, readDies } from '../inputs/dies/index.js';
import { dataShapesOf } from '../inputs/samples.js';
import { type SharedNetwork, shareNetwork } from '../inputs/shared-network.js';
import { loadStorageMap } from '../inputs/storage-map.js';
import { taskOf } from '../inputs/tasks.js';
import { createThresholdFinder, type ProfileData } from '../inputs/thresholds.js';
import { type DataOptions, loadSamples } from '../inputs/workload.js';
import { type StudyDesign, stoppingRuleOf } from '../points/design.js';
import { createPilot, MOST_PILOT_IMAGES } from '../points/pilot.js';
import {
  type Condition,
  type PlacedNetwork,
  type PlacedStorages,
  planConditions,
} from '../study/conditions.js';
import {
  dataFaults,
  type FaultSource,
  type FaultState,
  faultModelFiles,
  faultSourceOf,
  isTransient,
  restrictFaultMap,
} from '../study/fault-source.js';
import { createStorageScope, expandStorageScope, siteScope } from '../study/storage-scope.js';
import { WEIGHTS_ALONE } from '../study/storages.js';
import { MOST_MAPS, partDefaults, type Study } from '../study/study.js';
import { requireKnowable, requireMeasured } from '../trial/known-voltages.js';
import { createGoldenPredictions } from '../trial/recorded-samples.js';
import {
  entryOf,
  faultMapKey,
  memoryKey,
  networkOf,
  placeForStudy,
  placeStorages,
  type StudyData,
  type StudyNetwork,
} from '../trial/study-data.js';
import { BATCH, studyBatch } from '../trial/trial-runner.js';

/** Bytes that all recordings of a study may take. */
const RECORDING_BYTES = 96 * 2 ** 20;

/** A study with everything loaded and checked, ready to run. */
export interface PreparedStudy extends StudyDesign {
  readonly data: StudyData;
  /** SHA-256 of each input that the study only names, by what it is and its name. */
  readonly checksums: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** What is to be remarked on a point: what its numbers take for granted. */
  readonly remarksOf: (condition: Condition, mitigation: string) => readonly string[];
}

/**
 * Load and check all that a study needs: networks, accelerators, thresholds, samples, fault maps, memories.
 *
 * @param source where samples come from; default: CIFAR-10's test images of the installed data package
 * @throws InputError for anything wrong with them
 */
export function prepareStudy(given: Study, source: DataOptions = {}): PreparedStudy {
  const accelerators = new Map(given.accelerators.map((name) => [name, loadAccelerator(name)]));
  const sources = sourcesOf(given);
  requireKnowable(given, sources);
  const sizes = { dataShapes: dataShapesOf(source.inputs ?? []) };
  const words = given.models.map((model) => ({
    model,
    shared: given.formats.map((format) => shareNetwork(loadNetwork(model, format, sizes))),
  }));
  const all = words.flatMap(({ shared }) => shared.map(({ network }) => network));
  const { workload, profile } = loadSamples(all, source, given.seed, profiles(given));
  const study = withSamples(given, workload);
  // Here, so that no thread is started for it.
  for (const network of all) requireDatapath(network, studyBatch(network));
  const loaded = words.map((one) => loadModel(study, one, profile, workload));
  const networks = loaded.flatMap((model) => model.networks);
  const loadedNetworks = { study, networks, accelerators };
  const place = (placed: PlacedNetwork) => placeOf(loadedNetworks, placed);
  const storages = new Map<string, readonly PlacedStorage[]>();
  const storagesFor = ({ model, format, accelerator, storage }: PlacedStorages) => {
    const key = JSON.stringify([model, format, accelerator, storage]);
    const placed =
      storages.get(key) ?? storagesIn(loadedNetworks, { model, format, accelerator, storage });
    storages.set(key, placed);
    return placed;
  };
  const faultMaps = new Map<string, FaultMap>();
  const readMap = (file: string, placed: PlacedStorages, storage: PlacedStorage) => {
    const key = faultMapKey(file, storage);
    const map = faultMaps.get(key) ?? readMapFor(study, file, placed, storage);
    faultMaps.set(key, map);
    return map;
  };
  const dies = new Map<string, PlacedDies>();
  const diesOf = (placed: PlacedNetwork): PlacedDies => {
    const { dies: files } = study;
    if (files === undefined) throw new Error('a study without dies');
    const { geometry, memory } = place(placed);
    const { columnMux } = memory;
    const key = memoryKey({ geometry, columnMux });
    const read =
      dies.get(key) ?? forFormat(study, placed, () => readDies(files, { geometry, columnMux }));
    dies.set(key, read);
    return read;
  };
  const scopesIn = (placed: PlacedStorages, scope: string) => {
    const { network } = networkOf({ networks }, placed.model, placed.format);
    return storagesFor(placed).map((storage) => ({
      storage,
      cells: createStorageScope(scope, network, storage),
    }));
  };
  const cellsOf = (placed: PlacedStorages, scope: string) =>
    scopesIn(placed, scope).reduce((sum, { cells }) => sum + cells.count, 0);
  const sitesOf = (placed: PlacedStorages, scope: string) => {
    const { network } = networkOf({ networks }, placed.model, placed.format);
    const { array } = entryOf(accelerators, placed.accelerator);
    return storagesFor(placed).reduce(
      (sum, storage) => sum + transientSites(network, array, storage, siteScope(scope)).count,
      0,
    );
  };
  const mapsOf = (condition: Condition) =>
    mapsOfSource(study, condition, {
      dies: () => levelOfDies(diesOf(condition), condition.voltage).dies.length,
      places: () => sitesOf(condition, condition.scope),
    });
  const conditions = planConditions(study, {
    sources,
    scopesOf: (placed) => scopesOf(study, placed, networks, storagesFor(placed)),
    cellsOf,
    sitesOf,
    rateOfMap(file, placed, scope) {
      const faults = scopesIn(placed, scope).reduce(
        (sum, { storage, cells }) =>
          sum + dataFaults(restrictFaultMap(readMap(file, placed, storage), cells)),
        0,
      );
      return faults / cellsOf(placed, scope);
    },
    levelsOfDies: (placed) =>
      levelsOf(diesOf(placed), cellsOf({ ...placed, storage: WEIGHTS_ALONE }, 'all')),
  });
  requireMeasured(study, dies);
  return {
    data: { study, conditions, networks, accelerators, faultMaps, dies, workload },
    ruleOf: (condition) => stoppingRuleOf(study, condition, mapsOf(condition)),
    remarksOf: remarksByPoint(study, (condition) => ({
      network: networkOf({ networks }, condition.model, condition.format).network,
      placement: place(condition),
    })),
    imagesOf(condition) {
      const { images, precision } = study;
      if (images !== 'pilot') return images;
      if (precision === undefined) throw new Error('a pilot without a precision');
      const { network } = networkOf({ networks }, condition.model, condition.format);
      const requested =
        condition.faultCount ?? condition.rate * cellsOf(condition, condition.scope);
      return createPilot(condition, {
        network,
        precision: precision / 100,
        requested,
        batch: BATCH,
        sharedBy: conditions.filter(
          ({ model, format }) => model === condition.model && format === condition.format,
        ).length,
      });
    },
    checksums: {
      networks: Object.fromEntries(
        loaded.map(({ model, networks: [{ network }] }) => [model, network.checksum]),
      ),
      thresholds: Object.fromEntries(
        loaded.flatMap(({ thresholds }) =>
          [...thresholds].map(([asked, found]) => [asked, sha256Hex(JSON.stringify(found))]),
        ),
      ),
      faultMaps: Object.fromEntries(
        (study.faultMaps ?? []).map((spec) => [spec, checksumOf(faultMapFiles(spec))]),
      ),
      ...(study.dies && {
        dies: { [study.dies.from.join(',')]: checksumOf(filesOfDies(study.dies)) },
      }),
      faultModels: Object.fromEntries(
        faultModelFiles(study.faults).map((file) => [file, checksumOf([file])]),
      ),
    },
  };
}

/** The models of a study whose thresholds of clips have to be profiled. */
function profiles({ models, mitigations, thresholds }: Study): boolean {
  const isClipped = mitigations
    .map(activationPartOf)
    .some((part) => part !== undefined && part.thresholds === undefined);
  return (
    isClipped &&
    models.some((model) => thresholds?.[model] === undefined && zooThresholds(model) === undefined)
  );
}

/** A map cannot have more samples than there are. */
function withSamples(study: Study, { samples }: Workload): Study {
  const { images } = study;
  const most = images === 'pilot' ? MOST_PILOT_IMAGES : images;
  return most <= samples ? study : { ...study, images: samples };
}

/** A network in the word formats of a study. */
function loadModel(
  study: Study,
  { model, shared }: { readonly model: string; readonly shared: readonly SharedNetwork[] },
  profile: ProfileData,
  workload: Workload,
): {
  readonly model: string;
  readonly networks: StudyNetwork[];
  readonly thresholds: ReadonlyMap<string, Thresholds>;
} {
  const finder = createThresholdFinder(
    model,
    shared.map(({ network }) => network),
    { file: study.thresholds?.[model], granularity: study.granularity },
    profile,
  );
  const networkCount = study.models.length * study.formats.length;
  const mitigations = [NO_MITIGATION, ...study.mitigations];
  const activationOf = new Map(
    mitigations.map((mitigation) => [mitigation.name, activationKeyOf(mitigation)]),
  );
  const keys = [...new Set(activationOf.values())];
  const networks = shared.map((one) => ({
    ...one,
    model,
    task: taskOf(study, one.network, workload),
    activationOf,
    sides: new Map(
      mitigations.map((mitigation) => [
        activationKeyOf(mitigation),
        activationSideOf(mitigation, one.network, finder.find, partDefaults(study)),
      ]),
    ),
    golden: createGoldenPredictions(keys, workload.samples),
    recordings: new Map(
      keys.map((key) => [
        key,
        createRecording(
          one.network,
          study.imageChoice === 'fixed' && study.images !== 'pilot'
            ? study.images
            : workload.samples,
          RECORDING_BYTES / networkCount / keys.length,
        ),
      ]),
    ),
  }));
  return { model, networks, thresholds: finder.found() };
}

/** The place of a study's network in the weight memory of an accelerator. */
export function placeOf(
  data: {
    readonly study: Study;
    readonly networks: readonly StudyNetwork[];
    readonly accelerators: ReadonlyMap<string, Accelerator>;
  },
  { model, format, accelerator }: PlacedNetwork,
): Placement {
  const { network } = networkOf(data, model, format);
  return placeForStudy(data.study, network, entryOf(data.accelerators, accelerator), accelerator);
}

/** The storages of a study's network that are broken at once. */
function storagesIn(
  data: Parameters<typeof placeOf>[0],
  { model, format, accelerator, storage }: PlacedStorages,
): readonly PlacedStorage[] {
  const { network } = networkOf(data, model, format);
  const its = entryOf(data.accelerators, accelerator);
  return placeStorages(data.study, network, its, storage, accelerator);
}

/** Remarks on the points of given maps: those drawn have all cells that the mitigations need. */
function remarksByPoint(
  study: Study,
  placedOf: (condition: Condition) => PlacedWeights,
): PreparedStudy['remarksOf'] {
  return (condition, name) => {
    const mitigation = study.mitigations.find((one) => one.name === name);
    const isMeasured = condition.source.kind === 'file' || condition.source.kind === 'dies';
    if (!isMeasured || !mitigation) return [];
    return unmeasuredCells(memoryPartsOf(mitigation), placedOf(condition));
  };
}

function scopesOf(
  study: Study,
  { model, format }: PlacedNetwork,
  networks: readonly StudyNetwork[],
  storages: readonly PlacedStorage[],
): string[] {
  const { network } = networkOf({ networks }, model, format);
  // For its errors: without a bank the faults are looked for at once.
  if (study.faults.some(isTransient)) for (const scope of study.scopes) siteScope(scope);
  const scopes = study.scopes.flatMap((scope) => expandStorageScope(scope, network, storages));
  const seen = new Set<string>();
  const twice = scopes.find((scope) => seen.size === seen.add(scope).size);
  if (twice !== undefined) throw new InputError(`study: scopes hold ${twice} twice`);
  return scopes;
}

function sourcesOf({ faultMaps, dies, faults }: Study): FaultSource[] {
  if (dies) return [{ kind: 'none' }, { kind: 'dies', name: dies.from.join(',') }];
  if (faultMaps) return faultMaps.map((file) => ({ kind: 'file', file }));
  return faults.map(faultSourceOf);
}

/**
 * The most maps of a condition: as many as there are dies, or places for a fault, where each has one.
 *
 * @throws InputError when there are too many places
 */
function mapsOfSource(
  { maps }: Study,
  { source, storage, scope }: Condition,
  count: { readonly dies: () => number; readonly places: () => number },
): number {
  if (source.kind === 'dies') return count.dies();
  if (source.kind !== 'transient' || source.state !== 'exhaustive') return maps;
  const places = count.places();
  if (places <= MOST_MAPS) return places;
  throw new InputError(
    `study: {transient: exhaustive}: scope ${scope} of ${storage} has ${places} places for a fault, and a point at most ${MOST_MAPS} maps: give a smaller scope (a layer, a bit), or draw some with {transient: {count: 1}}`,
  );
}

/** The voltages of dies, with the mean share of the cells that are faulty. */
function levelsOf({ levels }: PlacedDies, cells: number): FaultState[] {
  return levels.map(({ voltage, dies }) => {
    const faults = dies.reduce((sum, die) => sum + die.faults, 0);
    return { rate: faults / (dies.length * cells), voltage: voltage ?? undefined };
  });
}

/** @throws InputError when the file is wrong or for another memory */
function readMapFor(
  study: Study,
  file: string,
  placed: PlacedStorages,
  storage: PlacedStorage,
): FaultMap {
  return forFormat(study, placed, () => loadStorageMap(file, storage, placed.storage));
}

/** Reads maps for the memory of a network; an error says which one it was. */
function forFormat<T>(
  { formats }: Study,
  { model, format, accelerator }: PlacedNetwork,
  read: () => T,
): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof InputError) || formats.length === 1) throw error;
    throw new InputError(
      `${error.message} It was read for ${format} words of ${model} on ${accelerator}; the word formats have memories of different sizes: choose one with --format.`,
      { cause: error },
    );
  }
}

function checksumOf(files: readonly string[]): string {
  return sha256Hex(files.map((file) => sha256Hex(readFileChecked(file))).join(''));
}
