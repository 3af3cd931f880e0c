import { multiplyAccumulates, type ProgressListener, sha256Hex } from '../../core/index.js';
import {
  areaOfCounts,
  type LayerThresholds,
  type Thresholds,
  type TunedLayer,
  type TuningRecord,
  thresholdsFor,
  tuneNetwork,
} from '../../mitigation/index.js';
import { loadCifar10, type Network, weightedLayers } from '../../models/index.js';
import { loadAccelerator } from '../../sim/index.js';
import { codeChecksum, dataChecksum } from '../checksums.js';
import { requireCifar10Network } from '../cifar10-network.js';
import { loadNetwork, loadThresholds } from '../load-network.js';
import { shareImages } from '../prepare-study.js';
import { shareNetwork } from '../shared-network.js';
import { createEvaluator, Stopped } from './evaluator.js';
import { openState } from './state.js';
import type { TuneData } from './tune-data.js';
import { TUNING_POOL, type Tuning } from './tuning.js';

/** How a search is run: none of this changes its result. */
export interface TuneOptions {
  readonly threads: number;
  /** Folder for what the search has found out so far; default: it is not kept. */
  readonly out?: string | undefined;
  readonly resume?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Bytes that may be kept between tasks, 2 GiB if undefined; what does not fit is computed again. */
  readonly memory?: number | undefined;
  /** Steps are maps scored, of the most that there can be. */
  readonly onProgress?: ProgressListener | undefined;
  readonly onLayer?: ((layer: TunedLayer) => void) | undefined;
}

/** What a search computed, next to the same scores computed image by image from the input. */
export interface TuneCost {
  /** Thresholds scored. */
  readonly candidates: number;
  /** Multiply-accumulates done. */
  readonly products: number;
  /** Multiply-accumulates of whole runs for every candidate, rate, map and image. */
  readonly bruteForceProducts: number;
}

export interface TuneResult {
  readonly layers: readonly TunedLayer[];
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
  const { thresholds, where } = loadThresholds(tuning.model, [network], file, folder);
  const dataset = loadCifar10({ folder, split: 'train', limit: TUNING_POOL });
  return {
    profile: thresholds,
    data: {
      ...shareNetwork(network),
      tuning,
      accelerator: loadAccelerator(tuning.accelerator),
      maxima: inNetworkOrder(network, thresholdsFor(network, thresholds, where)),
      dataset: shareImages(dataset),
    },
  };
}

function inNetworkOrder(network: Network, thresholds: LayerThresholds): LayerThresholds {
  return new Map(
    weightedLayers(network).flatMap(({ name }) => {
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
  const { tuning, network, maxima, accelerator, dataset } = data;
  const state = openState(
    options.out,
    {
      ...tuning,
      acceleratorResolved: accelerator,
      checksums: {
        network: network.checksum,
        maxima: sha256Hex(JSON.stringify([...maxima])),
        data: dataChecksum(dataset),
        code: codeChecksum(),
      },
    },
    options.resume ?? false,
  );
  const progress = countProgress(tuning, maxima.size, options.onProgress);
  const { threads, signal, memory } = options;
  const onScored = progress.add;
  const evaluator = createEvaluator(data, state, { threads, signal, memory, onScored });
  let candidates = 0;
  try {
    const layers = await tuneNetwork(
      network,
      maxima,
      async ({ layer, thresholds, candidates: values }) => {
        candidates += values.length;
        const counts = await evaluator.score({
          first: layer,
          last: layer,
          candidates: values.map((value) => new Map([...thresholds, [layer, value]])),
          maps: tuning.maps,
        });
        return counts.map((ofRates) => areaOfCounts(ofRates, tuning.images));
      },
      tuning,
      (layer) => {
        progress.finishLayer();
        options.onLayer?.(layer);
      },
    );
    const cost = {
      candidates,
      products: state.products,
      bruteForceProducts: candidates * productsOfCandidate(network, tuning),
    };
    return { layers, cost, thresholds: withTuned(profile, network, tuning, layers) };
  } catch (error) {
    if (error instanceof Stopped) return undefined;
    throw error;
  } finally {
    await evaluator.close();
  }
}

function productsOfCandidate(network: Network, { rates, maps, images }: Tuning): number {
  const image = weightedLayers(network).reduce(
    (sum, { shape }) => sum + multiplyAccumulates(shape),
    0,
  );
  return rates.length * maps * images * image;
}

/** The first round scores four thresholds, a later one two new ones. */
function countProgress(
  { rates, maps, mostRounds }: Tuning,
  layers: number,
  onProgress: ProgressListener = () => {},
): { add(candidates: number): void; finishLayer(): void } {
  const mostOfLayer = (4 + 2 * (mostRounds - 1)) * rates.length * maps;
  const total = layers * mostOfLayer;
  let [finished, done] = [0, 0];
  const advanceTo = (steps: number) => {
    if (steps <= done) return;
    done = steps;
    onProgress(done, total);
  };
  return {
    add: (candidates) => advanceTo(Math.min(done + candidates, total)),
    finishLayer() {
      finished += 1;
      advanceTo(finished * mostOfLayer);
    },
  };
}

function withTuned(
  profile: Thresholds,
  network: Network,
  { model: _model, format, ...parameters }: Tuning,
  layers: readonly TunedLayer[],
): Thresholds {
  const found: TuningRecord = {
    method: 'interval-search',
    ...parameters,
    pool: TUNING_POOL,
    layers: layers.map(({ name, actMax, threshold, auc, search }) => ({
      name,
      actMax,
      threshold,
      auc,
      rounds: search?.intervals.length ?? 0,
    })),
  };
  const tuned = {
    found,
    layers: Object.fromEntries(layers.map(({ name, thresholds }) => [name, thresholds])),
  };
  return {
    ...profile,
    network: { name: network.name, checksum: network.checksum },
    tuned: { ...profile.tuned, [format]: tuned },
  };
}
