import type { LayerThresholds } from '../../mitigation/index.js';
import type { ImageSet } from '../../models/index.js';
import type { Accelerator, RestartPoint, WeightPatches } from '../../sim/index.js';
import type { SharedNetwork } from '../inputs/shared-network.js';
import type { Tuning } from './tuning.js';

/** All that the threads of a search share: plain data, large arrays in shared memory. */
export interface TuneData extends SharedNetwork {
  readonly tuning: Tuning;
  readonly accelerator: Accelerator;
  /** Profile maxima: the layers to tune, in network order. */
  readonly maxima: LayerThresholds;
  /** Training images. */
  readonly dataset: ImageSet;
}

/** Values of one tensor, image after image, in memory that all threads see. */
export interface StoredValues {
  readonly point: RestartPoint;
  readonly values: Uint8Array | Float32Array;
  /** The thresholds in front of the point, in a word. */
  readonly key: string;
}

/** Thresholds that were scored on a map, and what they made of its images. */
export interface ScoredRun {
  readonly thresholds: LayerThresholds;
  /** Top-1 classes, image after image. */
  readonly classes: Uint8Array;
}

/** One fault map at one rate, and the thresholds to be scored on it. */
export interface CellTask {
  readonly rate: number;
  /** Number of the map, counted from 0. */
  readonly map: number;
  /** The first and the last layer, in network order, in which the candidates differ. */
  readonly first: string;
  readonly last: string;
  /** Thresholds of all layers. */
  readonly candidates: readonly LayerThresholds[];
  /** Scored on this map before, and equal to the candidates in all layers but the first: where they agree need not run. */
  readonly scored: readonly ScoredRun[];
  /** The map's faulty words, when they are known. */
  readonly patches: WeightPatches | undefined;
  /** The most bytes of faulty words that the result may hold, where they were not known. */
  readonly patchRoom: number;
  /** What an earlier task left: values under the same map and the same thresholds, at or before the first layer. */
  readonly from: StoredValues | undefined;
  /** Where to leave the values in front of the first layer; undefined: nowhere. */
  readonly to: StoredValues | undefined;
}

export interface CellResult {
  /** Images whose top-1 class is the label, for each candidate. */
  readonly correct: readonly number[];
  /** Top-1 classes, image after image, for each candidate. */
  readonly classes: readonly Uint8Array[];
  /** The map's faulty words in shared memory, where they were drawn and there is room for them. */
  readonly patches: WeightPatches | undefined;
  /** Multiply-accumulates done. */
  readonly products: number;
}
