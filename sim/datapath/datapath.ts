import { featureCount, InputError } from '../../core/index.js';
import {
  type AccumulatorObserver,
  clipFloat32,
  type Float32ConvolutionKernel,
  flatten,
  type Int8ConvolutionKernel,
  type Int8ConvolutionSpecification,
  type KernelBackend,
  quantizeImages,
} from '../../kernels/index.js';
import {
  type Float32WeightedLayer,
  type Int8Network,
  type Int8WeightedLayer,
  isWeighted,
  layerNamed,
  type Network,
  requantizationMultipliers,
  type WeightedLayer,
  weightedLayers,
} from '../../models/index.js';
import type { Disturbance, ReadThrough } from '../disturbance/disturbance.js';
import type { ActivationUnit } from './activation-unit.js';
import { createFaultySums } from './faulty-sums.js';
import { createWeightWriter } from './weight-writer.js';
import { float32Operation, int8Operation, type Operation, quantizationOf } from './weightless.js';

/** What `Datapath.run` shows of a run; every view is valid only during the call. */
export interface DatapathObserver {
  /** Accumulators of a weighted layer, bias included, before clip and requantisation. */
  readonly accumulators?: (
    layer: WeightedLayer,
    ...block: Parameters<AccumulatorObserver<Int32Array | Float32Array>>
  ) => void;
  /** A tensor of `images` images from image `firstImage` on, each height × width × channels. */
  readonly tensor?: (
    tensor: number,
    values: Uint8Array | Float32Array,
    firstImage: number,
    images: number,
  ) => void;
}

/** The steps that a run of one batch is made of, for runs that start or stop within the network. */
export interface DatapathSteps {
  /** Most images that are computed together. */
  readonly batch: number;
  /** Buffers of the network's tensors: `batch` images, each height × width × channels. */
  readonly tensors: readonly (Uint8Array | Float32Array)[];
  /** Put `count` images (as for `run`) into the input tensor. */
  loadImages(images: Float32Array, count: number): void;
  /** Compute one layer, an index into `network.layers`, for the first `images` images of its input tensors. */
  runLayer(layer: number, images: number, observer?: DatapathObserver, firstImage?: number): void;
  /** Read `count` images' outputs (count × classes) from the output tensor. */
  readOutputs(outputs: Float32Array, count: number): void;
}

/**
 * A network on the simulated accelerator: its weights as read from the weight memory, and the
 * activation units between accumulators and requantisation.
 */
export interface Datapath extends DatapathSteps {
  readonly network: Network;
  /** Length of one image's output. */
  readonly classes: number;
  /**
   * Run `count` images (float32, normalised, image × channel × row × column).
   * Returns their outputs (count × classes), dequantised for int8 networks.
   */
  run(images: Float32Array, count: number, observer?: DatapathObserver): Float32Array;
  /** What is stored and computed is read as it says, instead of as an earlier one did. */
  setDisturbance(disturbance: Disturbance | undefined): void;
  /** Install activation units by layer name; layers without one have none. */
  setActivationUnits(units: ReadonlyMap<string, ActivationUnit>): void;
}

type Values = Uint8Array | Float32Array;
type Kernel =
  | { readonly format: 'int8'; readonly kernel: Int8ConvolutionKernel }
  | { readonly format: 'float32'; readonly kernel: Float32ConvolutionKernel };

/**
 * Build the datapath of a network on a kernel backend.
 *
 * @param batch images computed together (a matter of speed only)
 */
