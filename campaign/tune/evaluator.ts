import { sha256Hex } from '../../core/index.js';
import { loadKernels } from '../../kernels/index.js';
import type { LayerThresholds } from '../../mitigation/index.js';
import { type Network, weightedLayers } from '../../models/index.js';
import type { RestartPoint } from '../../sim/index.js';
import { type RestartListener, startThread, type TaskThread } from '../execute/worker-thread.js';
import { type Cell, createCellMemory } from './kept-values.js';
import { createScoredRuns } from './scored-runs.js';
import { startPointOf } from './start-point.js';
import type { Counts, TuningState } from './state.js';
import type { CellResult, CellTask, ScoredRun, StoredValues, TuneData } from './tune-data.js';
import type { TuneWorkerData } from './worker.js';

/** Bytes that a search may keep between tasks. */
const DEFAULT_MEMORY = 2 ** 31;

const SAVE_INTERVAL_MS = 1000;

/** Thrown when a search is stopped before its end; what was found out is saved. */
export class Stopped extends Error {}

export interface EvaluatorOptions {
  readonly threads: number;
  readonly signal: AbortSignal | undefined;
  /** Bytes that may be kept between tasks; what does not fit is computed again. */
  readonly memory: number | undefined;
  readonly onRestart: RestartListener | undefined;
  /** Called after each map, with the candidates that it scored. */
  readonly onScored: (candidates: number) => void;
}

/** Thresholds to be scored. */
export interface ScoreRequest {
  /** The first and the last layer, in network order, in which the candidates differ. */
  readonly first: string;
  readonly last: string;
  /** Thresholds of all layers, in network order. */
  readonly candidates: readonly LayerThresholds[];
  /** Maps 0 … maps − 1 of each rate; at most those of the search. */
  readonly maps: number;
}

/** Scores thresholds on the rates and maps of a search. */
export interface Evaluator {
  /** Images put into their class, by candidate, rate and map. */
  score(request: ScoreRequest): Promise<number[][][]>;
  close(): Promise<void>;
}

