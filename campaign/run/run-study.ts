import { type CellGeometry, dataCellCount } from '../../fault/index.js';
import {
  type InferenceCost,
  inferenceCost,
  memoryOfStorage,
  type PlacedStorage,
  type StorageName,
  type WeightMemory,
  weightMemoryOf,
} from '../../sim/index.js';
import { type Collector, createCollector } from '../execute/collector.js';
import { executeTrials } from '../execute/threads.js';
import type { RestartListener } from '../execute/worker-thread.js';
import { codeChecksum, islandVersions, versions, workloadChecksum } from '../inputs/checksums.js';
import type { DieRow } from '../points/dies/die-row.js';
import type { StudyPoint } from '../points/point.js';
import { type SampleSize, singleFaultSamples } from '../points/sample-size.js';
import { type OtherSaver, openStore, type StudyStore } from '../store/index.js';
import { createStoreWriter } from '../store/writer.js';
import type { PlacedNetwork } from '../study/conditions.js';
import { strikesWeights } from '../study/storages.js';
import { mitigationNames, type Study, studyInputOf } from '../study/study.js';
import type { Engine } from '../trial/engines.js';
import { entryOf, networkOf, placeStorages, type StudyData } from '../trial/study-data.js';
import type { Trial, TrialResult } from '../trial/trial.js';
import { type PreparedStudy, placeOf } from './prepare.js';
import { requireRepeated } from './repeat-saved.js';
import { type StudyDies, studyDies } from './study-dies.js';

/** How a study is run: none of this changes its result. */
export interface RunOptions {
  readonly threads: number;
  /** Default: incremental. The plain engine is there to be compared with. */
  readonly engine?: Engine | undefined;
  /** Folder for the study's results; default: none is written. */
  readonly out?: string | undefined;
  readonly resume?: boolean | undefined;
  /** When it aborts, running trials finish and are saved, and no new one starts. */
  readonly signal?: AbortSignal | undefined;
  /** Called when trials that something else saved are run again, before the study goes on. */
  readonly onRepeat?: ((trials: readonly Trial[], by: OtherSaver['kind']) => void) | undefined;
  /** Called when a worker thread has ended and a fresh one takes over. */
  readonly onRestart?: RestartListener | undefined;
  /** Called after trials; not for each of them when there are many a second. */
  readonly onProgress?: ((progress: StudyProgress) => void) | undefined;
}

/** How far a study is. */
export interface StudyProgress {
  readonly points: { readonly done: number; readonly total: number };
  /** Trials: those that were there at the start, done by now, and about how many there will be. */
  readonly trials: { readonly before: number; readonly done: number; readonly expected: number };
  /** The point with the newest trial; undefined before the first one. */
  readonly current: StudyPoint | undefined;
}

/** A network of a study on one accelerator. */
export interface NetworkSummary extends PlacedNetwork, InferenceCost {
  /** SHA-256 of the network file. */
  readonly checksum: string;
  /** The weight memory, broken or not. */
  readonly memory: WeightMemory;
  /** What the study breaks. */
  readonly storages: readonly StorageSummary[];
}

/** A storage that a study breaks, as a network uses it on an accelerator. */
export interface StorageSummary {
  readonly storage: StorageName;
  /** The memory that it is in; null: registers of the array. */
  readonly memory: WeightMemory | null;
  /** Of all cells: of registers a bank holds those of one kind, a row the bits of those of a row of the array. */
  readonly geometry: CellGeometry;
  /** Bits of a weight, a value, a sum or a product. */
  readonly valueBits: number;
  /** Cells that hold data; those of inputs and activations are the same. */
  readonly cells: number;
}

/** The dies of a study. */
export interface DieResults {
  /** By network, voltage, die and mitigation, in the order of the study; voltages fall. */
  readonly rows: readonly DieRow[];
  /** What was noticed about their maps. */
  readonly warnings: readonly string[];
}

export interface StudyResult {
  readonly study: Study;
  /** Each network, word format and accelerator, in the order of the study. */
  readonly networks: readonly NetworkSummary[];
  /** The points that have a trial, in the order of the study. */
  readonly points: readonly StudyPoint[];
  /** Of a study of measured dies. */
  readonly dies?: DieResults | undefined;
  /** Of conditions with one fault a map. */
  readonly sampleSizes: readonly SampleSize[];
  /** False when the run was aborted. */
  readonly complete: boolean;
}

/** Run a prepared study on worker threads; the result depends on the study and its inputs alone. */
export async function runStudy(prepared: PreparedStudy, options: RunOptions): Promise<StudyResult> {
  const { data } = prepared;
  const { study, conditions } = data;
  const dies = studyDies(data);
  const store =
    options.out === undefined
      ? undefined
      : await openStudyStore(prepared, dies, options.out, options);
  try {
    const collector = createCollector(
      conditions,
      {
        mitigations: mitigationNames(study),
        imageChoice: study.imageChoice,
        within: study.within / 100,
        remarksOf: prepared.remarksOf,
      },
      prepared,
      store?.finished,
    );
    const results = dies ? [...(store?.finished ?? [])] : [];
    await runTrials(data, collector, store, {
      ...options,
      onAccepted: (result) => dies && results.push(result),
    });
    return {
      study,
      networks: summarizeNetworks(data),
      points: collector.points().map(({ point }) => point),
      sampleSizes: singleFaultSamples(data),
      ...(dies && { dies: { rows: rowsOf(dies, results), warnings: dies.warnings } }),
      complete: collector.complete,
    };
  } finally {
    store?.close();
  }
}

