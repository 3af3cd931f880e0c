import { InputError, type ProgressListener } from '../../core/index.js';
import { loadKernels } from '../../kernels/index.js';
import type { Float32Network, Int8Network, Network } from '../../models/index.js';
import { batchWithinMemory, createNetworkDatapath, outputLength } from '../../sim/index.js';
import { type Metric, metricOf, type Workload } from '../../workload/index.js';
import { taskOf } from '../inputs/tasks.js';
import { predictionsOf } from '../trial/recorded-samples.js';
import { runInputs, workloadSamples } from './network-inputs.js';

/** Samples that the datapath computes together, where memory allows. */
const BATCH = 25;
/** Part of the memory for one of the two networks' datapaths. */
const MEMORY_SHARE = 0.4;

/** Shares of samples that come out right before and after quantisation. */
export interface QuantizedAnswers {
  /** Right is the label, or, where there are no labels, what the float32 network makes of a sample. */
  readonly metric: Metric;
  readonly samples: number;
  readonly float32: number;
  readonly int8: number;
}

/**
 * What quantisation costs, on samples that it was not calibrated on.
 *
 * @param onProgress counts samples
 * @throws InputError when there are no samples, or their labels are no answers of the network
 */
export function compareAnswers(
  network: Float32Network,
  quantized: Int8Network,
  workload: Workload,
  count: number,
  onProgress?: ProgressListener,
): QuantizedAnswers {
  if (count < 1) throw new InputError(`${network.name}: there are no samples to measure on`);
  const inputs = workloadSamples(workload, count);
  const batch = batchWithinMemory(network, Math.min(BATCH, count), MEMORY_SHARE);
  const kernels = loadKernels();
  const [real, rounded] = [network, quantized].map((one: Network) =>
    createNetworkDatapath(one, kernels, batch),
  );
  const numbers = Uint32Array.from({ length: batch }, (_, place) => place);
  const task = taskOf({}, network, workload);
  const right = { float32: 0, int8: 0 };
  runInputs(real, inputs, batch, {
    outputs(outputs, first) {
      const size = outputs.length / outputLength(network);
      const places = numbers.subarray(0, size);
      const clean = outputs.slice();
      const found = rounded.run(inputs.read(first, size), size);
      const indices = places.map((place) => first + place);
      const images = { workload, indices, numbers: places };
      for (const { isRight } of predictionsOf(task, clean, clean, images)) {
        if (isRight) right.float32 += 1;
      }
      for (const { isRight } of predictionsOf(task, found, clean, images)) {
        if (isRight) right.int8 += 1;
      }
    },
    done: (samples) => onProgress?.(samples, count),
  });
  return {
    metric: metricOf(workload),
    samples: count,
    float32: right.float32 / count,
    int8: right.int8 / count,
  };
}
