import { createRandomStream, PURPOSE, sampleWithoutReplacement } from '../../core/index.js';
import type { FaultMap } from '../../fault/index.js';
import {
  type KnownMaps,
  type MemorySide,
  type Repairs,
  UNPROTECTED,
} from '../../mitigation/index.js';
import type { ImageSet } from '../../models/index.js';
import { type Placement, patchedLayers } from '../../sim/index.js';
import type { PairedImages } from '../statistics/index.js';
import type { Condition } from '../study/conditions.js';
import { activeProbabilityOf, dataFaults } from '../study/fault-source.js';
import type { Scope } from '../study/scope.js';
import type { Study } from '../study/study.js';
import {
  type EffectiveFaults,
  type FaultyPredictions,
  predictClean,
  predictFaultyTogether,
  type RunImages,
  type TrialNetwork,
} from './engines.js';
import { type Prediction, predictionOf, setPrediction, unknownImages } from './recorded-samples.js';
import { encodeImageSet } from './sample-set.js';
import { entryOf } from './study-data.js';

/** One fault map on one network: the unit of work. Map number `map` also orders the images, unless they are fixed. */
export interface Trial {
  /** Index of the condition. */
  readonly condition: number;
  /** Maps of a pilot have numbers of their own: `isPilotMap`. */
  readonly map: number;
  /** The first so many of the images in the map's order are run. */
  readonly images: number;
  readonly mitigations: readonly string[];
}

/** What became of a trial's images under one mitigation. */
export interface Outcome {
  readonly mitigation: string;
  /** Images whose top-1 class is the label. */
  readonly correct: number;
  /** Images whose top-1 class is not that of the fault-free run with the same mitigation. */
  readonly sdc: number;
  /** Images with a NaN or infinite output. */
  readonly nonFinite: number;
  /** Faulty cells that change at least one weight. */
  readonly effective: number;
  /** The first layer, in network order, of which a weight changed; null: none did. */
  readonly firstLayer: string | null;
  /** What spare lines made of the map; undefined: there are none, or a saved trial does not tell. */
  readonly repairs?: Readonly<Repairs> | undefined;
  /** Which of the images these are, by their places (see `encodeImageSet`), where all maps have the same images. */
  readonly fixed?: { readonly correct: string; readonly sdc: string } | undefined;
  /** Of a die: the images on which it differs from the fault-free, unprotected network. */
  readonly paired?: PairedImages | undefined;
  /** Time of this outcome alone. */
  readonly seconds: number;
}

export interface TrialResult {
  readonly trial: Trial;
  /** rate · cells in scope: how many faults were asked for. */
  readonly requested: number;
  /** Faulty data cells. */
  readonly injected: number;
  /** Images that the fault-free, unprotected network puts into their class. */
  readonly cleanCorrect: number;
  readonly outcomes: readonly Outcome[];
}

/** All that the trials of one condition share. */
export interface TrialContext {
  readonly condition: Condition;
  readonly study: Pick<Study, 'seed' | 'imageChoice'>;
  readonly network: TrialNetwork;
  readonly placement: Placement;
  readonly scope: Scope;
  /** What the weight memory makes of a map under each mitigation; one object for those under which it does the same. */
  readonly memorySides: ReadonlyMap<string, MemorySide>;
  /** A fault map by its number. */
  readonly faultMap: (map: number) => FaultMap;
  /** What parts know of the map of that number, which `whole` is. */
  readonly knownMaps: (map: number, whole: FaultMap) => KnownMaps;
  readonly dataset: ImageSet;
}

/** Run one trial; the result, times aside, depends on the study, the trial and the data alone. */
export function runTrial(context: TrialContext, trial: Trial): TrialResult {
  const { network, scope, condition, study } = context;
  const { source } = condition;
  const { seed } = study;
  const images = imagesOf(context, trial);
  const unprotected = goldenOf(context, UNPROTECTED, images);
  const golden = new Map(
    trial.mitigations.map((mitigation) => [mitigation, goldenOf(context, mitigation, images)]),
  );
  const map = context.faultMap(trial.map);
  const knownTo = context.knownMaps(trial.map, map);
  const probability = activeProbabilityOf(source);
  const outcomes = new Map<string, Outcome>();
  for (const [side, mitigations] of bySide(context, trial.mitigations)) {
    const repairs = { banks: 0, repaired: 0, notProvedOptimal: 0, uncoveredCells: 0 };
    const patches = side.patchesOf(map, network.patchBuffers, undefined, repairs, knownTo);
    const differing = patchedLayers(network.network, patches);
    const intermittent =
      probability === undefined
        ? undefined
        : { map, probability, seed, trial: trial.map, side, knownTo };
    // What corrects, masks or cancels all faults need not do so where some of them are not active.
    const mayDiffer = differing || (intermittent && map.cells.length > 0);
    // Without a changed weight the run would be the golden one.
    const found =
      mayDiffer || network.engine === 'plain'
        ? predictFaultyBy(network, mitigations, images, { patches, differing, intermittent })
        : undefined;
    for (const mitigation of mitigations) {
      const clean = { predictions: entryOf(golden, mitigation), seconds: 0 };
      const { predictions, seconds } = found ? entryOf(found, mitigation) : clean;
      outcomes.set(mitigation, {
        mitigation,
        ...judge(context, images, predictions, entryOf(golden, mitigation)),
        effective: patches.effectiveFaults,
        ...(side.hasSpareLines && { repairs }),
        ...(source.kind === 'dies' && {
          paired: pairedWith(context, images, predictions, unprotected),
        }),
        firstLayer: differing ? network.network.layers[differing.first].name : null,
        seconds,
      });
    }
  }
  return {
    trial,
    requested: condition.faultCount ?? condition.rate * scope.count,
    injected: dataFaults(map),
    cleanCorrect: rightPlaces(context.dataset, images, unprotected).length,
    outcomes: trial.mitigations.map((mitigation) => entryOf(outcomes, mitigation)),
  };
}

