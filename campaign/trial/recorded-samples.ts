/**
 * What the fault-free network makes of each image of a data set under one mitigation, filled in as images are
 * first needed. It depends on the image alone, so threads that share it may write an entry twice, but never
 * differently.
 */
export type GoldenPredictions = Int16Array<SharedArrayBuffer>;

/** An entry that is not known yet. */
const UNKNOWN = -1;

/** Predictions for each mitigation, in memory that all threads see; nothing is known yet. */
export function createGoldenPredictions(
  mitigations: readonly string[],
  images: number,
): ReadonlyMap<string, GoldenPredictions> {
  return new Map(
    mitigations.map((mitigation) => {
      const bytes = images * Int16Array.BYTES_PER_ELEMENT;
      return [mitigation, new Int16Array(new SharedArrayBuffer(bytes)).fill(UNKNOWN)];
    }),
  );
}

/** What a network makes of one image. */
export interface Prediction {
  readonly top1: number;
  /** Whether an output is NaN or infinite. */
  readonly nonFinite: boolean;
}

/** What a thread wrote before, another thread sees once it knows the prediction. */
export function setPrediction(
  golden: GoldenPredictions,
  image: number,
  { top1, nonFinite }: Prediction,
): void {
  Atomics.store(golden, image, 2 * top1 + (nonFinite ? 1 : 0));
}

export function predictionOf(golden: GoldenPredictions, image: number): Prediction {
  return { top1: golden[image] >> 1, nonFinite: golden[image] % 2 === 1 };
}

/** The places, among `images`, of those whose prediction is not known yet. */
export function unknownImages(golden: GoldenPredictions, images: Uint32Array): Uint32Array {
  return Uint32Array.from(images.keys()).filter(
    (place) => Atomics.load(golden, images[place]) === UNKNOWN,
  );
}
