import {
  judgeSample,
  type Task,
  type Verdict,
  type Workload,
  workloadInputs,
} from '../../workload/index.js';

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
export interface Prediction extends Verdict {
  /** Whether an output is NaN or infinite. */
  readonly nonFinite: boolean;
}

/** Images that a network was run on. */
export interface JudgedImages {
  readonly workload: Workload;
  /** Indices into the workload. */
  readonly indices: Uint32Array;
  /** Their numbers in the recordings. */
  readonly numbers: Uint32Array;
}

/** What a thread wrote before, another thread sees once it knows the prediction. */
export function setPrediction(
  golden: GoldenPredictions,
  image: number,
  { answer, isRight, nonFinite }: Prediction,
): void {
  Atomics.store(golden, image, 4 * answer + (isRight ? 2 : 0) + (nonFinite ? 1 : 0));
}

export function predictionOf(golden: GoldenPredictions, image: number): Prediction {
  const entry = golden[image];
  return { answer: entry >> 2, isRight: (entry & 2) !== 0, nonFinite: (entry & 1) !== 0 };
}

/** The places, among `images`, of those whose prediction is not known yet. */
export function unknownImages(golden: GoldenPredictions, images: Uint32Array): Uint32Array {
  return Uint32Array.from(images.keys()).filter(
    (place) => Atomics.load(golden, images[place]) === UNKNOWN,
  );
}

/**
 * What a network made of images.
 *
 * @param outputs images × values
 * @param clean what the fault-free, unprotected network made of all images by their numbers
 */
export function predictionsOf(
  task: Task,
  outputs: Float32Array,
  clean: Float32Array,
  { workload, indices, numbers }: JudgedImages,
): Prediction[] {
  const length = outputs.length / indices.length;
  const { labels, sampleLength } = workload;
  const inputs = task.kind === 'anomaly' ? workloadInputs(workload, indices) : undefined;
  return Array.from(numbers, (number, image) => {
    const values = outputs.subarray(image * length, (image + 1) * length);
    const verdict = judgeSample(task, {
      values,
      reference: clean.subarray(number * length, (number + 1) * length),
      label: labels?.[indices[image]],
      input: inputs?.subarray(image * sampleLength, (image + 1) * sampleLength),
    });
    return { ...verdict, nonFinite: !values.every(Number.isFinite) };
  });
}