export function createDatapath(network: Network, backend: KernelBackend, batch: number): Datapath {
  const { tensors, operations } = buildOperations(network, backend, batch);
  const kernels = buildKernels(network, backend);
  const layers = weightedLayers(network);
  const kernelOfLayer = network.layers.map((layer) =>
    layers.findIndex(({ name }) => name === layer.name),
  );
  const inputShape = network.tensors[network.input].shape;
  const classes = featureCount(network.tensors[network.output].shape);
  const writeWeights = createWeightWriter(
    network,
    kernels.map(({ kernel }) => kernel),
  );
  const faultySums = createFaultySums(network, backend);
  const imagesOf = tensors.map((values, tensor) =>
    imageViews(values, featureCount(network.tensors[tensor].shape), batch),
  );
  let reads: ReadonlyMap<number, ReadThrough> = new Map();

  /** Change what the first `images` images of a tensor hold to what is read of it. */
  function readTensor(tensor: number, images: number): void {
    const read = reads.get(tensor);
    for (let image = 0; read && image < images; image += 1) read(imagesOf[tensor][image]);
  }

  const steps: DatapathSteps = {
    batch,
    tensors,
    loadImages(images, count) {
      loadInput(network, images, count, tensors[network.input]);
      readTensor(network.input, count);
    },
    runLayer(index, images, observer, firstImage = 0) {
      const layer = network.layers[index];
      const output = tensors[layer.output];
      if (isWeighted(layer)) {
        const rowsBefore = firstImage * layer.shape.output.height * layer.shape.output.width;
        const replace = faultySums.replacer(index, tensors[layer.input], images);
        const observe =
          (replace || observer?.accumulators) &&
          ((values: Int32Array | Float32Array, firstRow: number, rows: number, stride: number) => {
            replace?.(values, firstRow, rows, stride);
            observer?.accumulators?.(layer, values, rowsBefore + firstRow, rows, stride);
          });
        runKernel(kernels[kernelOfLayer[index]], tensors[layer.input], output, images, observe);
      }
      operations[index]?.(images);
      readTensor(layer.output, images);
      observer?.tensor?.(layer.output, output, firstImage, images);
    },
    readOutputs: (outputs, count) => readOutput(network, tensors[network.output], count, outputs),
  };

  return {
    ...steps,
    network,
    classes,
    run(images, count, observer) {
      const imageLength = featureCount(inputShape);
      if (images.length < count * imageLength) {
        throw new InputError(
          `${network.name} takes images of ${imageLength} values, but ${count} images came with ${images.length} values`,
        );
      }
      const outputs = new Float32Array(count * classes);
      for (let firstImage = 0; firstImage < count; firstImage += batch) {
        const size = Math.min(batch, count - firstImage);
        const part = images.subarray(firstImage * imageLength, (firstImage + size) * imageLength);
        steps.loadImages(part, size);
        observer?.tensor?.(network.input, tensors[network.input], firstImage, size);
        for (const layer of network.layers.keys())
          steps.runLayer(layer, size, observer, firstImage);
        steps.readOutputs(outputs.subarray(firstImage * classes), size);
      }
      return outputs;
    },
    setDisturbance(disturbance) {
      writeWeights(disturbance?.weights);
      faultySums.set(disturbance?.sums);
      reads = disturbance?.tensors ?? new Map();
    },
    setActivationUnits(units) {
      for (const name of units.keys()) layerNamed(network, name);
      for (const [index, { name }] of layers.entries())
        installUnit(kernels[index], units.get(name));
    },
  };
}

/** The stored words of each image of a batch. */
function imageViews(values: Values, length: number, batch: number): (Uint8Array | Uint32Array)[] {
  const { buffer, byteOffset } = values;
  const words =
    values instanceof Uint8Array ? values : new Uint32Array(buffer, byteOffset, values.length);
  return Array.from({ length: batch }, (_, image) =>
    words.subarray(image * length, (image + 1) * length),
  );
}

/** A buffer for each tensor, and what is to be done for each layer, after its kernel if it has one. */
function buildOperations(
  network: Network,
  backend: KernelBackend,
  batch: number,
): {
  readonly tensors: readonly Values[];
  readonly operations: readonly (Operation | undefined)[];
} {
  const lengths = network.tensors.map(({ shape }) => featureCount(shape) * batch);
  if (network.format === 'int8') {
    const tensors = lengths.map((length) => backend.allocateUint8(length));
    const operations = network.layers.map((layer) =>
      isWeighted(layer) ? undefined : int8Operation(network, layer, tensors, backend),
    );
    return { tensors, operations };
  }
  const tensors = lengths.map((length) => backend.allocateFloat32(length));
  const operations = network.layers.map((layer) =>
    isWeighted(layer)
      ? upperBound(layer, tensors[layer.output])
      : float32Operation(network, layer, tensors, backend),
  );
  return { tensors, operations };
}

