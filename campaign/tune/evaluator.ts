import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { packageRoot, sha256Hex } from '../../core/index.js';
import { compileKernels } from '../../kernels/index.js';
import type { LayerThresholds } from '../../mitigation/index.js';
import type { Network } from '../../models/index.js';
import type { RestartPoint, WeightPatches } from '../../sim/index.js';
import { startPointOf, valuesAt } from './start-point.js';
import type { Counts, TuningState } from './state.js';
import type { CellResult, CellTask, StoredValues, TuneData } from './tune-data.js';
import type { TuneWorkerData } from './worker.js';

/** Bytes that a search may keep between tasks. */
const DEFAULT_MEMORY = 2 ** 31;

/** What of them may be faulty words; those of further maps are drawn again. */
const PATCH_SHARE = 1 / 2;

const SAVE_INTERVAL_MS = 1000;

/** Thrown when a search is stopped before its end; what was found out is saved. */
export class Stopped extends Error {}

export interface EvaluatorOptions {
  readonly threads: number;
  readonly signal: AbortSignal | undefined;
  /** Bytes that may be kept between tasks; what does not fit is computed again. */
  readonly memory: number | undefined;
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

/** One rate and map of a search, and what is kept of it between tasks. */
interface Cell {
  readonly index: number;
  readonly rate: number;
  readonly map: number;
  patches?: WeightPatches | undefined;
  stored?: StoredValues | undefined;
}

/** Start the threads of a search; counts that the state knows are not computed again. */
export function createEvaluator(
  data: TuneData,
  state: TuningState,
  { threads, signal, memory = DEFAULT_MEMORY, onScored }: EvaluatorOptions,
): Evaluator {
  const { tuning, network } = data;
  const { rates, maps, images, faulty } = tuning;
  const cells: Cell[] = rates.flatMap((rate, place) =>
    Array.from({ length: maps }, (_, map) => ({ index: place * maps + map, rate, map })),
  );
  const workerData: TuneWorkerData = { data, kernels: compileKernels() };
  const pool = new Piscina<CellTask, CellResult>({
    filename: workerFile(),
    workerData,
    minThreads: threads,
    maxThreads: threads,
  });
  let tuned: string | undefined;
  let patchBytes = 0;
  let saved = performance.now();

  /** What is evaluated, in a word: thresholds that mean the same network under the same faults share it. */
  function keyOf({ first }: ScoreRequest, candidate: LayerThresholds): string {
    const scope = faulty === 'tuned-layer' ? first : 'all';
    return sha256Hex(JSON.stringify([scope, [...candidate]]));
  }

  /** Room for the values in front of a layer, for as many cells as the budget allows. */
  function roomFor({ point, keyAt }: Start, cell: Cell): StoredValues | undefined {
    const key = keyAt(point.layer);
    if (cell.stored?.point.layer === point.layer && cell.stored.key === key) return cell.stored;
    const length = images * valuesAt(network, point);
    const bytes = length * (network.format === 'int8' ? 1 : Float32Array.BYTES_PER_ELEMENT);
    if ((cell.index + 1) * bytes > memory * (1 - PATCH_SHARE)) return undefined;
    const buffer = new SharedArrayBuffer(bytes);
    const values = network.format === 'int8' ? new Uint8Array(buffer) : new Float32Array(buffer);
    return { point, values, key };
  }

  /** What an earlier task left of this cell, if the run can go on from there. */
  function usableOf({ point, keyAt }: Start, { stored }: Cell): StoredValues | undefined {
    if (!stored || stored.point.layer > point.layer) return undefined;
    return stored.key === keyAt(stored.point.layer) ? stored : undefined;
  }

  async function runCell(
    cell: Cell,
    request: ScoreRequest,
    start: Start,
    candidates: readonly { readonly values: LayerThresholds; readonly counts: Counts }[],
  ): Promise<void> {
    const missing = candidates.filter(({ counts }) => counts[cell.index] === null);
    if (missing.length > 0) {
      const to = roomFor(start, cell);
      const { correct, patches, products } = await pool.run({
        rate: cell.rate,
        map: cell.map,
        first: request.first,
        last: request.last,
        candidates: missing.map(({ values }) => values),
        patches: cell.patches,
        from: usableOf(start, cell),
        to,
      });
      cell.stored = to;
      keepPatches(cell, patches);
      for (const [index, { counts }] of missing.entries()) counts[cell.index] = correct[index];
      state.products += products;
      saveSometimes();
    }
    onScored(candidates.length);
  }

  function keepPatches(cell: Cell, patches: WeightPatches): void {
    if (cell.patches) return;
    const bytes = patches.weights.byteLength + patches.words.byteLength;
    if (patchBytes + bytes > memory * PATCH_SHARE) return;
    patchBytes += bytes;
    cell.patches = patches;
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
    if (faulty === 'whole-network') return;
    for (const cell of cells) cell.patches = undefined;
    patchBytes = 0;
  }

  return {
    async score(request) {
      startLayer(request.first);
      const start = startOf(network, request);
      const candidates = request.candidates.map((values) => {
        const key = keyOf(request, values);
        const counts = state.evaluations.get(key) ?? new Array<null>(cells.length).fill(null);
        state.evaluations.set(key, counts);
        return { values, counts };
      });
      const wanted = cells.filter(({ map }) => map < request.maps);
      const waiting = wanted.values();
      const drain = async () => {
        for (const cell of waiting) {
          if (signal?.aborted) return;
          await runCell(cell, request, start, candidates);
        }
      };
      try {
        await Promise.all(Array.from({ length: threads }, drain));
      } finally {
        state.save();
      }
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
    close: () => pool.destroy(),
  };
}

/** Where the runs of a request start, and the thresholds in front of any layer up to there, in a word. */
interface Start {
  readonly point: RestartPoint;
  readonly keyAt: (layer: number) => string;
}

/** All cells of a request ask for the same few keys, and thresholds are thousands of numbers. */
function startOf(network: Network, { first, candidates: [thresholds] }: ScoreRequest): Start {
  const keys = new Map<number, string>();
  return {
    point: startPointOf(network, first),
    keyAt(layer) {
      const known = keys.get(layer);
      if (known !== undefined) return known;
      const names = new Set(network.layers.slice(0, layer).map(({ name }) => name));
      const key = sha256Hex(JSON.stringify([...thresholds].filter(([name]) => names.has(name))));
      keys.set(layer, key);
      return key;
    },
  };
}

/** Threads run compiled code, also when this module itself is run from source. */
function workerFile(): string {
  const beside = fileURLToPath(new URL('./worker.js', import.meta.url));
  return existsSync(beside) ? beside : join(packageRoot(), 'dist', 'campaign', 'tune', 'worker.js');
}
