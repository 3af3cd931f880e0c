import { featureCount, multiplyAccumulates } from '../../core/index.js';
import {
  type ChangeList,
  changeValue,
  createDeltaKernels,
  type DeltaConvolution,
  type DeltaKernels,
  type DeltaLayer,
  type DeltaNeeds,
  deltaBytesNeeded,
  deltaRowChannels,
  type KernelCode,
  type KernelProviderName,
  undoChanges,
  type WeightChange,
} from '../../kernels/index.js';
import {
  arrayLayers,
  definitionOf,
  type Int8Layer,
  type Int8Network,
  inputsOf,
  isOnArray,
  type Network,
  networkInputs,
  networkOutputs,
  wordMask,
} from '../../models/index.js';
import type { ActivationUnit } from '../datapath/activation-unit.js';
import type { Datapath } from '../datapath/datapath.js';
import { int8Specification } from '../datapath/layer-kernels.js';
import type { WeightPatches } from '../disturbance/patches.js';
import { firstWeightOfLayers } from '../memory/weight-position.js';

/** Runs of the same images under ever new faults, each in time proportional to what the faults change. */
export interface DeltaRunner {
  /** Images recorded so far: the first so many of those that it was made for. */
  readonly recorded: number;
  /**
   * Record the fault-free run of the next images.
   *
   * @param images as for `Datapath.run`
   * @returns their outputs (count × classes)
   */
  record(images: Float32Array, count: number): Float32Array;
  /**
   * Outputs (count × classes) of recorded images with these faulty words, equal to `Datapath.run` to the bit.
   *
   * @param first the first image; default: 0
   * @param count default: all that are recorded from there on
   */
  run(patches: WeightPatches, first?: number, count?: number): Float32Array;
  /**
   * Outputs (count × classes) of recorded images that have faults of their own.
   *
   * @param faultsOf those of image `first` + place, 0 ≤ place < count
   * @returns the places of images in which faults reach more than can be followed, too: their outputs are not there
   */
  runEach(
    first: number,
    count: number,
    faultsOf: (place: number) => FollowedFaults,
  ): { readonly outputs: Float32Array; readonly left: readonly number[] };
}

/** Faults of one image, to be followed from where they strike. */
export interface FollowedFaults {
  readonly patches: WeightPatches;
  /** What strikes the network's input, and by index into `network.layers` what strikes the output of a layer. */
  readonly input: ChangeStruck | undefined;
  readonly outputs: ReadonlyMap<number, ChangeStruck>;
}

/**
 * Tells of the values that faults strike.
 *
 * @param input of the layer, with all changes up to it; of the network's input itself
 * @param output of the layer, the same
 * @param units of the network
 */
export type ChangeStruck = (
  input: Uint8Array,
  output: Uint8Array,
  units: ReadonlyMap<string, ActivationUnit>,
  change: (place: number, value: number) => void,
) => void;

/**
 * How many products of whole layers take the time of one product of a change. Of int8 AlexNet with a transient fault in
 * the activations of each image 60 images take 0.8 of the time of whole runs with 64, on AMX, and 3.7 times as long with 4.
 */
const WHOLE_LAYER_ADVANTAGE: Readonly<Record<KernelProviderName, number>> = {
  native: 64,
  wasm: 4,
  reference: 4,
};

/** Beyond these a layer is run as a whole, so that the lists stay small. */
const LIMITS = { mostChanges: 4096, mostPatches: 1024 } as const;

/**
 * Whether changes can be followed through a network value by value: an int8 chain of convolutions without groups,
 * fully connected layers, max pooling and flatten, that ends in a vector, its only output.
 */
export function canFollowChanges(network: Network): network is Int8Network {
  if (network.format !== 'int8') return false;
  const ends = [networkInputs(network), networkOutputs(network)];
  if (ends.some(([value, ...more]) => more.length > 0 || value.elementType !== 'float32'))
    return false;
  let last = network.input;
  for (const layer of network.layers) {
    if (!canFollow(network, layer) || inputsOf(layer)[0] !== last) return false;
    last = layer.output;
  }
  const { height, width } = network.tensors[last].shape;
  const [output, ...others] = networkOutputs(network);
  const isVector = output.tensor === last && height === 1 && width === 1;
  return isVector && others.length === 0 && output.elementType === 'float32';
}

