import { type ProgressListener, requireMemory } from '../../core/index.js';
import { loadKernels } from '../../kernels/index.js';
import {
  type ElementType,
  loadNetwork,
  type Network,
  networkOutputs,
  resolveModel,
  type WordFormat,
} from '../../models/index.js';
import { batchWithinMemory, outputLength } from '../../sim/index.js';
import { type RestartListener, startThread, type TaskThread } from '../execute/worker-thread.js';
import { type InputArray, joinSamples } from '../inputs/samples.js';
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
  /** Default: what the file has. */
  readonly format?: WordFormat | undefined;
  /** Dimensions of inputs for which the file has symbols; default: those of the samples. */
  readonly inputShapes?: ReadonlyMap<string, readonly number[]> | undefined;
  /** Default: 1, this one. */
  readonly threads?: number | undefined;
  /** Called when a worker thread has ended and a fresh one takes over. */
  readonly onRestart?: RestartListener | undefined;
}

/** An output of a network for all samples, one behind the other along its first axis. */
export interface InferOutput {
  /** As the file names it. */
  readonly name: string;
  /** Its type in the file. */
  readonly elementType: ElementType;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export interface InferResult {
  /** In the order of the file, each in its own shape. */
  readonly outputs: readonly InferOutput[];
  readonly images: number;
  /** Time of the inference alone. */
  readonly seconds: number;
  readonly network: Network;
}

/**
 * Run samples through a network.
 *
 * @param inputs an array (float32) for each input of the network, which may go without a name where there is one; each
 * holds samples along its first axis, as the network takes them: images × channels × height × width, already normalised
 * @throws InputError when their shapes are not the network's, or the accelerator, fault map or thresholds are wrong
 */
export async function inferImages(
  options: InferOptions,
  inputs: readonly InputArray[],
  onProgress?: ProgressListener,
): Promise<InferResult> {
  const network = loadModel(options, inputs);
  const samples = joinSamples(network, inputs);
  const count = samples.samples;
  const classes = outputLength(network);
  const batch = batchWithinMemory(network, Math.min(INFERENCE_BATCH, count));
  requireMemory(
    4 * count * classes,
    `${inputs[0].file}: the outputs of ${count} images`,
    samples.values.byteLength,
  );
  const outputs = sharedCopy(new Float32Array(count * classes));
  const data: InferenceData = {
    network,
    patches: weightsRead(options, network),
    side: clipOf(options, network),
    inputs: samples.sampleLength,
    batch,
    images: samples.values,
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
    outputs: outputsOf(network, outputs, count),
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

function loadModel(
  { model, format, inputShapes }: InferOptions,
  inputs: readonly InputArray[],
): Network {
  const dataShapes = inputs.map(({ name, array: { shape } }) => ({ name, shape }));
  const sizes = { inputShapes, dataShapes };
  return format === undefined ? resolveModel(model, sizes) : loadNetwork(model, format, sizes);
}

/** What the datapath made of samples, taken apart into the outputs of the network. */
function outputsOf(network: Network, values: Float32Array, count: number): InferOutput[] {
  const length = outputLength(network);
  let first = 0;
  return networkOutputs(network).map(({ name, elementType, dims }) => {
    const [along = 1, ...others] = dims;
    const own = others.reduce((product, size) => product * size, along);
    const data = new Float32Array(count * own);
    for (let sample = 0; sample < count; sample += 1) {
      const start = sample * length + first;
      data.set(values.subarray(start, start + own), sample * own);
    }
    first += own;
    return { name, elementType, shape: [count * along, ...others], data };
  });
}
