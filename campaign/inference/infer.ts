import {
  featureCount,
  InputError,
  type NpyFloat32Array,
  type ProgressListener,
  requireMemory,
} from '../../core/index.js';
import { loadKernels } from '../../kernels/index.js';
import { loadNetwork, type Network, type WordFormat } from '../../models/index.js';
import { batchWithinMemory } from '../../sim/index.js';
import { type RestartListener, startThread, type TaskThread } from '../execute/worker-thread.js';
import { sharedCopy } from '../inputs/shared-copy.js';
import { shareNetwork } from '../inputs/shared-network.js';
import type { InferenceWorkerData } from './infer-worker.js';
import {
  createInference,
  INFERENCE_BATCH,
  type InferenceData,
  type InferencePart,
} from './inference.js';
import { clipOf, type ProtectedNetwork, weightsRead } from './protected-network.js';

/** One network on the simulated accelerator, perhaps with a fault map and clipped activations. */
export interface InferOptions extends ProtectedNetwork {
  readonly model: string;
  readonly format: WordFormat;
  /** Default: 1, this one. */
  readonly threads?: number | undefined;
  /** Called when a worker thread has ended and a fresh one takes over. */
  readonly onRestart?: RestartListener | undefined;
}

export interface InferResult {
  /** images × classes. */
  readonly outputs: NpyFloat32Array;
  readonly images: number;
  /** Time of the inference alone. */
  readonly seconds: number;
  readonly network: Network;
}

/**
 * Run images (float32, images × channels × height × width, already normalised) through a network.
 *
 * @param file where the images come from, named in errors
 * @throws InputError when the shape of the images is not the network's, or the accelerator, fault map or
 * thresholds are wrong
 */
export async function inferImages(
  options: InferOptions,
  images: NpyFloat32Array,
  file: string,
  onProgress?: ProgressListener,
): Promise<InferResult> {
  const network = loadNetwork(options.model, options.format);
  const count = requireImages(network, images, file);
  const classes = featureCount(network.tensors[network.output].shape);
  const batch = batchWithinMemory(network, Math.min(INFERENCE_BATCH, count));
  requireMemory(
    4 * count * classes,
    `${file}: the outputs of ${count} images`,
    images.data.byteLength,
  );
  const outputs = sharedCopy(new Float32Array(count * classes));
  const data: InferenceData = {
    network,
    patches: weightsRead(options, network),
    side: clipOf(options, network),
    inputs: featureCount(network.tensors[network.input].shape),
    batch,
    images: images.data,
    outputs,
  };
  const threads = threadsWithinMemory(
    data,
    Math.min(options.threads ?? 1, Math.ceil(count / batch)),
  );
  const seconds =
    threads > 1
      ? await runOnThreads(data, threads, count, options.onRestart, onProgress)
      : runHere(data, count, onProgress);
  return {
    outputs: { shape: [count, classes], data: Float32Array.from(outputs) },
    images: count,
    seconds,
    network,
  };
}

/** @returns seconds of the inference alone */
function runHere(
  data: InferenceData,
  count: number,
  onProgress: ProgressListener | undefined,
): number {
  const infer = createInference(data, loadKernels());
  const started = performance.now();
  for (const part of partsOf(count, data.batch)) {
    infer(part);
    onProgress?.(part.first + part.count, count);
  }
  return (performance.now() - started) / 1000;
}

/** @returns seconds of the inference alone, on threads that are ready */
async function runOnThreads(
  data: InferenceData,
  threads: number,
  count: number,
  onRestart: RestartListener | undefined,
  onProgress: ProgressListener | undefined,
): Promise<number> {
  const { network } = shareNetwork(data.network);
  const shared = { ...data, network, images: sharedCopy(data.images) };
  const workerData: InferenceWorkerData = { data: shared, kernels: loadKernels() };
  const workers = Array.from({ length: threads }, () =>
    startThread<InferencePart, void>('campaign/inference/infer-worker.js', workerData, onRestart),
  );
  try {
    await Promise.all(workers.map((worker) => worker.run({ first: 0, count: 0 })));
    const started = performance.now();
    const waiting = partsOf(count, data.batch);
    let done = 0;
    const drain = async (worker: TaskThread<InferencePart, void>) => {
      for (const part of waiting) {
        await worker.run(part);
        done += part.count;
        onProgress?.(done, count);
      }
    };
    await Promise.all(workers.map(drain));
    return (performance.now() - started) / 1000;
  } finally {
    await Promise.all(workers.map((worker) => worker.close()));
  }
}

/** Each thread has a datapath of its own; as many as memory allows beside one another. */
function threadsWithinMemory({ network, batch }: InferenceData, wanted: number): number {
  for (let threads = wanted; threads > 1; threads -= 1) {
    if (batchWithinMemory(network, batch, 1 / threads) === batch) return threads;
  }
  return 1;
}

function* partsOf(count: number, batch: number): Generator<InferencePart, void, undefined> {
  for (let first = 0; first < count; first += batch) {
    yield { first, count: Math.min(batch, count - first) };
  }
}

function requireImages(network: Network, { shape }: NpyFloat32Array, file: string): number {
  const { channels, height, width } = network.tensors[network.input].shape;
  const expected = [channels, height, width];
  if (shape.length !== 4 || expected.some((size, axis) => shape[axis + 1] !== size)) {
    throw new InputError(
      `${file} has the shape ${shape.join(' × ')}, but ${network.name} takes images × ${expected.join(' × ')}`,
    );
  }
  return shape[0];
}