function canFollow({ tensors }: Int8Network, layer: Int8Layer): boolean {
  const [input] = inputsOf(layer);
  if (input === undefined || !tensors[input].quantization || !tensors[layer.output].quantization) {
    return false;
  }
  if (!isOnArray(layer)) return definitionOf(layer).canFollow?.(layer) ?? false;
  const { channels, height, width } = tensors[input].shape;
  const taken = layer.shape.input;
  return (
    layer.shape.groups === 1 &&
    taken.channels === channels &&
    taken.height === height &&
    taken.width === width
  );
}

/**
 * Of images whose fault-free run is recorded, runs follow from changed weights to changed values, layer by layer and
 * image by image, and hand an image over to the datapath where so much has changed that whole layers are faster.
 *
 * @param network one that `canFollowChanges`; that of `datapath`
 * @param datapath its patches and activation units are overwritten by each run
 * @param capacity images that can be recorded
 * @param advantage how many times faster whole layers are for the same number of products (a matter of speed only)
 */
export function createDeltaRunner(
  network: Int8Network,
  datapath: Datapath,
  kernels: KernelCode,
  capacity: number,
  units: ReadonlyMap<string, ActivationUnit>,
  advantage = WHOLE_LAYER_ADVANTAGE[kernels.provider],
): DeltaRunner {
  const stages = createStages(network, kernels, capacity, units);
  const { tensors, lists } = stages;
  const golden = new Float32Array(capacity * datapath.classes);
  let recorded = 0;
  const starts = firstWeightOfLayers(network);
  const weighted = arrayLayers(network);
  const { classes } = datapath;

  /** Follows the faults through one image, and hands it over where it must be run as a whole from a layer on. */
  function followImage(
    image: number,
    patches: ReadonlyMap<number, readonly WeightChange[]>,
    output: Float32Array,
    handOver: (layer: number, values: Uint8Array) => void,
    struck: Pick<FollowedFaults, 'input' | 'outputs'> = UNSTRUCK,
  ): void {
    let [changes, next] = lists;
    changes.length = 0;
    const lastFaulty = Math.max(...patches.keys(), ...struck.outputs.keys());
    const strike = (of: ChangeStruck, input: number, tensor: number, list: ChangeList) => {
      const { channels } = network.tensors[tensor].shape;
      const values = tensors[tensor][image];
      of(tensors[input][image], values, units, (place, value) =>
        changeValue(list, values, channels, place, value),
      );
    };
    if (struck.input) strike(struck.input, network.input, network.input, changes);
    for (const [index, layer] of network.layers.entries()) {
      const patchesHere = patches.get(index) ?? [];
      const [inputTensor] = inputsOf(layer);
      const input = tensors[inputTensor][image];
      const { channels } = network.tensors[inputTensor].shape;
      const struckHere = struck.outputs.get(index);
      const isUnchanged = changes.length === 0 && patchesHere.length === 0;
      if (isUnchanged && !struckHere) {
        if (index > lastFaulty) return;
        continue;
      }
      const stage = stages.layers[index];
      if (isWholeCheaper(stage, changes.length, patchesHere.length, advantage)) {
        handOver(index, input.slice());
        undoChanges(changes, input, channels);
        return;
      }
      const changed = tensors[layer.output][image];
      if (isUnchanged) {
        next.length = 0;
      } else if (stage.kind === 'weighted') {
        const accumulators = stage.accumulators[image];
        const its = { input, output: changed, accumulators };
        stage.convolution.update(changes, patchesHere, its, next);
      } else {
        stage.layer.update(changes, { input, output: changed }, next);
      }
      if (struckHere) strike(struckHere, inputTensor, layer.output, next);
      undoChanges(changes, input, channels);
      [changes, next] = [next, changes];
    }
    const logits = tensors[network.output][image];
    dequantizeLogits(network, logits, output);
    undoChanges(changes, logits, classes);
  }

  return {
    get recorded() {
      return recorded;
    },
    record(images, count) {
      const outputs = recordStages(network, datapath, stages, images, recorded, count, units);
      golden.set(outputs, recorded * classes);
      recorded += count;
      return outputs;
    },
    runEach(first, count, faultsOf) {
      const outputs = golden.slice(first * classes, (first + count) * classes);
      const left: number[] = [];
      const handedOver: HandedOver[] = [];
      for (let place = 0; place < count; place += 1) {
        const { patches, ...struck } = faultsOf(place);
        const byLayer = patchesByLayer(network, weighted, starts, patches);
        const lastFaulty = Math.max(...byLayer.keys(), ...struck.outputs.keys());
        const output = outputs.subarray(place * classes);
        const handOver = (layer: number, values: Uint8Array) => {
          // From there on all images are run on one network without faults.
          if (layer <= lastFaulty) left.push(place);
          else handedOver.push({ slot: place, layer, values });
        };
        followImage(first + place, byLayer, output, handOver, struck);
      }
      if (handedOver.length > 0) {
        datapath.setDisturbance(undefined);
        datapath.setActivationUnits(units);
        runWhole(datapath, handedOver, outputs);
      }
      return { outputs, left };
    },
    run(patches, first = 0, count = recorded - first) {
      const outputs = golden.slice(first * classes, (first + count) * classes);
      const byLayer = patchesByLayer(network, weighted, starts, patches);
      if (byLayer.size === 0) return outputs;
      const handedOver: HandedOver[] = [];
      for (let slot = 0; slot < count; slot += 1) {
        followImage(first + slot, byLayer, outputs.subarray(slot * classes), (layer, values) => {
          handedOver.push({ slot, layer, values });
        });
      }
      if (handedOver.length > 0) {
        datapath.setDisturbance({ weights: patches });
        datapath.setActivationUnits(units);
        runWhole(datapath, handedOver, outputs);
      }
      return outputs;
    },
  };
}

