import { type ProgressListener, readFileChecked, sha256Hex } from '../core/index.js';
import {
  cellCount,
  type FaultMap,
  faultMapFiles,
  readFaultMap,
  requireGeometry,
} from '../fault/index.js';
import { thresholdsFor } from '../mitigation/index.js';
import { type ImageSet, loadCifar10, type WordFormat, weightedLayers } from '../models/index.js';
import {
  loadAccelerator,
  type NetworkTiming,
  networkTiming,
  placeNetwork,
  type WeightMemory,
} from '../sim/index.js';
import { requireCifar10Network } from './cifar10-network.js';
import type { StudyData } from './context.js';
import { executeTrials } from './executor.js';
import { loadNetwork, loadThresholds } from './load-network.js';
import { planTrials, trialKey } from './plan.js';
import { type StudyPoint, summarize } from './result.js';
import { shareNetwork } from './shared-network.js';
import { openStore } from './store.js';
import type { Study } from './study.js';
import type { Trial, TrialResult } from './trial.js';

/** How a study is run: none of this changes its result. */
export interface RunOptions {
  readonly threads: number;
  /** Folder for the study's results; default: none is written. */
  readonly out?: string | undefined;
  readonly resume?: boolean | undefined;
  /** When it aborts, running trials finish and are saved, and no new one starts. */
  readonly signal?: AbortSignal | undefined;
  /** Steps are images put through the network. */
  readonly onProgress?: ProgressListener | undefined;
}

export interface StudyResult {
  readonly study: Study;
  /** SHA-256 of the network file. */
  readonly checksum: string;
  /** Weight memory of each word format. */
  readonly memories: Readonly<Partial<Record<WordFormat, WeightMemory>>>;
  readonly timing: NetworkTiming;
  readonly points: readonly StudyPoint[];
  /** False when the run was aborted; then there are no points. */
  readonly complete: boolean;
}

/** A study with everything loaded and checked, ready to run. */
export interface PreparedStudy {
  readonly data: StudyData;
  readonly trials: readonly Trial[];
  /** Fault rate of the study's own map, if it has one. */
  readonly mapRate: number | undefined;
}

/**
 * Load and check all that a study needs: network, thresholds, images, fault map, memory.
 *
 * @param data folder of CIFAR-10's binary files; default: the installed data package
 * @throws InputError for anything wrong with them
 */
export function prepareStudy(study: Study, data?: string): PreparedStudy {
  const accelerator = loadAccelerator(study.accelerator);
  const networks = study.formats.map((format) => shareNetwork(loadNetwork(study.model, format)));
  let faultMap: FaultMap | undefined;
  for (const { network } of networks) {
    requireCifar10Network(network);
    const { geometry, memory } = placeNetwork(network, accelerator, study.placement);
    if (study.faultMap !== undefined) {
      faultMap ??= readFaultMap(study.faultMap, { geometry, columnMux: memory.columnMux });
      requireGeometry(faultMap, geometry, `${study.faultMap}, wanted for ${network.format} words,`);
    }
  }
  const found = findThresholds(study, networks, data);
  const mapRate = faultMap && faultMap.cells.length / cellCount(faultMap.geometry);
  return {
    data: {
      study,
      accelerator,
      networks,
      thresholds: new Map(
        networks.map(({ network }) => [
          network.format,
          found ? thresholdsFor(network, found.thresholds, found.where) : new Map(),
        ]),
      ),
      faultMap,
      dataset: shareImages(loadCifar10({ folder: data, split: 'test' })),
      checksums: {
        network: networks[0].network.checksum,
        ...(found && { thresholds: sha256Hex(JSON.stringify(found.thresholds)) }),
        ...(study.faultMap && { faultMap: checksumOf(faultMapFiles(study.faultMap)) }),
      },
    },
    trials: planTrials(study, mapRate),
    mapRate,
  };
}

/** Run a prepared study on worker threads; the result depends on the study and its inputs alone. */
export async function runStudy(
  { data, trials, mapRate }: PreparedStudy,
  options: RunOptions,
): Promise<StudyResult> {
  const { study, networks, accelerator } = data;
  const { network } = networks[0];
  const store =
    options.out === undefined
      ? undefined
      : openStore(
          options.out,
          { ...study, accelerator, checksums: data.checksums },
          options.resume ?? false,
        );
  const finished = new Map<string, TrialResult>();
  for (const result of store?.finished ?? []) finished.set(trialKey(result.trial), result);
  const total = trials.reduce((sum, trial) => sum + cost(study, trial), 0);
  let done = 0;
  const count = (trial: Trial) => {
    done += cost(study, trial);
    options.onProgress?.(done, total);
  };
  for (const { trial } of finished.values()) count(trial);
  const open = trials.filter((trial) => !finished.has(trialKey(trial)));
  await executeTrials(data, open, {
    threads: options.threads,
    signal: options.signal,
    onResult(result) {
      finished.set(trialKey(result.trial), result);
      store?.append(result);
      count(result.trial);
    },
  });
  const results = trials.flatMap((trial) => finished.get(trialKey(trial)) ?? []);
  const complete = results.length === trials.length;
  const summary: StudyResult = {
    study,
    checksum: network.checksum,
    memories: Object.fromEntries(
      networks.map((shared) => [
        shared.network.format,
        placeNetwork(shared.network, accelerator, study.placement).memory,
      ]),
    ),
    timing: networkTiming(
      weightedLayers(network).map(({ shape }) => shape),
      accelerator.array,
    ),
    points: complete ? summarize(study, results, mapRate) : [],
    complete,
  };
  if (complete) store?.writeResults(summary);
  return summary;
}

/** Images that a trial puts through the network. */
function cost(study: Study, trial: Trial): number {
  return study.images * trial.mitigations.length;
}

function findThresholds(
  study: Study,
  networks: StudyData['networks'],
  data: string | undefined,
): ReturnType<typeof loadThresholds> | undefined {
  if (study.mitigations.every((mitigation) => mitigation === 'none')) return undefined;
  return loadThresholds(
    study.model,
    networks.map(({ network }) => network),
    study.thresholds,
    data,
  );
}

/** SHA-256 of a file, or of those of several. */
function checksumOf(files: readonly string[]): string {
  const checksums = files.map((file) => sha256Hex(readFileChecked(file)));
  return checksums.length === 1 ? checksums[0] : sha256Hex(checksums.join());
}

/** The images in memory that all threads see. */
function shareImages(images: ImageSet): ImageSet {
  const shared = new Uint8Array(new SharedArrayBuffer(images.images.length));
  shared.set(images.images);
  return { ...images, images: shared };
}