/** Predictions under faults by mitigation: those that put the same behind the accumulators run once. */
function predictFaultyBy(
  network: TrialNetwork,
  mitigations: readonly string[],
  images: RunImages,
  faults: EffectiveFaults,
): Map<string, FaultyPredictions> {
  const keyOf = (mitigation: string) => entryOf(network.activationOf, mitigation);
  const keys = [...new Set(mitigations.map(keyOf))];
  const found = predictFaultyTogether(network, keys, images, faults);
  return new Map(
    mitigations.map((mitigation) => [mitigation, found[keys.indexOf(keyOf(mitigation))]]),
  );
}

/** The mitigations under which the weight memory does the same. */
function bySide(
  { memorySides }: TrialContext,
  mitigations: readonly string[],
): Map<MemorySide, string[]> {
  const groups = new Map<MemorySide, string[]>();
  for (const mitigation of mitigations) {
    const side = entryOf(memorySides, mitigation);
    groups.set(side, [...(groups.get(side) ?? []), mitigation]);
  }
  return groups;
}

/**
 * The images of a map: the first of an order that is the same for every condition and mitigation, and, if they are
 * fixed, every map. So fewer images of a map are a part of more.
 */
export function trialImages(
  { seed, imageChoice }: TrialContext['study'],
  { map, images }: Pick<Trial, 'map' | 'images'>,
  available: number,
): Uint32Array {
  const trial = imageChoice === 'fixed' ? 0 : map;
  return sampleWithoutReplacement(
    createRandomStream(seed, trial, PURPOSE.imageChoice),
    available,
    images,
  );
}

function imagesOf({ study, dataset }: TrialContext, trial: Trial): RunImages {
  const indices = trialImages(study, trial, dataset.count);
  const numbers = study.imageChoice === 'fixed' ? indices.map((_, place) => place) : indices;
  return { dataset, indices, numbers };
}

/** Fault-free predictions; those not known yet are computed. */
function goldenOf(
  { network }: TrialContext,
  mitigation: string,
  images: RunImages,
): readonly Prediction[] {
  const key = entryOf(network.activationOf, mitigation);
  const golden = entryOf(network.golden, key);
  const places = unknownImages(golden, images.indices);
  if (places.length > 0) {
    const missing = {
      dataset: images.dataset,
      indices: places.map((place) => images.indices[place]),
      numbers: places.map((place) => images.numbers[place]),
    };
    predictClean(network, key, missing).forEach((prediction, index) => {
      setPrediction(golden, missing.indices[index], prediction);
    });
  }
  return Array.from(images.indices, (image) => predictionOf(golden, image));
}

function judge(
  { dataset, study }: TrialContext,
  images: RunImages,
  found: readonly Prediction[],
  golden: readonly Prediction[],
): Pick<Outcome, 'correct' | 'sdc' | 'nonFinite' | 'fixed'> {
  const correct = rightPlaces(dataset, images, found);
  const sdc = placesWhere(found, ({ top1 }, place) => top1 !== golden[place].top1);
  const counts = {
    correct: correct.length,
    sdc: sdc.length,
    nonFinite: found.filter(({ nonFinite }) => nonFinite).length,
  };
  if (study.imageChoice === 'drawn') return counts;
  const encode = (places: readonly number[]) => encodeImageSet(places, images.indices.length);
  return { ...counts, fixed: { correct: encode(correct), sdc: encode(sdc) } };
}

/** The images that one of two networks alone puts into their class. */
function pairedWith(
  { dataset }: TrialContext,
  images: RunImages,
  found: readonly Prediction[],
  reference: readonly Prediction[],
): PairedImages {
  const right = new Set(rightPlaces(dataset, images, found));
  const before = rightPlaces(dataset, images, reference);
  const kept = before.filter((place) => right.has(place)).length;
  return { lost: before.length - kept, gained: right.size - kept };
}

function rightPlaces(
  { labels }: ImageSet,
  { indices }: RunImages,
  predictions: readonly Prediction[],
): number[] {
  return placesWhere(predictions, ({ top1 }, place) => top1 === labels[indices[place]]);
}

function placesWhere(
  predictions: readonly Prediction[],
  holds: (prediction: Prediction, place: number) => boolean,
): number[] {
  return [...predictions.keys()].filter((place) => holds(predictions[place], place));
}