const UNSTRUCK: Pick<FollowedFaults, 'input' | 'outputs'> = {
  input: undefined,
  outputs: new Map(),
};

type Stage =
  | {
      readonly kind: 'weighted';
      readonly convolution: DeltaConvolution;
      /** Of the recorded run, by image: [position][rowChannels]. */
      readonly accumulators: readonly Int32Array[];
      /** Multiply-accumulates of one image. */
      readonly products: number;
    }
  | { readonly kind: 'moving'; readonly layer: DeltaLayer };

interface Stages {
  /** Of the recorded run, by tensor and image. */
  readonly tensors: readonly (readonly Uint8Array[])[];
  readonly lists: readonly [ChangeList, ChangeList];
  readonly layers: readonly Stage[];
}

function createStages(
  network: Int8Network,
  code: KernelCode,
  capacity: number,
  units: ReadonlyMap<string, ActivationUnit>,
): Stages {
  const needs = needsOf(network, capacity);
  const kernels = createDeltaKernels(code, needs);
  const [first, second] = needs.changeLists;
  const lists = [kernels.changeList(first), kernels.changeList(second)] as const;
  const tensors = network.tensors.map(({ shape }) => {
    const length = featureCount(shape);
    return perImage(kernels.allocateUint8(capacity * length), length, capacity);
  });
  const layers = network.layers.map((layer) =>
    createStage(network, layer, kernels, capacity, units),
  );
  return { tensors, lists, layers };
}

/** @returns outputs of the images, of which `first` is the number of the first one */
function recordStages(
  network: Int8Network,
  datapath: Datapath,
  { tensors, layers }: Stages,
  images: Float32Array,
  first: number,
  count: number,
  units: ReadonlyMap<string, ActivationUnit>,
): Float32Array {
  const byName = new Map(network.layers.map(({ name }, index) => [name, layers[index]]));
  datapath.setDisturbance(undefined);
  datapath.setActivationUnits(units);
  return datapath.run(images, count, {
    tensor(tensor, values, firstImage, size) {
      const { length } = tensors[tensor][0];
      for (let image = 0; image < size; image += 1) {
        const part = values.subarray(image * length, (image + 1) * length);
        tensors[tensor][first + firstImage + image].set(part);
      }
    },
    accumulators(layer, values, firstRow, rows, rowStride) {
      const stage = byName.get(layer.name);
      if (stage?.kind !== 'weighted') return;
      const { channels, height, width } = layer.shape.output;
      const { rowChannels } = stage.convolution;
      for (let row = 0; row < rows; row += 1) {
        const position = (firstRow + row) % (height * width);
        const image = (firstRow + row - position) / (height * width);
        const part = values.subarray(row * rowStride, row * rowStride + channels);
        stage.accumulators[first + image].set(part, position * rowChannels);
      }
    },
  });
}

function needsOf(network: Int8Network, count: number): DeltaNeeds {
  const lengths = network.tensors.map(({ shape }) => featureCount(shape));
  const longest = Math.max(...lengths);
  const shapes = arrayLayers(network).map(({ shape }) => shape);
  return {
    ...LIMITS,
    convolutions: shapes,
    // As many descriptors as layers that move values may need.
    poolings: network.layers.filter((layer) => !isOnArray(layer)).length,
    uint8: lengths.map((length) => count * length),
    int32: shapes.map((shape) => count * accumulatorCount(shape)),
    changeLists: [longest, longest],
  };
}

