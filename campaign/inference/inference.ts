import type { KernelCode } from '../../kernels/index.js';
import { type ActivationSide, unitsOfSide } from '../../mitigation/index.js';
import type { Network } from '../../models/index.js';
import { createNetworkDatapath, type WeightPatches } from '../../sim/index.js';

/** Images that the datapath computes together, where memory allows. */
export const INFERENCE_BATCH = 25;

/** All that the threads of an inference share: plain data that can be posted, large arrays in shared memory. */
export interface InferenceData {
  readonly network: Network;
  /** Words that broken cells change. */
  readonly patches: WeightPatches | undefined;
  /** What stands behind the accumulators. */
  readonly side: ActivationSide;
  /** Images computed together. */
  readonly batch: number;
  /** Values of one image. */
  readonly inputs: number;
  /** Image × channel × row × column. */
  readonly images: Float32Array;
  /** Image × output; filled by the threads. */
  readonly outputs: Float32Array;
}

/** Images `first` … `first + count − 1`; at most a batch. */
export interface InferencePart {
  readonly first: number;
  readonly count: number;
}

/** A function that writes the outputs of a part on one thread. */
export function createInference(
  data: InferenceData,
  kernels: KernelCode,
): (part: InferencePart) => void {
  const { network, patches, side, inputs, images, outputs } = data;
  const datapath = createNetworkDatapath(network, kernels, data.batch);
  if (patches) datapath.setDisturbance({ weights: patches });
  datapath.setActivationUnits(unitsOfSide(side, network));
  return ({ first, count }) => {
    if (count === 0) return;
    const part = images.subarray(first * inputs, (first + count) * inputs);
    outputs.set(datapath.run(part, count), first * datapath.classes);
  };
}
