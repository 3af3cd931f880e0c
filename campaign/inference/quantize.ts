import { featureCount, InputError, type ProgressListener } from '../../core/index.js';
import { type KernelCode, loadKernels } from '../../kernels/index.js';
import {
  type ActivationRange,
  arrayLayers,
  type CalibrationOptions,
  type ChannelMeans,
  correctBiases,
  correctedLayers,
  createCalibration,
  createChannelMeans,
  createNoiseMeter,
  type Float32Graph,
  type Float32Network,
  type GraphQuantization,
  type Int8ArrayLayer,
  type Int8Network,
  layerIndex,
  observedTensors,
  quantizedPart,
  quantizeGraph,
  quantizeNetwork,
  readQuantized,
  type SignalAndNoise,
  type WeightGranularity,
  weightNoise,
} from '../../models/index.js';
import { batchWithinMemory, createNetworkDatapath } from '../../sim/index.js';
import { type NetworkInputs, runInputs } from './network-inputs.js';

/** Images that the datapath computes together, where memory allows. */
const BATCH = 25;

/** Part of the memory for the float32 network's datapath: the int8 one's and copies of outputs take as much again. */
const MEMORY_SHARE = 0.4;

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
  const found = calibrate(network, inputs, options, undefined, onProgress);
  const quantized = quantizeNetwork(network, found.ranges, options.weights);
  return found.expected ? correctBiases(quantized, found.expected, found.measure) : quantized;
}

/** A quantised network and its ONNX file. */
export interface QuantizedFile {
  readonly file: Uint8Array;
  readonly network: Int8Network;
}

/**
 * `quantizeOnImages` of a file: its own graph with QuantizeLinear and DequantizeLinear nodes (`quantizeGraph`).
 *
 * @throws ModelError as `quantizeGraph` does
 */
export function quantizeFile(
  graph: Float32Graph,
  inputs: NetworkInputs,
  options: QuantizeOptions & Pick<GraphQuantization, 'activations'>,
  onProgress?: ProgressListener,
): QuantizedFile {
  const { network } = graph;
  const observed = observedTensors(network, quantizedPart(network, graph).tensors);
  const found = calibrate(network, inputs, options, observed, onProgress);
  const write = (biases?: ReadonlyMap<string, Int32Array>): QuantizedFile => {
    const file = quantizeGraph(graph, found.ranges, { ...options, ...(biases && { biases }) });
    return { file, network: readQuantized(file, graph) };
  };
  const quantized = write();
  if (!found.expected) return quantized;
  const layers = correctedLayers(quantized.network, found.expected, found.measure);
  return write(
    new Map(arrayLayers({ ...quantized.network, layers }).map((layer) => [layer.name, layer.bias])),
  );
}

/** What a float32 network computes on its inputs. */
interface Calibrated {
  readonly ranges: ActivationRange[];
  /** With bias correction: means of each layer's sums. */
  readonly expected: ReadonlyMap<string, Float64Array> | undefined;
  readonly measure: (network: Int8Network, layer: Int8ArrayLayer) => Float64Array;
}

/** @param observed indices of the tensors whose ranges are wanted; default: all */
function calibrate(
  network: Float32Network,
  inputs: NetworkInputs,
  options: QuantizeOptions,
  observed: ReadonlySet<number> | undefined,
  onProgress: ProgressListener | undefined,
): Calibrated {
  const { biasCorrection, batch = batchWithinMemory(network, BATCH, MEMORY_SHARE) } = options;
  requireSome(network, inputs);
  const kernels = loadKernels();
  const calibration = createCalibration(network, options.calibration, observed);
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
  const observe = (tensor: number, values: Float32Array, images: number) => {
    const length = images * featureCount(network.tensors[tensor].shape);
    calibration.observe(tensor, values.subarray(0, length));
  };

  runInputs(createNetworkDatapath(network, kernels, batch), inputs, batch, {
    tensor: (tensor, values, _firstImage, images) =>
      observe(tensor, values as Float32Array, images),
    ...(biasCorrection && {
      accumulators: ({ name }, values, _firstRow, rows, rowStride) =>
        means.get(name)?.add(values, rows, rowStride),
    }),
    done,
  });
  return {
    ranges: calibration.ranges(),
    expected: biasCorrection
      ? new Map([...means].map(([name, found]) => [name, found.means()]))
      : undefined,
    measure(corrected, layer) {
      run += 1;
      return accumulatorMeans(corrected, layer, kernels, inputs, batch, done);
    },
  };
}

/** Means of a layer's accumulators, bias included, one per output channel. */
function accumulatorMeans(
  network: Int8Network,
  layer: Int8ArrayLayer,
  kernels: KernelCode,
  inputs: NetworkInputs,
  batch: number,
  done: (images: number) => void,
): Float64Array {
  const found = createChannelMeans(layer.shape.output.channels);
  const last = layerIndex(network, layer.name);
  // What follows the layer need not be computed.
  const { outputs: _, ...rest } = network;
  const upToLayer = { ...rest, layers: network.layers.slice(0, last + 1), output: layer.output };
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
  const reals = new Map(arrayLayers(network).map((layer) => [layer.name, layer]));
  const pairs = arrayLayers(quantized).flatMap((layer) => {
    const original = reals.get(layer.name);
    if (!original) return [];
    const values = new Float32Array(batch * featureCount(network.tensors[original.output].shape));
    return [{ layer, original, values, meter: createNoiseMeter() }];
  });
  const byReal = new Map(pairs.map((pair) => [pair.original.output, pair]));
  const byRounded = new Map(pairs.map((pair) => [pair.layer.output, pair]));
  for (let first = 0; first < inputs.count; first += batch) {
    const size = Math.min(batch, inputs.count - first);
    const images = inputs.read(first, size);
    real.run(images, size, {
      tensor: (tensor, values) => byReal.get(tensor)?.values.set(values as Float32Array),
    });
    rounded.run(images, size, {
      tensor(tensor, values) {
        const pair = byRounded.get(tensor);
        const { shape, quantization } = quantized.tensors[tensor];
        if (!pair) return;
        const wanted = pair.values.subarray(0, size * featureCount(shape));
        if (quantization) pair.meter.add(wanted, values as Uint8Array, quantization);
        else pair.meter.addReal(wanted, values as Float32Array);
      },
    });
    onProgress?.(first + size, inputs.count);
  }
  return pairs.map(({ layer, original, meter }) => ({
    name: layer.name,
    weights: weightNoise(original, layer),
    output: meter.total(),
  }));
}

function requireSome({ name }: Float32Network, { count }: NetworkInputs): void {
  if (count < 1) throw new InputError(`${name} cannot be quantised without calibration images`);
}