/** Bytes that a delta runner of `count` images takes besides its datapath. */
export function deltaRunnerBytes(network: Int8Network, count: number): number {
  return deltaBytesNeeded(needsOf(network, count));
}

function accumulatorCount(shape: Parameters<typeof deltaRowChannels>[0]): number {
  return shape.output.height * shape.output.width * deltaRowChannels(shape);
}

function createStage(
  network: Int8Network,
  layer: Int8Layer,
  kernels: DeltaKernels,
  count: number,
  units: ReadonlyMap<string, ActivationUnit>,
): Stage {
  if (isOnArray(layer)) {
    const convolution = kernels.convolution(int8Specification(network, layer));
    const unit = units.get(layer.name);
    convolution.setClip(unit?.format === 'int8' ? unit.clip : undefined);
    const length = accumulatorCount(layer.shape);
    const accumulators = perImage(kernels.allocateInt32(count * length), length, count);
    return {
      kind: 'weighted',
      convolution,
      accumulators,
      products: multiplyAccumulates(layer.shape),
    };
  }
  const moving = definitionOf(layer).follow?.(
    layer,
    kernels,
    network.tensors[inputsOf(layer)[0]].shape,
  );
  if (moving) return { kind: 'moving', layer: moving };
  throw new Error(`changes cannot be followed through ${layer.name}`);
}

function perImage<T extends Uint8Array | Int32Array>(all: T, length: number, count: number): T[] {
  return Array.from(
    { length: count },
    (_, image) => all.subarray(image * length, (image + 1) * length) as T,
  );
}

function isWholeCheaper(
  stage: Stage,
  changes: number,
  patches: number,
  advantage: number,
): boolean {
  if (stage.kind === 'moving') return false;
  if (changes > LIMITS.mostChanges || patches > LIMITS.mostPatches) return true;
  const { shape, rowChannels } = stage.convolution;
  const { height, width } = shape.output;
  const taps = Math.min(shape.kernel[0] * shape.kernel[1], height * width);
  const products = changes * taps * rowChannels + patches * height * width;
  return products * advantage > stage.products;
}

/** Patches by index into `network.layers`, numbered within their layer. */
function patchesByLayer(
  network: Int8Network,
  weighted: ReturnType<typeof arrayLayers>,
  starts: Float64Array,
  { weights, words }: WeightPatches,
): Map<number, WeightChange[]> {
  const layerIndex = new Map(network.layers.map(({ name }, index) => [name, index]));
  const byLayer = new Map<number, WeightChange[]>();
  let position = 0;
  for (let patch = 0; patch < weights.length; patch += 1) {
    while (weights[patch] >= starts[position + 1]) position += 1;
    const layer = weighted[position];
    const index = weights[patch] - starts[position];
    const difference = (((words[patch] ^ wordMask(layer)) << 24) >> 24) - layer.weights[index];
    const place = layerIndex.get(layer.name) ?? 0;
    const changes = byLayer.get(place);
    if (changes) changes.push({ index, difference });
    else byLayer.set(place, [{ index, difference }]);
  }
  return byLayer;
}

function dequantizeLogits(network: Int8Network, logits: Uint8Array, target: Float32Array): void {
  const { quantization } = network.tensors[network.output];
  if (!quantization) throw new Error(`${network.name} has an output without quantisation`);
  for (let index = 0; index < logits.length; index += 1) {
    target[index] = quantization.scale * (logits[index] - quantization.zeroPoint);
  }
}

/** An image that is run as a whole from a layer on. */
interface HandedOver {
  /** Its place among the images of the run. */
  readonly slot: number;
  readonly layer: number;
  /** Values of the layer's input. */
  readonly values: Uint8Array;
}

/** Runs images to the end, in batches that others join where they start. */
function runWhole(datapath: Datapath, images: HandedOver[], outputs: Float32Array): void {
  const { batch, classes, network, tensors } = datapath;
  const waiting = images.toSorted((a, b) => a.layer - b.layer);
  const results = new Float32Array(batch * classes);
  for (let first = 0; first < waiting.length; first += batch) {
    const group = waiting.slice(first, first + batch);
    let active = 0;
    for (let index = group[0].layer; index < network.layers.length; index += 1) {
      const layer = network.layers[index];
      for (; group[active]?.layer === index; active += 1) {
        const { values } = group[active];
        tensors[inputsOf(layer)[0]].set(values, active * values.length);
      }
      datapath.runLayer(index, active);
    }
    datapath.readOutputs(results, group.length);
    for (const [place, { slot }] of group.entries()) {
      outputs.set(results.subarray(place * classes, (place + 1) * classes), slot * classes);
    }
  }
}
