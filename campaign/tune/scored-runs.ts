import { multiplyAccumulates } from '../../core/index.js';
import type { LayerThresholds } from '../../mitigation/index.js';
import { isOnArray, layerIndex, type Network } from '../../models/index.js';
import type { ScoredRun } from './tune-data.js';

/** Thresholds of one layer that are about to be scored. */
interface Request {
  readonly first: string;
  readonly last: string;
  readonly candidates: readonly LayerThresholds[];
}

/**
 * The top-1 classes of all that was scored. An image without an activation between two thresholds of a layer has the
 * same class with both, so that a candidate's neighbours often answer for it.
 */
export interface ScoredRuns {
  /** @param cell number of the rate and map */
  add(thresholds: LayerThresholds, cell: number, classes: Uint8Array): void;
  /**
   * For each candidate the next smaller and the next larger thresholds of its layer that were scored, with those of
   * the candidates in all other layers; by cell. None where running the layer costs more than it can save.
   */
  near(request: Request): (cell: number) => readonly ScoredRun[];
  clear(): void;
}

export function createScoredRuns(network: Network): ScoredRuns {
  const runs = new Map<LayerThresholds, Map<number, Uint8Array>>();

  return {
    add(thresholds, cell, classes) {
      const ofCells = runs.get(thresholds) ?? new Map<number, Uint8Array>();
      runs.set(thresholds, ofCells.set(cell, classes));
    },
    near({ first, last, candidates }) {
      if (first !== last || !paysFor(network, first)) return () => [];
      const sumOf = (thresholds: LayerThresholds) => sumOfLayer(first, thresholds);
      const sums = candidates.map(sumOf);
      const comparable = [...runs]
        .filter(([thresholds]) => differOnlyIn(first, thresholds, candidates[0]))
        .map(([thresholds, ofCells]) => ({ thresholds, ofCells, sum: sumOf(thresholds) }))
        .sort((one, other) => one.sum - other.sum);
      return (cell) => {
        const scored = comparable.filter(({ ofCells }) => ofCells.has(cell));
        const sides = sums.flatMap((sum) => [
          scored.findLast((other) => other.sum <= sum),
          scored.find((other) => other.sum > sum),
        ]);
        return [...new Set(sides)].flatMap((side) => {
          const classes = side?.ofCells.get(cell);
          return side && classes ? [{ thresholds: side.thresholds, classes }] : [];
        });
      };
    },
    clear: () => runs.clear(),
  };
}

/**
 * Whether the layers behind one have more multiply-accumulates than it has, where it must run to tell what is equal:
 * with float32 words it runs once for all thresholds.
 */
function paysFor(network: Network, layer: string): boolean {
  if (network.format === 'float32') return true;
  const [own, ...behind] = network.layers
    .slice(layerIndex(network, layer))
    .map((one) => (isOnArray(one) ? multiplyAccumulates(one.shape) : 0));
  return behind.reduce((sum, products) => sum + products, 0) > own;
}

function differOnlyIn(layer: string, one: LayerThresholds, other: LayerThresholds): boolean {
  return [...one].every(
    ([name, values]) => name === layer || sameNumbers(values, other.get(name) ?? []),
  );
}

function sameNumbers(one: readonly number[], other: readonly number[]): boolean {
  if (one === other) return true;
  if (one.length !== other.length) return false;
  for (let index = 0; index < one.length; index += 1) if (one[index] !== other[index]) return false;
  return true;
}

/** A search's thresholds of a layer rise and fall together, in all channels, and so does their sum. */
function sumOfLayer(layer: string, thresholds: LayerThresholds): number {
  return (thresholds.get(layer) ?? []).reduce((sum, value) => sum + value, 0);
}
