import type { FaultMap } from '../fault/index.js';
import type { KernelModule } from '../kernels/index.js';
import type { LayerThresholds, Mitigation } from '../mitigation/index.js';
import type { ImageSet, WordFormat } from '../models/index.js';
import {
  type Accelerator,
  createNetworkDatapath,
  placeNetwork,
  type Recording,
} from '../sim/index.js';
import type { GoldenPredictions } from './golden.js';
import type { Condition } from './plan.js';
import { createScope } from './scope.js';
import type { SharedNetwork } from './shared-network.js';
import type { Study } from './study.js';
import {
  runTrial,
  type Trial,
  type TrialContext,
  type TrialNetwork,
  type TrialResult,
} from './trial.js';

/** Images that the datapath computes together. */
export const BATCH = 25;

/** A network of a study in one word format, with what all its trials share. */
export interface StudyNetwork extends SharedNetwork {
  /** As the study names it. */
  readonly model: string;
  /** Of every mitigation but `none`. */
  readonly thresholds: ReadonlyMap<Mitigation, LayerThresholds>;
  readonly golden: ReadonlyMap<Mitigation, GoldenPredictions>;
  readonly recordings: ReadonlyMap<Mitigation, Recording>;
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
  /** By file. */
  readonly faultMaps: ReadonlyMap<string, FaultMap>;
  readonly dataset: ImageSet;
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

/** A function that runs the trials of a study on one thread; networks and conditions are set up when first used. */
export function createTrialRunner(
  data: StudyData,
  kernels: KernelModule,
): (trial: Trial) => TrialResult {
  const networks = new Map<StudyNetwork, TrialNetwork>();
  const contexts = new Map<number, TrialContext>();

  function trialNetwork(shared: StudyNetwork): TrialNetwork {
    let created = networks.get(shared);
    if (!created) {
      const datapath = createNetworkDatapath(shared.network, kernels, BATCH);
      created = { ...shared, datapath };
      networks.set(shared, created);
    }
    return created;
  }

  function createContext(condition: Condition): TrialContext {
    const shared = networkOf(data, condition.model, condition.format);
    const accelerator = entryOf(data.accelerators, condition.accelerator);
    const placement = placeNetwork(shared.network, accelerator, data.study.placement);
    return {
      condition,
      seed: data.study.seed,
      images: data.study.images,
      network: trialNetwork(shared),
      placement,
      scope: createScope(condition.scope, shared.network, placement),
      readMap: (file) => entryOf(data.faultMaps, file),
      dataset: data.dataset,
    };
  }

  return (trial) => {
    let context = contexts.get(trial.condition);
    if (!context) {
      context = createContext(data.conditions[trial.condition]);
      contexts.set(trial.condition, context);
    }
    return runTrial(context, trial);
  };
}
