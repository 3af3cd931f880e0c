import type { ProgressListener } from '../../core/index.js';
import {
  areaOfCounts,
  areasOfMaps,
  type JointSearchResult,
  type LayerThresholds,
  searchJointly,
  type TunedLayer,
  type TuningRecord,
  tuneNetwork,
} from '../../mitigation/index.js';
import type { Evaluator } from './evaluator.js';
import { createSearchProgress } from './search-progress.js';
import type { TuneData } from './tune-data.js';
import { type IntervalTuning, type RaceTuning, TUNING_POOL } from './tuning.js';

/** What a search came to, by its method. */
export type SearchResult =
  | { readonly method: 'interval-search'; readonly layers: readonly TunedLayer[] }
  | ({ readonly method: 'race' } & JointSearchResult);

/** How a search tells how far it is. */
export interface SearchListeners {
  /** Steps are maps scored, of the most that there can be. */
  readonly onProgress?: ProgressListener | undefined;
  /** Called whenever the thresholds of a layer, or of all, were settled. */
  readonly onLayer?: ((layer: string | undefined) => void) | undefined;
}

/** A search that is ready to run. */
export interface Search {
  /** To be told of each map scored, with the number of its candidates. */
  readonly onScored: (candidates: number) => void;
  run(evaluator: Evaluator): Promise<SearchResult>;
}

/** The search that a tuning asks for. */
export function createSearch(data: TuneData, listeners: SearchListeners): Search {
  const { tuning } = data;
  if (tuning.method === 'interval-search') return intervalSearch(data, tuning, listeners);
  if (tuning.method === 'race') return raceSearch(data, tuning, listeners);
  throw new Error('a sweep comes to no thresholds');
}

/** The first round scores four thresholds, a later one two new ones. */
function intervalSearch(
  { network, maxima }: TuneData,
  tuning: IntervalTuning,
  { onProgress, onLayer }: SearchListeners,
): Search {
  const mostOfLayer = (4 + 2 * (tuning.mostRounds - 1)) * tuning.rates.length * tuning.maps;
  const progress = createSearchProgress(
    [...maxima].map(() => mostOfLayer),
    onProgress,
  );
  return {
    onScored: progress.add,
    async run(evaluator) {
      const layers = await tuneNetwork(
        network,
        maxima,
        async ({ layer, thresholds, candidates }) => {
          const counts = await evaluator.score({
            first: layer,
            last: layer,
            candidates: candidates.map((values) => new Map([...thresholds, [layer, values]])),
            maps: tuning.maps,
          });
          return counts.map((ofRates) => areaOfCounts(ofRates, tuning.images));
        },
        tuning,
        ({ name }) => {
          progress.finishStage();
          onLayer?.(name);
        },
      );
      return { method: 'interval-search', layers };
    },
  };
}

/** A layer's race has at most four candidates. */
function raceSearch(
  { network, maxima }: TuneData,
  tuning: RaceTuning,
  { onProgress, onLayer }: SearchListeners,
): Search {
  const cells = tuning.rates.length * tuning.maps;
  const layerRaces = Array.from({ length: maxima.size * tuning.sweeps }, () => 4 * cells);
  const progress = createSearchProgress(
    [(1 + tuning.factors.length) * cells, ...layerRaces],
    onProgress,
  );
  return {
    onScored: progress.add,
    async run(evaluator) {
      const found = await searchJointly(
        network,
        maxima,
        async (request) => {
          const counts = await evaluator.score(request);
          return counts.map((ofRates) => areasOfMaps(ofRates, tuning.images));
        },
        { ...tuning, mostMaps: tuning.maps },
        (layer) => {
          progress.finishStage();
          onLayer?.(layer);
        },
      );
      progress.finish();
      return { method: 'race', ...found };
    },
  };
}

/** Tuned thresholds by layer. */
export function foundThresholds({ layers }: SearchResult): LayerThresholds {
  return new Map(layers.map(({ name, thresholds }) => [name, thresholds]));
}

/** What a thresholds file says about a search. */
export function recordOf(tuning: TuneData['tuning'], found: SearchResult): TuningRecord {
  const { model: _model, format: _format, ...parameters } = tuning;
  if (parameters.method === 'interval-search' && found.method === 'interval-search') {
    return {
      ...parameters,
      pool: TUNING_POOL,
      layers: found.layers.map(({ name, actMax, threshold, auc, search }) => ({
        name,
        actMax,
        threshold,
        auc,
        rounds: search?.intervals.length ?? 0,
      })),
    };
  }
  if (parameters.method === 'race' && found.method === 'race') {
    return {
      ...parameters,
      pool: TUNING_POOL,
      layers: found.layers.map(({ name, actMax, factor, auc, races }) => ({
        name,
        actMax,
        factor,
        auc,
        races,
      })),
    };
  }
  throw new Error(`a ${parameters.method} came to a result of ${found.method}`);
}
