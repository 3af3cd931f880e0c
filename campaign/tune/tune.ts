import { multiplyAccumulates, sha256Hex } from '../../core/index.js';
import { type LayerThresholds, type Thresholds, thresholdsFor } from '../../mitigation/index.js';
import { arrayLayers, loadCifar10, loadNetwork, type Network } from '../../models/index.js';
import { loadAccelerator, requireDatapath } from '../../sim/index.js';
import type { RestartListener } from '../execute/worker-thread.js';
import { codeChecksum, dataChecksum, islandVersions } from '../inputs/checksums.js';
import { requireCifar10Network } from '../inputs/cifar10-network.js';
import { shareNetwork } from '../inputs/shared-network.js';
import { loadThresholds } from '../inputs/thresholds.js';
import { BATCH } from '../trial/trial-runner.js';
import { createEvaluator, type Evaluator, Stopped } from './evaluator.js';
import {
  createSearch,
  foundThresholds,
  recordOf,
  type SearchListeners,
  type SearchResult,
} from './search.js';
import { openState, type TuningState } from './state.js';
import type { TuneData } from './tune-data.js';
import { TUNING_POOL, type Tuning } from './tuning.js';

/** How a search is run: none of this changes its result. */
export interface TuneOptions extends SearchListeners {
  readonly threads: number;
  /** Folder for what the search has found out so far; default: it is not kept. */
  readonly out?: string | undefined;
  readonly resume?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called when a worker thread has ended and a fresh one takes over. */
  readonly onRestart?: RestartListener | undefined;
  /** Bytes that may be kept between tasks, 2 GiB if undefined; what does not fit is computed again. */
  readonly memory?: number | undefined;
}

/** What a search computed, next to the same scores computed image by image from the input. */
export interface TuneCost {
  /** Different thresholds scored. */
  readonly candidates: number;
  /** Image runs that their scores stand for: a candidate, a rate, a map and an image each. */
  readonly imageRuns: number;
  /** Multiply-accumulates done. */
  readonly products: number;
  /** Multiply-accumulates of these image runs through the whole network. */
  readonly bruteForceProducts: number;
}

export interface TuneResult {
  readonly found: SearchResult;
  readonly cost: TuneCost;
  /** The profile it began with, and the tuned thresholds with how they were found. */
  readonly thresholds: Thresholds;
}

/**
 * Load and check all that a search needs.
 *
 * @param file thresholds of a profile; default: the zoo's, or a profile made now
 * @param folder folder of CIFAR-10's binary files; default: the installed data package
 * @throws InputError for anything wrong with them
 */
export function prepareTuning(
  tuning: Tuning,
  file?: string,
  folder?: string,
): { readonly data: TuneData; readonly profile: Thresholds } {
  const network = loadNetwork(tuning.model, tuning.format);
  requireCifar10Network(network);
  requireDatapath(network, BATCH);
  const perChannel = tuning.method === 'race' && tuning.granularity === 'channel';
  const granularity = perChannel ? 'channel' : undefined;
  const { thresholds, where } = loadThresholds(
    tuning.model,
    [network],
    file,
    { folder },
    granularity,
  );
  const dataset = loadCifar10({ folder, split: 'train', limit: TUNING_POOL });
  return {
    profile: thresholds,
    data: {
      ...shareNetwork(network),
      tuning,
      accelerator: loadAccelerator(tuning.accelerator),
      maxima: inNetworkOrder(
        network,
        thresholdsFor(network, thresholds, where, 'clip', granularity),
      ),
      dataset,
    },
  };
}

function inNetworkOrder(network: Network, thresholds: LayerThresholds): LayerThresholds {
  return new Map(
    arrayLayers(network).flatMap(({ name }) => {
      const values = thresholds.get(name);
      return values ? [[name, values]] : [];
    }),
  );
}

/**
 * Search thresholds on worker threads; the result depends on the tuning and its inputs alone. Undefined: it was
 * stopped before the end.
 */
export async function runTuning(
  { data, profile }: ReturnType<typeof prepareTuning>,
  options: TuneOptions,
): Promise<TuneResult | undefined> {
  const { tuning, network } = data;
  const search = createSearch(data, options);
  const run = await withEvaluator(data, options, search.onScored, search.run);
  if (!run) return undefined;
  const { result: found, cost } = run;
  const tuned = {
    found: recordOf(tuning, found),
    layers: Object.fromEntries(foundThresholds(found)),
  };
  const { name, checksum } = network;
  return {
    found,
    cost,
    thresholds: {
      ...profile,
      network: { name, checksum },
      tuned: { ...profile.tuned, [tuning.format]: tuned },
    },
  };
}

/** Run what scores thresholds, with the state of its folder; undefined: it was stopped before the end. */
export async function withEvaluator<T>(
  data: TuneData,
  { out, resume = false, threads, signal, memory, onRestart }: TuneOptions,
  onScored: (candidates: number) => void,
  run: (evaluator: Evaluator) => Promise<T>,
): Promise<{ readonly result: T; readonly cost: TuneCost } | undefined> {
  const { tuning, network, maxima, accelerator, dataset } = data;
  const islands = islandVersions([network]);
  const configuration = {
    ...tuning,
    acceleratorResolved: accelerator,
    checksums: {
      network: network.checksum,
      maxima: sha256Hex(JSON.stringify([...maxima])),
      data: dataChecksum(dataset),
      code: codeChecksum(),
      ...(islands !== undefined && { islands }),
    },
  };
  const state = openState(out, configuration, resume);
  try {
    const options = { threads, signal, memory, onScored, onRestart };
    const evaluator = createEvaluator(data, state, options);
    try {
      const result = await run(evaluator);
      return { result, cost: costOf(network, tuning, state) };
    } finally {
      await evaluator.close();
    }
  } catch (error) {
    if (error instanceof Stopped) return undefined;
    throw error;
  } finally {
    state.close();
  }
}

function costOf(
  network: Network,
  { images }: Tuning,
  { evaluations, products }: TuningState,
): TuneCost {
  const scores = [...evaluations.values()].flat().filter((count) => count !== null).length;
  const ofImage = arrayLayers(network).reduce(
    (sum, { shape }) => sum + multiplyAccumulates(shape),
    0,
  );
  const imageRuns = scores * images;
  return {
    candidates: evaluations.size,
    imageRuns,
    products,
    bruteForceProducts: imageRuns * ofImage,
  };
}
