import type { ProgressListener } from '../core/index.js';
import { compileKernels } from '../kernels/index.js';
import {
  type CalibrationOptions,
  createCalibration,
  type Float32Network,
  type ImageSet,
  type Int8Network,
  type Network,
  normalize,
  quantizeNetwork,
} from '../models/index.js';
import { createNetworkDatapath } from '../sim/index.js';
import { requireCifar10Network } from './cifar10-network.js';
import { top1 } from './trial.js';

/** Images that the datapath computes together. */
const BATCH = 25;

/** Share of the first `count` images of a set whose top-1 class is the label. */
export function evaluateAccuracy(
  network: Network,
  dataset: ImageSet,
  count: number,
  onProgress?: ProgressListener,
): number {
  const datapath = createNetworkDatapath(network, compileKernels(), BATCH);
  let correct = 0;
  for (let first = 0; first < count; first += BATCH) {
    const size = Math.min(BATCH, count - first);
    const outputs = datapath.run(normalize(dataset, range(first, size)), size);
    for (let image = 0; image < size; image += 1) {
      const scores = outputs.subarray(image * datapath.classes, (image + 1) * datapath.classes);
      if (top1(scores) === dataset.labels[first + image]) correct += 1;
    }
    onProgress?.(first + size, count);
  }
  return correct / count;
}

/**
 * Quantise a float32 network with activation ranges observed on the first `count` training images.
 *
 * @throws InputError when the network is not made for CIFAR-10
 */
export function quantizeOnImages(
  network: Float32Network,
  training: ImageSet,
  count: number,
  options: CalibrationOptions,
  onProgress?: ProgressListener,
): Int8Network {
  requireCifar10Network(network);
  const calibration = createCalibration(network, options);
  const datapath = createNetworkDatapath(network, compileKernels(), BATCH);
  for (let first = 0; first < count; first += BATCH) {
    const size = Math.min(BATCH, count - first);
    datapath.run(normalize(training, range(first, size)), size, {
      tensor(tensor, values, _firstImage, images) {
        const length = values.length / BATCH;
        calibration.observe(tensor, (values as Float32Array).subarray(0, images * length));
      },
    });
    onProgress?.(first + size, count);
  }
  return quantizeNetwork(network, calibration.ranges());
}

function range(first: number, count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, index) => first + index);
}
