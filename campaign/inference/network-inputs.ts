import { type ImageSet, type Network, normalize } from '../../models/index.js';
import type { Datapath, DatapathObserver } from '../../sim/index.js';
import { type Workload, workloadInputs } from '../../workload/index.js';
import { requireCifar10Network } from '../inputs/cifar10-network.js';

/** Inputs of a network that are made a part at a time. */
export interface NetworkInputs {
  /** Number of images. */
  readonly count: number;
  /** Inputs (float32, normalised, image × channel × row × column) of `count` images from `first` on. */
  read(first: number, count: number): Float32Array;
}

/**
 * The first `count` images of CIFAR-10 for a network, normalised.
 *
 * @throws InputError when the network is not made for CIFAR-10
 */
export function cifar10Inputs(network: Network, images: ImageSet, count: number): NetworkInputs {
  requireCifar10Network(network);
  return {
    count,
    read: (first, size) =>
      normalize(
        images,
        Uint32Array.from({ length: size }, (_, index) => first + index),
      ),
  };
}

/** The first `count` samples of a workload. */
export function workloadSamples(workload: Workload, count: number): NetworkInputs {
  return {
    count,
    read: (first, size) =>
      workloadInputs(
        workload,
        Uint32Array.from({ length: size }, (_, index) => first + index),
      ),
  };
}

export interface InputsObserver extends DatapathObserver {
  /** Outputs of a part of the images, from number `firstImage` on. */
  readonly outputs?: (outputs: Float32Array, firstImage: number) => void;
  /** Called after each part with the number of images done. */
  readonly done?: (images: number) => void;
}

/** Run all images through a network, `batch` at a time. */
export function runInputs(
  datapath: Datapath,
  inputs: NetworkInputs,
  batch: number,
  observer: InputsObserver,
): void {
  for (let first = 0; first < inputs.count; first += batch) {
    const size = Math.min(batch, inputs.count - first);
    const outputs = datapath.run(inputs.read(first, size), size, observer);
    observer.outputs?.(outputs, first);
    observer.done?.(first + size);
  }
}