function rowsOf(dies: StudyDies, results: readonly TrialResult[]): DieRow[] {
  return results
    .toSorted(
      ({ trial: one }, { trial: other }) => one.condition - other.condition || one.map - other.map,
    )
    .flatMap(dies.rowsOf);
}

function openStudyStore(
  { data, checksums, remarksOf, ruleOf }: PreparedStudy,
  dies: StudyDies | undefined,
  folder: string,
  { resume = false, threads, engine = 'incremental', onRestart, onRepeat }: RunOptions,
): Promise<StudyStore> {
  const { study, conditions, accelerators, workload } = data;
  return openStore(folder, {
    configuration: {
      ...studyInputOf(study),
      ...(workload.files && { inputs: workload.files }),
      acceleratorsResolved: Object.fromEntries(accelerators),
      checksums: { ...checksums, data: workloadChecksum(workload) },
    },
    versions: versions(),
    code: codeChecksum(),
    islands: islandVersions(data.networks.map(({ network }) => network)),
    repeat: (saved, by) =>
      requireRepeated(data, saved, { folder, by }, { threads, engine, onRestart, onRepeat }),
    conditions,
    mitigations: mitigationNames(study),
    remarksOf,
    mapsOf: (condition) => ruleOf(condition).maxMaps,
    diesOf: dies?.rowsOf,
    seed: study.seed,
    resume,
  });
}

async function runTrials(
  data: StudyData,
  collector: Collector,
  store: StudyStore | undefined,
  {
    threads,
    engine = 'incremental',
    signal,
    onRestart,
    onProgress,
    onAccepted,
  }: RunOptions & { readonly onAccepted: (result: TrialResult) => unknown },
): Promise<void> {
  const writer = store && createStoreWriter(store, collector);
  const report = reporter(collector, onProgress);
  const { most, done } = collector.progress.trials;
  if (most === done) return;
  try {
    await executeTrials(data, {
      threads: Math.min(threads, most - done),
      engine,
      stopped: () => signal?.aborted === true || writer?.failed === true,
      next: collector.next,
      onRestart,
      onResult(result) {
        const accepted = collector.accept(result);
        writer?.add(accepted);
        accepted.forEach(onAccepted);
        if (accepted.length > 0) report(accepted[accepted.length - 1].trial.condition);
      },
    });
  } finally {
    await writer?.finish();
  }
}

const REPORT_INTERVAL_MS = 100;

function reporter(
  collector: Collector,
  onProgress: RunOptions['onProgress'],
): (condition: number) => void {
  if (!onProgress) return () => {};
  const before = collector.progress.trials.done;
  let last = -Infinity;
  return (condition) => {
    const now = performance.now();
    if (now - last < REPORT_INTERVAL_MS && !collector.complete) return;
    last = now;
    const { points, trials } = collector.progress;
    const [current] = collector.pointsOf(condition);
    const { done, expected } = trials;
    onProgress({ points, trials: { before, done, expected }, current: current?.point });
  };
}

function summarizeNetworks(data: StudyData): NetworkSummary[] {
  const { study, accelerators } = data;
  return study.models.flatMap((model) =>
    study.formats.flatMap((format) =>
      study.accelerators.map((accelerator) => {
        const { network } = networkOf(data, model, format);
        const its = entryOf(accelerators, accelerator);
        // Several labels may have a storage in common, which is one place of the network.
        const placed = placeStorages(study, network, its, study.storages.join('+'), accelerator);
        return {
          model,
          format,
          accelerator,
          checksum: network.checksum,
          memory: weightMemoryOfStudy(data, { model, format, accelerator }),
          storages: placed.map(summarizeStorage),
          ...inferenceCost(network, its),
        };
      }),
    ),
  );
}

/** The weight memory with what mitigations need in it, where faults strike it; else as the accelerator has it. */
function weightMemoryOfStudy(data: StudyData, placed: PlacedNetwork): WeightMemory {
  if (strikesWeights(data.study.storages)) return placeOf(data, placed).memory;
  const { network } = networkOf(data, placed.model, placed.format);
  return weightMemoryOf(entryOf(data.accelerators, placed.accelerator), network);
}

function summarizeStorage(placed: PlacedStorage): StorageSummary {
  const { name, geometry, valueBits } = placed;
  return {
    storage: name,
    memory: memoryOfStorage(placed) ?? null,
    ...{ geometry, valueBits, cells: dataCellCount(geometry) },
  };
}
