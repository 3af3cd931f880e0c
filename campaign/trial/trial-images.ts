import { createRandomStream, PURPOSE, sampleWithoutReplacement } from '../../core/index.js';
import type { Workload } from '../../workload/index.js';
import type { PairedImages } from '../statistics/index.js';
import type { Study } from '../study/study.js';
import { predictClean, type RunImages, type TrialNetwork } from './engines.js';
import { type Prediction, predictionOf, setPrediction, unknownImages } from './recorded-samples.js';
import { entryOf } from './study-data.js';

/**
 * The images of a map: the first of an order that is the same for every condition and mitigation, and, if they are
 * fixed, every map. So fewer images of a map are a part of more.
 *
 * @param available samples of the workload
 */
export function trialImages(
  { seed, imageChoice }: Pick<Study, 'seed' | 'imageChoice'>,
  { map, images }: { readonly map: number; readonly images: number },
  available: number,
): Uint32Array {
  const trial = imageChoice === 'fixed' ? 0 : map;
  return sampleWithoutReplacement(
    createRandomStream(seed, trial, PURPOSE.imageChoice),
    available,
    images,
  );
}

/** The images of a map, and their numbers in recordings. */
export function runImages(
  study: Pick<Study, 'seed' | 'imageChoice'>,
  map: { readonly map: number; readonly images: number },
  workload: Workload,
): RunImages {
  const indices = trialImages(study, map, workload.samples);
  const numbers = study.imageChoice === 'fixed' ? indices.map((_, place) => place) : indices;
  return { workload, indices, numbers };
}

/** The images from one place to before another. */
export function partOf({ workload, indices, numbers }: RunImages, from: number, to: number) {
  return { workload, indices: indices.subarray(from, to), numbers: numbers.subarray(from, to) };
}

/** Fault-free predictions; those not known yet are computed. */
export function goldenOf(
  network: TrialNetwork,
  mitigation: string,
  images: RunImages,
): readonly Prediction[] {
  const key = entryOf(network.activationOf, mitigation);
  const golden = entryOf(network.golden, key);
  const places = unknownImages(golden, images.indices);
  if (places.length > 0) {
    const missing = {
      workload: images.workload,
      indices: places.map((place) => images.indices[place]),
      numbers: places.map((place) => images.numbers[place]),
    };
    predictClean(network, key, missing).forEach((prediction, index) => {
      setPrediction(golden, missing.indices[index], prediction);
    });
  }
  return Array.from(images.indices, (image) => predictionOf(golden, image));
}

/** The images that one of two networks alone gets right. */
export function pairedWith(
  found: readonly Prediction[],
  reference: readonly Prediction[],
): PairedImages {
  const right = new Set(rightPlaces(found));
  const before = rightPlaces(reference);
  const kept = before.filter((place) => right.has(place)).length;
  return { lost: before.length - kept, gained: right.size - kept };
}

/** The places of images that come out right. */
export function rightPlaces(predictions: readonly Prediction[]): number[] {
  return placesWhere(predictions, ({ isRight }) => isRight);
}

export function placesWhere(
  predictions: readonly Prediction[],
  holds: (prediction: Prediction, place: number) => boolean,
): number[] {
  return [...predictions.keys()].filter((place) => holds(predictions[place], place));
}
