import type { FaultMap } from '../fault/index.js';
import type { KernelModule } from '../kernels/index.js';
import type { ImageSet, WordFormat } from '../models/index.js';
import { type Accelerator, createNetworkDatapath, placeNetwork } from '../sim/index.js';
import type { SharedNetwork } from './shared-network.js';
import type { Study } from './study.js';
import { runTrial, type Trial, type TrialContext, type TrialResult } from './trial.js';

/** Images that the datapath computes together. */
const BATCH = 25;

/**
 * All that the threads of a study share: plain data that can be posted to a worker, large arrays in
 * shared memory.
 */
export interface StudyData {
  readonly study: Study;
  readonly accelerator: Accelerator;
  readonly networks: readonly SharedNetwork[];
  /** Clip thresholds by word format and layer name. */
  readonly thresholds: ReadonlyMap<WordFormat, ReadonlyMap<string, readonly number[]>>;
  readonly faultMap?: FaultMap | undefined;
  readonly dataset: ImageSet;
  /** SHA-256 of each input that `study` only names, by what it is. */
  readonly checksums: Readonly<Record<string, string>>;
}

/** A function that runs the trials of a study on one thread; each word format is set up when first used. */
export function createTrialRunner(
  data: StudyData,
  kernels: KernelModule,
): (trial: Trial) => TrialResult {
  const contexts = new Map<WordFormat, TrialContext>();
  return (trial) => {
    let context = contexts.get(trial.format);
    if (!context) {
      context = createContext(data, trial.format, kernels);
      contexts.set(trial.format, context);
    }
    return runTrial(context, trial);
  };
}

function createContext(data: StudyData, format: WordFormat, kernels: KernelModule): TrialContext {
  const { network, words } = sharedNetworkOf(data, format);
  return {
    study: data.study,
    network,
    datapath: createNetworkDatapath(network, kernels, BATCH),
    placement: placeNetwork(network, data.accelerator, data.study.placement),
    words,
    thresholds: data.thresholds.get(format) ?? new Map(),
    faultMap: data.faultMap,
    dataset: data.dataset,
  };
}

function sharedNetworkOf(data: StudyData, format: WordFormat): SharedNetwork {
  const shared = data.networks.find(({ network }) => network.format === format);
  if (!shared) throw new Error(`no network of format ${format}`);
  return shared;
}
