import { featureCount, InputError, type ProgressListener } from '../../core/index.js';
import { type KernelCode, loadKernels } from '../../kernels/index.js';
import {
  arrayLayers,
  type CalibrationOptions,
  type ChannelMeans,
  correctBiases,
  createCalibration,
  createChannelMeans,
  createNoiseMeter,
  type Float32Network,
  type ImageSet,
  type Int8Network,
  type Int8WeightedLayer,
  layerIndex,
  type Network,
  quantizeNetwork,
  type SignalAndNoise,
  type WeightGranularity,
  weightNoise,
} from '../../models/index.js';
import { batchWithinMemory, createNetworkDatapath } from '../../sim/index.js';
import { top1 } from '../../workload/index.js';
import { cifar10Inputs, type NetworkInputs, runInputs } from './network-inputs.js';

/** Images that the datapath computes together, where memory allows. */
const BATCH = 25;

/** Part of the memory for the float32 network's datapath: the int8 one's and copies of outputs take as much again. */
const MEMORY_SHARE = 0.4;

/**
 * Share of the first `count` images of a set whose top-1 class is the label.
 *
 * @throws InputError when the network is not made for CIFAR-10
 */
export function evaluateAccuracy(
  network: Network,
  dataset: ImageSet,
  count: number,
  onProgress?: ProgressListener,
): number {
  let correct = 0;
  const batch = batchWithinMemory(network, BATCH);
  const datapath = createNetworkDatapath(network, loadKernels(), batch);
  runInputs(datapath, cifar10Inputs(network, dataset, count), batch, {
    outputs(outputs, first) {
      const { classes } = datapath;
      for (let image = 0; image * classes < outputs.length; image += 1) {
        const scores = outputs.subarray(image * classes, (image + 1) * classes);
        if (top1(scores) === dataset.labels[first + image]) correct += 1;
      }
    },
    done: (images) => onProgress?.(images, count),
  });
  return correct / count;
}

export interface QuantizeOptions {
  readonly calibration: CalibrationOptions;
  readonly weights: WeightGranularity;
  /** Whether each bias makes up for the mean shift of its output channel. */
  readonly biasCorrection: boolean;
  /** Images that the datapath computes together (a matter of speed and memory only). */
  readonly batch?: number;
}

/**
 * Quantise a float32 network from what it computes on some images: activation ranges, and with bias
 * correction the mean of each output channel. Correction runs the images once more for each weighted
 * layer, through the quantised network up to that layer.
 *
 * @param onProgress counts images, over all runs
 * @throws InputError when there are no images or an option is out of range
 */
export function quantizeOnImages(
  network: Float32Network,
  inputs: NetworkInputs,
  options: QuantizeOptions,
  onProgress?: ProgressListener,
): Int8Network {
  const { biasCorrection, batch = batchWithinMemory(network, BATCH, MEMORY_SHARE) } = options;
  requireSome(network, inputs);
  const kernels = loadKernels();
  const calibration = createCalibration(network, options.calibration);
  const layers = arrayLayers(network);
  const means = new Map<string, ChannelMeans>();
  if (biasCorrection) {
    for (const { name, shape } of layers) {
      means.set(name, createChannelMeans(shape.output.channels));
    }
  }
  const runs = 1 + means.size;
  let run = 0;
  const done = (images: number) => onProgress?.(run * inputs.count + images, runs * inputs.count);

  runInputs(createNetworkDatapath(network, kernels, batch), inputs, batch, {
    tensor(tensor, values, _firstImage, images) {
      const length = images * featureCount(network.tensors[tensor].shape);
      calibration.observe(tensor, (values as Float32Array).subarray(0, length));
    },
    ...(biasCorrection && {
      accumulators: ({ name }, values, _firstRow, rows, rowStride) =>
        means.get(name)?.add(values, rows, rowStride),
    }),
    done,
  });
  const quantized = quantizeNetwork(network, calibration.ranges(), options.weights);
  if (!biasCorrection) return quantized;

  const expected = new Map([...means].map(([name, found]) => [name, found.means()]));
  return correctBiases(quantized, expected, (corrected, layer) => {
    run += 1;
    return accumulatorMeans(corrected, layer, kernels, inputs, batch, done);
  });
}

/** Means of a layer's accumulators, bias included, one per output channel. */
function accumulatorMeans(
  network: Int8Network,
  layer: Int8WeightedLayer,
  kernels: KernelCode,
  inputs: NetworkInputs,
  batch: number,
  done: (images: number) => void,
): Float64Array {
  const found = createChannelMeans(layer.shape.output.channels);
  const last = layerIndex(network, layer.name);
  // What follows the layer need not be computed.
  const upToLayer = { ...network, layers: network.layers.slice(0, last + 1), output: layer.output };
  runInputs(createNetworkDatapath(upToLayer, kernels, batch), inputs, batch, {
    accumulators({ name }, values, _firstRow, rows, rowStride) {
      if (name === layer.name) found.add(values, rows, rowStride);
    },
    done,
  });
  return found.means();
}

/** What quantisation adds to a layer. */
export interface LayerNoise {
  readonly name: string;
  readonly weights: SignalAndNoise;
  /** The layer's dequantised output against the float32 network's, on the images given. */
  readonly output: SignalAndNoise;
}

/**
 * Measure the quantisation noise of each weighted layer. The output of a layer carries the noise of
 * all layers before it, too.
 *
 * @param network the float32 network of which `quantized` was made
 * @throws InputError when there are no images
 */
export function measureNoise(
  network: Float32Network,
  quantized: Int8Network,
  inputs: NetworkInputs,
  onProgress?: ProgressListener,
  batch = batchWithinMemory(network, BATCH, MEMORY_SHARE),
): LayerNoise[] {
  requireSome(network, inputs);
  const kernels = loadKernels();
  const real = createNetworkDatapath(network, kernels, batch);
  const rounded = createNetworkDatapath(quantized, kernels, batch);
  const reals = arrayLayers(network);
  const outputs = reals.map(({ output }) => ({
    tensor: output,
    values: new Float32Array(batch * featureCount(network.tensors[output].shape)),
    meter: createNoiseMeter(),
  }));
  const outputOf = (tensor: number) => outputs.find((output) => output.tensor === tensor);
  for (let first = 0; first < inputs.count; first += batch) {
    const size = Math.min(batch, inputs.count - first);
    const images = inputs.read(first, size);
    real.run(images, size, {
      tensor: (tensor, values) => outputOf(tensor)?.values.set(values),
    });
    rounded.run(images, size, {
      tensor(tensor, values) {
        const output = outputOf(tensor);
        const { shape, quantization } = quantized.tensors[tensor];
        if (!output || !quantization) return;
        const length = size * featureCount(shape);
        output.meter.add(output.values.subarray(0, length), values as Uint8Array, quantization);
      },
    });
    onProgress?.(first + size, inputs.count);
  }
  return arrayLayers(quantized).map((layer, index) => ({
    name: layer.name,
    weights: weightNoise(reals[index], layer),
    output: outputs[index].meter.total(),
  }));
}

function requireSome({ name }: Network, { count }: NetworkInputs): void {
  if (count < 1) throw new InputError(`${name} cannot be quantised without calibration images`);
}
