import { type Network, networkOutputs } from '../../models/index.js';
import { outputLength } from '../../sim/index.js';
import { agrees, top1 } from '../../workload/index.js';

/**
 * What the fault-free network makes of each image of a data set under one mitigation, filled in as images are
 * first needed. It depends on the image alone, so threads that share it may write an entry twice, but never
 * differently.
 */
export type GoldenPredictions = Int32Array<SharedArrayBuffer>;

/** An entry that is not known yet. */
const UNKNOWN = -1;

/** Predictions for each mitigation, in memory that all threads see; nothing is known yet. */
export function createGoldenPredictions(
  mitigations: readonly string[],
  images: number,
): ReadonlyMap<string, GoldenPredictions> {
  return new Map(
    mitigations.map((mitigation) => {
      const bytes = images * Int32Array.BYTES_PER_ELEMENT;
      return [mitigation, new Int32Array(new SharedArrayBuffer(bytes)).fill(UNKNOWN)];
    }),
  );
}

/** What a network makes of one image. */
export interface Prediction {
  /**
   * Its top-1 class; of outputs that are no scores, whether they are those of the fault-free, unprotected network (0) or
   * others (1).
   */
  readonly answer: number;
  /** Whether an output is NaN or infinite. */
  readonly nonFinite: boolean;
}

/** What a thread wrote before, another thread sees once it knows the prediction. */
export function setPrediction(
  golden: GoldenPredictions,
  image: number,
  { answer, nonFinite }: Prediction,
): void {
  Atomics.store(golden, image, 2 * answer + (nonFinite ? 1 : 0));
}

export function predictionOf(golden: GoldenPredictions, image: number): Prediction {
  return { answer: golden[image] >> 1, nonFinite: golden[image] % 2 === 1 };
}

/** The places, among `images`, of those whose prediction is not known yet. */
export function unknownImages(golden: GoldenPredictions, images: Uint32Array): Uint32Array {
  return Uint32Array.from(images.keys()).filter(
    (place) => Atomics.load(golden, images[place]) === UNKNOWN,
  );
}

/** The answer of a network, whose outputs are no scores, that agrees with the fault-free, unprotected one. */
const AGREES = 0;
const DIFFERS = 1;

/** Whether the outputs of a network are the scores of classes: one vector of two values or more. */
function hasScores(network: Network): boolean {
  const [{ dims }, ...others] = networkOutputs(network);
  return others.length === 0 && dims.at(-1) === outputLength(network) && outputLength(network) > 1;
}

/**
 * What a network made of images.
 *
 * @param outputs images × values
 * @param clean what the fault-free, unprotected network made of all images by their numbers
 * @param numbers of the images in `clean`
 */
export function predictionsOf(
  network: Network,
  outputs: Float32Array,
  clean: Float32Array,
  numbers: Uint32Array,
): Prediction[] {
  const length = outputLength(network);
  const isScored = hasScores(network);
  return Array.from(numbers, (number, image) => {
    const values = outputs.subarray(image * length, (image + 1) * length);
    const reference = clean.subarray(number * length, (number + 1) * length);
    const answer = isScored ? top1(values) : agrees(values, reference) ? AGREES : DIFFERS;
    return { answer, nonFinite: !values.every(Number.isFinite) };
  });
}