/** Start the threads of a search; counts that the state knows are not computed again. */
export function createEvaluator(
  data: TuneData,
  state: TuningState,
  { threads, signal, memory = DEFAULT_MEMORY, onRestart, onScored }: EvaluatorOptions,
): Evaluator {
  const { tuning, network, maxima } = data;
  const { rates, maps, images, faulty } = tuning;
  const cells: Cell[] = rates.flatMap((rate, place) =>
    Array.from({ length: maps }, (_, map) => ({ index: place * maps + map, rate, map })),
  );
  const workerData: TuneWorkerData = { data, kernels: loadKernels() };
  const workers = Array.from({ length: threads }, () =>
    startThread<CellTask, CellResult>('campaign/tune/worker.js', workerData, onRestart),
  );
  const points = [...maxima.keys()].map((layer) => startPointOf(network, layer));
  const kept = createCellMemory(network, cells, points, { images, budget: memory, tasks: threads });
  const scoredRuns = createScoredRuns(network);
  const strikesLayersInFront =
    faulty === 'tuned-layer' &&
    (tuning.placement === 'streamed' ||
      weightedLayers(network).some(({ sharedWeights }) => sharedWeights));
  let tuned: string | undefined;
  let saved = performance.now();

  /** What is evaluated, in a word: thresholds that mean the same network under the same faults share it. */
  function keyOf({ first }: ScoreRequest, candidate: LayerThresholds): string {
    const scope = faulty === 'tuned-layer' ? first : 'all';
    return sha256Hex(JSON.stringify([scope, [...candidate]]));
  }

  /** What an earlier task left of this cell, if the run can go on from there. */
  function usableOf({ point, keyAt }: Start, { stored }: Cell): StoredValues | undefined {
    if (!stored || stored.point.layer > point.layer) return undefined;
    return stored.key === keyAt(stored.point.layer) ? stored : undefined;
  }

  async function runCell(
    worker: TaskThread<CellTask, CellResult>,
    cell: Cell,
    request: ScoreRequest,
    start: Start,
    candidates: readonly { readonly values: LayerThresholds; readonly counts: Counts }[],
    scoredOn: (cell: number) => readonly ScoredRun[],
  ): Promise<void> {
    const missing = candidates.filter(({ counts }) => counts[cell.index] === null);
    if (missing.length > 0) {
      const to = kept.roomFor(cell, start.keyAt(start.point.layer));
      const grant = kept.grant(cell);
      const { correct, classes, patches, products } = await worker.run({
        rate: cell.rate,
        map: cell.map,
        first: request.first,
        last: request.last,
        candidates: missing.map(({ values }) => values),
        scored: scoredOn(cell.index),
        patches: cell.patches,
        patchRoom: grant.bytes,
        from: usableOf(start, cell),
        to,
      });
      if (to) cell.stored = to;
      kept.settle(cell, grant, patches);
      for (const [index, { values, counts }] of missing.entries()) {
        counts[cell.index] = correct[index];
        scoredRuns.add(values, cell.index, classes[index]);
      }
      state.products += products;
      saveSometimes();
    }
    onScored(candidates.length);
  }

  function saveSometimes(): void {
    if (performance.now() - saved < SAVE_INTERVAL_MS) return;
    state.save();
    saved = performance.now();
  }

  /** Faults of another layer have other words. */
  function startLayer(layer: string): void {
    if (tuned === layer) return;
    tuned = layer;
    if (faulty !== 'tuned-layer') return;
    kept.dropPatches();
    scoredRuns.clear();
  }

  return {
    async score(request) {
      startLayer(request.first);
      const start = startOf(network, request, strikesLayersInFront ? request.first : '');
      kept.enter(start.point);
      const candidates = request.candidates.map((values) => {
        const key = keyOf(request, values);
        const counts = state.evaluations.get(key) ?? new Array<null>(cells.length).fill(null);
        state.evaluations.set(key, counts);
        return { values, counts };
      });
      const scoredOn = scoredRuns.near(request);
      const wanted = cells.filter(({ map }) => map < request.maps);
      const waiting = wanted.values();
      let failure: { readonly error: unknown } | undefined;
      const drain = async (worker: TaskThread<CellTask, CellResult>) => {
        for (const cell of waiting) {
          if (failure || signal?.aborted) return;
          try {
            await runCell(worker, cell, request, start, candidates, scoredOn);
          } catch (error) {
            failure ??= { error };
          }
        }
      };
      await Promise.all(workers.map(drain));
      state.save();
      if (failure) throw failure.error;
      return candidates.map(({ counts }) =>
        rates.map((_, rate) =>
          Array.from({ length: request.maps }, (_, map) => {
            const count = counts[rate * maps + map];
            if (count === null) throw new Stopped();
            return count;
          }),
        ),
      );
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.close()));
    },
  };
}

/** Where the runs of a request start, and what in front of any layer up to there decides its values, in a word. */
interface Start {
  readonly point: RestartPoint;
  readonly keyAt: (layer: number) => string;
}

/**
 * All cells of a request ask for the same few keys, and thresholds are thousands of numbers.
 *
 * @param faultyLayer the layer whose faults reach those in front, too; otherwise ''
 */
function startOf(
  network: Network,
  { first, candidates: [thresholds] }: ScoreRequest,
  faultyLayer: string,
): Start {
  const keys = new Map<number, string>();
  return {
    point: startPointOf(network, first),
    keyAt(layer) {
      const known = keys.get(layer);
      if (known !== undefined) return known;
      const names = new Set(network.layers.slice(0, layer).map(({ name }) => name));
      const inFront = [...thresholds].filter(([name]) => names.has(name));
      const key = sha256Hex(JSON.stringify([faultyLayer, inFront]));
      keys.set(layer, key);
      return key;
    },
  };
}
