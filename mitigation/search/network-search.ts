import type { Network } from '../../models/index.js';
import type { LayerThresholds } from '../activations/clip.js';
import { largestActivation, thresholdsOfLayer } from '../thresholds/layer-threshold.js';
import {
  type IntervalSearchLimits,
  type IntervalSearchResult,
  searchInterval,
} from './interval-search.js';

/** Thresholds to be scored: each candidate is one for the layer, beside those of the other layers. */
export interface ScoreRequest {
  readonly layer: string;
  /** Of all layers: tuned as far as the search has come, profile maxima from `layer` on. */
  readonly thresholds: LayerThresholds;
  /** In place of the layer's. */
  readonly candidates: readonly (readonly number[])[];
}

/** A layer whose threshold was found. */
export interface TunedLayer {
  readonly name: string;
  /** As real numbers. */
  readonly actMax: number;
  readonly threshold: number;
  /** As the activation unit takes them. */
  readonly thresholds: readonly number[];
  /** Scores at ACT_max and at the threshold, layers before it tuned, layers behind it at their ACT_max. */
  readonly auc: { readonly before: number; readonly after: number };
  /** The search; undefined for a layer that is never above 0, which has nothing to search. */
  readonly search: IntervalSearchResult | undefined;
}

/**
 * FT-ClipAct's search over a network: layer after layer in network order, each by `searchInterval`, and its
 * threshold fixed before the next.
 *
 * @param maxima the profile: the layers to tune, in network order
 * @param score the area under accuracy against fault rate of each candidate
 * @param onLayer called after each layer
 */
export async function tuneNetwork(
  network: Network,
  maxima: LayerThresholds,
  score: (request: ScoreRequest) => Promise<readonly number[]>,
  limits: IntervalSearchLimits,
  onLayer: (layer: TunedLayer) => void = () => {},
): Promise<TunedLayer[]> {
  const thresholds = new Map(maxima);
  const tuned: TunedLayer[] = [];
  for (const [layer, layerMaxima] of maxima) {
    const toThresholds = (threshold: number) =>
      thresholdsOfLayer(network, layer, layerMaxima, threshold);
    const request = (candidates: readonly number[]): ScoreRequest => ({
      layer,
      thresholds: new Map(thresholds),
      candidates: candidates.map(toThresholds),
    });
    const found = await tuneLayer(
      layer,
      largestActivation(network, layer, layerMaxima),
      (candidates) => score(request(candidates)),
      limits,
    );
    const result = { ...found, thresholds: toThresholds(found.threshold) };
    thresholds.set(layer, result.thresholds);
    tuned.push(result);
    onLayer(result);
  }
  return tuned;
}

async function tuneLayer(
  name: string,
  actMax: number,
  score: (candidates: readonly number[]) => Promise<readonly number[]>,
  limits: IntervalSearchLimits,
): Promise<Omit<TunedLayer, 'thresholds'>> {
  if (!(actMax > 0)) {
    const [area] = await score([actMax]);
    const auc = { before: area, after: area };
    return { name, actMax, threshold: actMax, auc, search: undefined };
  }
  const search = await searchInterval(actMax, score, limits);
  const auc = { before: search.largest.score, after: search.best.score };
  return { name, actMax, threshold: search.best.threshold, auc, search };
}
