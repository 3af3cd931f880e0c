import { createRandomStream, PURPOSE, sampleWithoutReplacement } from '../core/index.js';
import { cellCount, type FaultMap, uniformFaultMap } from '../fault/index.js';
import { activationUnits, type Mitigation } from '../mitigation/index.js';
import { type ImageSet, type Network, normalize, type WordFormat } from '../models/index.js';
import { applyFaultMap, type Datapath, type Placement } from '../sim/index.js';
import type { Study } from './study.js';

/** One fault map on one network: the unit of work. Map number `map` also chooses the images. */
export interface Trial {
  readonly format: WordFormat;
  /** Fault rate; 0 is the fault-free run. With a fault map of the study's own: that map's rate. */
  readonly rate: number;
  readonly map: number;
  readonly mitigations: readonly Mitigation[];
}

/** What one mitigation made of a trial's images. */
export interface Outcome {
  readonly mitigation: Mitigation;
  /** Images whose top-1 class is the label. */
  readonly correct: number;
  /** Images with a NaN or infinite output. */
  readonly nonFinite: number;
}

export interface TrialResult {
  readonly trial: Trial;
  /** rate · cells: how many faults were asked for. */
  readonly requested: number;
  /** Faulty cells. */
  readonly injected: number;
  /** Faulty cells that change at least one weight. */
  readonly effective: number;
  readonly outcomes: readonly Outcome[];
}

/** All that trials of one word format share. */
export interface TrialContext {
  readonly study: Pick<Study, 'seed' | 'images' | 'faults'>;
  readonly network: Network;
  readonly datapath: Datapath;
  readonly placement: Placement;
  /** Fault-free stored words of all weights, in network order. */
  readonly words: Uint8Array | Uint32Array;
  readonly thresholds: ReadonlyMap<string, readonly number[]>;
  readonly faultMap?: FaultMap | undefined;
  readonly dataset: ImageSet;
}

/** Run one trial; the result depends on the study, the trial and the data alone. */
export function runTrial(context: TrialContext, trial: Trial): TrialResult {
  const { study, network, datapath, placement, dataset } = context;
  const indices = sampleWithoutReplacement(
    createRandomStream(study.seed, trial.map, PURPOSE.imageChoice),
    dataset.count,
    study.images,
  );
  const images = normalize(dataset, indices);
  const labels = Uint8Array.from(indices, (index) => dataset.labels[index]);
  const map = faultMapOf(context, trial);
  const patches = applyFaultMap(map, placement, context.words);
  datapath.setPatches(patches);
  const outcomes = trial.mitigations.map((mitigation) => {
    datapath.setActivationUnits(activationUnits(mitigation, network, context.thresholds));
    const outputs = datapath.run(images, labels.length);
    return { mitigation, ...judge(outputs, datapath.classes, labels) };
  });
  return {
    trial,
    requested: trial.rate * cellCount(placement.geometry),
    injected: map.cells.length,
    effective: patches.effectiveFaults,
    outcomes,
  };
}

function faultMapOf({ study, placement, faultMap }: TrialContext, trial: Trial): FaultMap {
  if (faultMap && trial.rate > 0) return faultMap;
  return uniformFaultMap({
    geometry: placement.geometry,
    rate: trial.rate,
    faults: study.faults,
    seed: study.seed,
    trial: trial.map,
  });
}

function judge(
  outputs: Float32Array,
  classes: number,
  labels: Uint8Array,
): Omit<Outcome, 'mitigation'> {
  let correct = 0;
  let nonFinite = 0;
  for (let image = 0; image < labels.length; image += 1) {
    const scores = outputs.subarray(image * classes, (image + 1) * classes);
    if (top1(scores) === labels[image]) correct += 1;
    if (!scores.every(Number.isFinite)) nonFinite += 1;
  }
  return { correct, nonFinite };
}

/** The class with the largest score; among equals the first; the first NaN wins (PyTorch's argmax). */
export function top1(scores: Float32Array): number {
  let best = 0;
  for (let index = 0; index < scores.length; index += 1) {
    if (Number.isNaN(scores[index])) return index;
    if (scores[index] > scores[best]) best = index;
  }
  return best;
}