/** The bound of an activation function like ReLU6, which kernels do not know. */
function upperBound(
  { upper, shape }: Float32WeightedLayer,
  output: Float32Array,
): Operation | undefined {
  if (upper === undefined) return undefined;
  const length = featureCount(shape.output);
  return (images) => {
    const values = output.subarray(0, images * length);
    clipFloat32(values, values, -Infinity, upper);
  };
}

function buildKernels(network: Network, backend: KernelBackend): Kernel[] {
  if (network.format === 'int8') {
    return weightedLayers(network).map((layer) => ({
      format: 'int8',
      kernel: backend.int8Convolution(int8Specification(network, layer)),
    }));
  }
  return weightedLayers(network).map(({ shape, weights, bias, relu }) => ({
    format: 'float32',
    kernel: backend.float32Convolution({ shape, weights, bias, relu }),
  }));
}

/** What a weighted layer of an int8 network asks of its kernel. */
export function int8Specification(
  network: Int8Network,
  layer: Int8WeightedLayer,
): Int8ConvolutionSpecification {
  const input = quantizationOf(network, layer.input);
  const output = quantizationOf(network, layer.output);
  return {
    shape: layer.shape,
    inputZeroPoint: input.zeroPoint,
    weights: layer.weights,
    weightZeroPoints: layer.zeroPoints,
    bias: layer.bias,
    multipliers: requantizationMultipliers(input.scale, layer.scales, output.scale),
    outputZeroPoint: output.zeroPoint,
    low: layer.relu ? output.zeroPoint : 0,
    high: 255,
  };
}

function runKernel(
  { format, kernel }: Kernel,
  input: Values,
  output: Values,
  images: number,
  observe?: AccumulatorObserver<Int32Array | Float32Array>,
): void {
  if (format === 'int8') kernel.run(input as Uint8Array, output as Uint8Array, images, observe);
  else kernel.run(input as Float32Array, output as Float32Array, images, observe);
}

function installUnit({ format, kernel }: Kernel, unit: ActivationUnit | undefined): void {
  if (unit === undefined) {
    kernel.setClip(undefined);
  } else if (format === 'int8' && unit.format === 'int8') {
    kernel.setClip(unit.clip);
  } else if (format === 'float32' && unit.format === 'float32') {
    kernel.setClip(unit.clip);
  } else {
    throw new InputError(
      `an activation unit for ${unit.format} words cannot serve ${format} words`,
    );
  }
}

/** Images arrive channel by channel and are stored with the channels innermost. */
function loadInput(network: Network, images: Float32Array, count: number, tensor: Values): void {
  const { shape, quantization } = network.tensors[network.input];
  if (quantization && tensor instanceof Uint8Array) {
    quantizeImages(shape, quantization, images, tensor, count);
    return;
  }
  const positions = shape.height * shape.width;
  const length = featureCount(shape);
  for (let image = 0; image < count; image += 1) {
    for (let channel = 0; channel < shape.channels; channel += 1) {
      const source = image * length + channel * positions;
      const target = image * length + channel;
      for (let position = 0; position < positions; position += 1) {
        tensor[target + position * shape.channels] = images[source + position];
      }
    }
  }
}

/** Outputs leave channel by channel, dequantised as fround(scale · (q − zero point)). */
function readOutput(network: Network, tensor: Values, count: number, outputs: Float32Array): void {
  const { shape, quantization } = network.tensors[network.output];
  const length = featureCount(shape) * count;
  const ordered = quantization ? new Uint8Array(length) : outputs.subarray(0, length);
  flatten(shape, tensor, ordered, count);
  if (!quantization) return;
  for (let index = 0; index < length; index += 1) {
    outputs[index] = quantization.scale * (ordered[index] - quantization.zeroPoint);
  }
}
