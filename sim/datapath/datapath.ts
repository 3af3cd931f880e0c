import { featureCount, InputError } from '../../core/index.js';
import type { AccumulatorObserver, KernelBackend } from '../../kernels/index.js';
import {
  type ArrayLayer,
  arrayLayerNamed,
  inputsOf,
  isOnArray,
  isWeighted,
  type Layer,
  type Network,
  networkInputs,
  type Operation,
  weightedLayers,
} from '../../models/index.js';
import type { Disturbance, ReadThrough } from '../disturbance/disturbance.js';
import type { ActivationUnit } from './activation-unit.js';
import { createFaultySums } from './faulty-sums.js';
import { arithmeticOf, createLayerKernel, type LayerKernel } from './layer-kernels.js';
import { operationOf } from './operations.js';
import { loadSamples, outputLength, readSamples, sampleLength } from './samples.js';
import { createWeightWriter } from './weight-writer.js';

/** What `Datapath.run` shows of a run; every view is valid only during the call. */
export interface DatapathObserver {
  /** Accumulators of a weighted layer, bias included, before clip and requantisation. */
  readonly accumulators?: (
    layer: ArrayLayer,
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
  /** Put `count` images (as for `run`) into the input tensors. */
  loadImages(images: Float32Array, count: number): void;
  /** Compute one layer, an index into `network.layers`, for the first `images` images of its input tensors. */
  runLayer(layer: number, images: number, observer?: DatapathObserver, firstImage?: number): void;
  /** Read `count` images' outputs (count × classes) from the output tensors. */
  readOutputs(outputs: Float32Array, count: number): void;
}

/**
 * A network on the simulated accelerator: its weights as read from the weight memory, and the
 * activation units between accumulators and requantisation.
 */
export interface Datapath extends DatapathSteps {
  readonly network: Network;
  /** Length of one image's outputs, one behind the other. */
  readonly classes: number;
  /**
   * Run `count` images (float32, normalised, image × channel × row × column; of several inputs, all of an image one
   * behind the other). Returns their outputs (count × classes), dequantised where they are quantised.
   */
  run(images: Float32Array, count: number, observer?: DatapathObserver): Float32Array;
  /** What is stored and computed is read as it says, instead of as an earlier one did. */
  setDisturbance(disturbance: Disturbance | undefined): void;
  /** Install activation units by layer name; layers without one have none. */
  setActivationUnits(units: ReadonlyMap<string, ActivationUnit>): void;
}

type Values = Uint8Array | Float32Array;

/**
 * Build the datapath of a network on a kernel backend.
 *
 * @param batch images computed together (a matter of speed only)
 */
export function createDatapath(network: Network, backend: KernelBackend, batch: number): Datapath {
  const layers: readonly Layer[] = network.layers;
  const tensors = network.tensors.map(({ shape, quantization }) => {
    const length = featureCount(shape) * batch;
    return quantization ? backend.allocateUint8(length) : backend.allocateFloat32(length);
  });
  const operations = layers.map((layer): Operation | undefined =>
    isWeighted(layer) ? undefined : operationOf(network, layer, tensors, backend),
  );
  const kernels = createKernels(network, backend, batch);
  const weighted = weightedLayers(network);
  const kernelOfLayer = layers.map((layer) =>
    weighted.findIndex(({ name }) => name === layer.name),
  );
  const inputTensors = networkInputs(network).map(({ tensor }) => tensor);
  const imageLength = sampleLength(network);
  const classes = outputLength(network);
  const writeWeights = createWeightWriter(network, kernels);
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

  /** What sees, and may change, the accumulators of a layer; undefined: nothing does. */
  function observerOf(
    index: number,
    layer: ArrayLayer,
    images: number,
    observer: DatapathObserver | undefined,
    firstImage: number,
  ): AccumulatorObserver<Int32Array | Float32Array> | undefined {
    const rowsBefore = firstImage * layer.shape.output.height * layer.shape.output.width;
    const replace = faultySums.replacer(index, tensors[layer.input], images);
    if (!replace && !observer?.accumulators) return undefined;
    return (values, firstRow, rows, stride) => {
      replace?.(values, firstRow, rows, stride);
      observer?.accumulators?.(layer, values, rowsBefore + firstRow, rows, stride);
    };
  }

  const steps: DatapathSteps = {
    batch,
    tensors,
    loadImages(images, count) {
      loadSamples(network, images, count, tensors);
      for (const tensor of inputTensors) readTensor(tensor, count);
    },
    runLayer(index, images, observer, firstImage = 0) {
      const layer = layers[index];
      const output = tensors[layer.output];
      if (isWeighted(layer)) {
        const observe = isOnArray(layer)
          ? observerOf(index, layer, images, observer, firstImage)
          : undefined;
        const [input] = inputsOf(layer);
        kernels[kernelOfLayer[index]].run(tensors[input], output, images, observe);
      }
      operations[index]?.(images);
      readTensor(layer.output, images);
      observer?.tensor?.(layer.output, output, firstImage, images);
    },
    readOutputs: (outputs, count) => readSamples(network, tensors, count, outputs),
  };

  return {
    ...steps,
    network,
    classes,
    run(images, count, observer) {
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
        for (const tensor of inputTensors) {
          observer?.tensor?.(tensor, tensors[tensor], firstImage, size);
        }
        for (const layer of layers.keys()) steps.runLayer(layer, size, observer, firstImage);
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
      for (const name of units.keys()) arrayLayerNamed(network, name);
      for (const [index, { name }] of weighted.entries()) kernels[index].install(units.get(name));
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

/** The kernels of the layers with weights, in network order. */
function createKernels(network: Network, backend: KernelBackend, batch: number): LayerKernel[] {
  let scratch: Uint8Array | undefined;
  const scratchOf = () => {
    scratch ??= backend.allocateUint8(batch * scratchLength(network));
    return scratch;
  };
  return weightedLayers(network).map((layer) =>
    createLayerKernel(network, layer, backend, scratchOf),
  );
}

/** Values of one image of the tensor for outputs that are not read; 0: no layer needs it. */
export function scratchLength(network: Network): number {
  const layers: readonly Layer[] = network.layers;
  const lengths = layers.map((layer) =>
    isOnArray(layer) && arithmeticOf(network, layer) === 'int8-to-float32'
      ? featureCount(layer.shape.output)
      : 0,
  );
  return Math.max(0, ...lengths);
}
