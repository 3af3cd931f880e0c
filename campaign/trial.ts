import { createRandomStream, PURPOSE, sampleWithoutReplacement } from '../core/index.js';
import { activationUnits, type LayerThresholds, type Mitigation } from '../mitigation/index.js';
import { type ImageSet, type Network, normalize } from '../models/index.js';
import {
  applyFaultMap,
  type Datapath,
  type LayerRange,
  type Placement,
  patchedLayers,
  type Recording,
  recordRun,
  runFrom,
} from '../sim/index.js';
import { type FaultMapReader, faultMapOf } from './fault-source.js';
import {
  type GoldenPredictions,
  type Prediction,
  predictionOf,
  setPrediction,
  unknownImages,
} from './golden.js';
import type { Condition } from './plan.js';
import type { Scope } from './scope.js';

/** One fault map on one network: the unit of work. Map number `map` also chooses the images. */
export interface Trial {
  /** Index of the condition. */
  readonly condition: number;
  readonly map: number;
  readonly mitigations: readonly Mitigation[];
}

/** What became of a trial's images under one mitigation. */
export interface Outcome {
  readonly mitigation: Mitigation;
  /** Images whose top-1 class is the label. */
  readonly correct: number;
  /** Images whose top-1 class is not that of the fault-free run with the same mitigation. */
  readonly sdc: number;
  /** Images with a NaN or infinite output. */
  readonly nonFinite: number;
  /** Time of this outcome alone. */
  readonly seconds: number;
}

export interface TrialResult {
  readonly trial: Trial;
  /** rate · cells in scope: how many faults were asked for. */
  readonly requested: number;
  /** Faulty cells. */
  readonly injected: number;
  /** Faulty cells that change at least one weight. */
  readonly effective: number;
  /** The first layer, in network order, of which a weight changed; null: none did. */
  readonly firstLayer: string | null;
  /** Images that the fault-free, unprotected network puts into their class. */
  readonly cleanCorrect: number;
  readonly outcomes: readonly Outcome[];
}

/** A network that trials run on. */
export interface TrialNetwork {
  readonly network: Network;
  readonly datapath: Datapath;
  /** Fault-free stored words of all weights, in network order. */
  readonly words: Uint8Array | Uint32Array;
  /** Of every mitigation but `none`. */
  readonly thresholds: ReadonlyMap<Mitigation, LayerThresholds>;
  readonly golden: ReadonlyMap<Mitigation, GoldenPredictions>;
  /** What the fault-free network made of the images in `golden`. */
  readonly recordings: ReadonlyMap<Mitigation, Recording>;
}

/** All that the trials of one condition share. */
export interface TrialContext {
  readonly condition: Condition;
  readonly seed: number;
  /** Images a trial. */
  readonly images: number;
  readonly network: TrialNetwork;
  readonly placement: Placement;
  readonly scope: Scope;
  readonly readMap: FaultMapReader;
  readonly dataset: ImageSet;
}

/** Run one trial; the result, times aside, depends on the study, the trial and the data alone. */
export function runTrial(context: TrialContext, trial: Trial): TrialResult {
  const { placement, network, scope, condition, seed, readMap } = context;
  const images = imagesOf(context, trial.map);
  const clean = goldenOf(context, 'none', images);
  const golden = trial.mitigations.map((mitigation) => goldenOf(context, mitigation, images));
  const { geometry } = placement;
  const map = faultMapOf({ ...condition, geometry, scope, seed, map: trial.map, readMap });
  const patches = applyFaultMap(map, placement, network.words);
  network.datapath.setPatches(patches);
  const differing = patchedLayers(network.network, patches);
  return {
    trial,
    requested: condition.rate * scope.count,
    injected: map.cells.length,
    effective: patches.effectiveFaults,
    firstLayer: differing ? network.network.layers[differing.first].name : null,
    cleanCorrect: countCorrect(context.dataset, images, clean),
    outcomes: trial.mitigations.map((mitigation, index) => {
      const started = performance.now();
      // Without a changed weight the run would be the golden one.
      const found = differing ? predict(context, mitigation, images, differing) : golden[index];
      return {
        mitigation,
        ...judge(context.dataset, images, found, golden[index]),
        seconds: (performance.now() - started) / 1000,
      };
    }),
  };
}

/** Images are drawn afresh for each map, the same for every condition and mitigation. */
function imagesOf({ seed, dataset, images }: TrialContext, map: number): Uint32Array {
  const stream = createRandomStream(seed, map, PURPOSE.imageChoice);
  return sampleWithoutReplacement(stream, dataset.count, images);
}

/** Fault-free predictions; those not known yet are computed. */
function goldenOf(
  context: TrialContext,
  mitigation: Mitigation,
  images: Uint32Array,
): readonly Prediction[] {
  const golden = context.network.golden.get(mitigation);
  if (!golden) throw new Error(`no fault-free predictions for ${mitigation}`);
  const missing = unknownImages(golden, images);
  if (missing.length > 0) {
    context.network.datapath.setPatches(undefined);
    predict(context, mitigation, missing).forEach((prediction, index) => {
      setPrediction(golden, missing[index], prediction);
    });
  }
  return Array.from(images, (image) => predictionOf(golden, image));
}

/**
 * Run images through the network with the patches that it has now: fault-free ones are recorded, others start
 * behind the layers that cannot have changed.
 *
 * @param differing the layers that patches change; missing: none are
 */
function predict(
  { network: { network, datapath, thresholds, recordings }, dataset }: TrialContext,
  mitigation: Mitigation,
  images: Uint32Array,
  differing?: LayerRange,
): Prediction[] {
  const recording = recordings.get(mitigation);
  if (!recording) throw new Error(`no recording for ${mitigation}`);
  const clipped = thresholds.get(mitigation) ?? new Map();
  datapath.setActivationUnits(activationUnits(mitigation, network, clipped));
  const loadImages = () => normalize(dataset, images);
  const outputs = differing
    ? runFrom(datapath, recording, images, differing, loadImages)
    : recordRun(datapath, recording, loadImages(), images);
  return Array.from(images, (_, index) => {
    const scores = outputs.subarray(index * datapath.classes, (index + 1) * datapath.classes);
    return { top1: top1(scores), nonFinite: !scores.every(Number.isFinite) };
  });
}

function judge(
  dataset: ImageSet,
  images: Uint32Array,
  found: readonly Prediction[],
  golden: readonly Prediction[],
): Pick<Outcome, 'correct' | 'sdc' | 'nonFinite'> {
  return {
    correct: countCorrect(dataset, images, found),
    sdc: found.filter(({ top1 }, index) => top1 !== golden[index].top1).length,
    nonFinite: found.filter(({ nonFinite }) => nonFinite).length,
  };
}

function countCorrect(
  { labels }: ImageSet,
  images: Uint32Array,
  predictions: readonly Prediction[],
): number {
  return predictions.filter(({ top1 }, index) => top1 === labels[images[index]]).length;
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
