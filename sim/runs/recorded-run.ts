import { featureCount } from '../../core/index.js';
import {
  inputsOf,
  isWeighted,
  type Network,
  networkInputs,
  networkOutputs,
} from '../../models/index.js';
import type { Datapath } from '../datapath/datapath.js';
import { outputLength, sampleLength } from '../datapath/samples.js';
import type { Disturbance } from '../disturbance/disturbance.js';
import type { WeightPatches } from '../disturbance/patches.js';
import { firstWeightOfLayers } from '../memory/weight-position.js';

/**
 * A place between two layers where a run can start: all that the layers from `layer` on take from
 * those before is one tensor.
 */
export interface RestartPoint {
  /** Index into `network.layers` of the first layer behind it. */
  readonly layer: number;
  /** Index into `network.tensors`. */
  readonly tensor: number;
}

/**
 * What the fault-free network made of images, so that later runs need not compute what cannot have changed. Images
 * are known by a number below `capacity`. Its arrays lie in memory that all threads see: an image's values depend on
 * the image alone, so threads may record it twice, but never differently.
 */
export interface Recording {
  readonly capacity: number;
  /** Ascending by layer. */
  readonly points: readonly RecordedPoint[];
  /** capacity × classes. */
  readonly outputs: Float32Array;
}

/** A place where a run can start, and what the recorded run held there. */
export interface RecordedPoint extends RestartPoint {
  /** capacity × height × width × channels. */
  readonly values: Uint8Array | Float32Array;
}

/**
 * The restart points of a network that are worth recording, ascending: the last one before each weighted layer. In
 * a chain that is each weighted layer's input; inside a residual block there is none. The network's inputs are none.
 */
export function restartPoints(network: Network): RestartPoint[] {
  const lastUse = lastUseOfTensors(network);
  const chosen = new Map<number, RestartPoint>();
  const inputs = new Set(networkInputs(network).map(({ tensor }) => tensor));
  let live = new Set(inputs);
  let latest: RestartPoint | undefined;
  for (const [layer, description] of network.layers.entries()) {
    const [tensor] = live;
    if (live.size === 1 && !inputs.has(tensor)) latest = { layer, tensor };
    if (latest && isWeighted(description)) chosen.set(latest.layer, latest);
    live.add(description.output);
    live = new Set([...live].filter((used) => lastUse[used] > layer));
  }
  return [...chosen.values()];
}

/** Index of the last layer that takes each tensor; the network's outputs are taken after all layers. */
function lastUseOfTensors(network: Network): number[] {
  const lastUse = new Array<number>(network.tensors.length).fill(-1);
  for (const [layer, description] of network.layers.entries()) {
    for (const tensor of inputsOf(description)) lastUse[tensor] = layer;
  }
  for (const { tensor } of networkOutputs(network)) lastUse[tensor] = network.layers.length;
  return lastUse;
}

/**
 * An empty recording.
 *
 * @param budget bytes that the tensors of the restart points may take; the largest are left out until they fit
 */
export function createRecording(network: Network, capacity: number, budget: number): Recording {
  const classes = outputLength(network);
  return {
    capacity,
    points: pointsWithin(network, capacity, budget).map((point) => {
      const bytes = bytesOfPoint(network, capacity, point);
      const buffer = new SharedArrayBuffer(bytes);
      const isQuantized = network.tensors[point.tensor].quantization !== undefined;
      const values = isQuantized ? new Uint8Array(buffer) : new Float32Array(buffer);
      return { ...point, values };
    }),
    outputs: new Float32Array(new SharedArrayBuffer(4 * capacity * classes)),
  };
}

function pointsWithin(network: Network, capacity: number, budget: number): RestartPoint[] {
  const points = restartPoints(network);
  const bytesOf = (point: RestartPoint) => bytesOfPoint(network, capacity, point);
  const kept = new Set<RestartPoint>();
  let total = 0;
  for (const point of points.toSorted((a, b) => bytesOf(a) - bytesOf(b))) {
    total += bytesOf(point);
    if (total > budget) break;
    kept.add(point);
  }
  return points.filter((point) => kept.has(point));
}

function bytesOfPoint(network: Network, capacity: number, { tensor }: RestartPoint): number {
  const { shape, quantization } = network.tensors[tensor];
  return capacity * featureCount(shape) * (quantization ? 1 : 4);
}

/**
 * Run images on a datapath as it is and record them. Returns their outputs (count × classes).
 *
 * @param images as for `Datapath.run`
 * @param numbers the images' numbers in the recording
 */
export function recordRun(
  datapath: Datapath,
  recording: Recording,
  images: Float32Array,
  numbers: Uint32Array,
): Float32Array {
  const { network, classes } = datapath;
  const kept = new Map(recording.points.map(({ tensor, values }) => [tensor, values]));
  const outputs = datapath.run(images, numbers.length, {
    tensor(tensor, values, firstImage, size) {
      const recorded = kept.get(tensor);
      if (!recorded) return;
      const length = featureCount(network.tensors[tensor].shape);
      for (let image = 0; image < size; image += 1) {
        const part = values.subarray(image * length, (image + 1) * length);
        recorded.set(part, numbers[firstImage + image] * length);
      }
    },
  });
  for (const [image, number] of numbers.entries()) {
    const part = outputs.subarray(image * classes, (image + 1) * classes);
    recording.outputs.set(part, number * classes);
  }
  return outputs;
}

/** Layers that differ from the recorded ones, as indices into `network.layers`, both ends included. */
export interface LayerRange {
  readonly first: number;
  readonly last: number;
}

/**
 * Run recorded images again on a datapath that since then differs only within a range of layers: what lies before
 * the last recorded point in front of the range is skipped, and an image whose values at a point behind the range
 * are the recorded ones is done. The outputs (count × classes) are those of `Datapath.run`, to the bit.
 *
 * @param numbers the images' numbers in the recording; all must have been recorded
 * @param loadImages gives the images themselves, for runs that have to start at the input
 */
export function runFrom(
  datapath: Datapath,
  recording: Recording,
  numbers: Uint32Array,
  differing: LayerRange,
  loadImages: () => Float32Array,
): Float32Array {
  const { classes, batch } = datapath;
  const { points } = recording;
  const outputs = new Float32Array(numbers.length * classes);
  const start = points.findLast(({ layer }) => layer <= differing.first);
  const images = start ? undefined : loadImages();
  for (let first = 0; first < numbers.length; first += batch) {
    const batchNumbers = numbers.subarray(first, first + batch);
    if (start) restore(datapath, start, batchNumbers);
    else if (images) loadBatch(datapath, images, first, batchNumbers.length);
    const slots = runBatch(datapath, points, start?.layer ?? 0, differing.last, batchNumbers);
    const results = new Float32Array(slots.length * classes);
    datapath.readOutputs(results, slots.length);
    for (const [index, number] of batchNumbers.entries()) {
      const recorded = recording.outputs.subarray(number * classes, (number + 1) * classes);
      outputs.set(recorded, (first + index) * classes);
    }
    for (const [position, slot] of slots.entries()) {
      const found = results.subarray(position * classes, (position + 1) * classes);
      outputs.set(found, (first + slot) * classes);
    }
  }
  return outputs;
}

/** Returns the places in the batch of the images that may differ in the end; they are the first of the output tensor. */
function runBatch(
  datapath: Datapath,
  points: readonly RecordedPoint[],
  firstLayer: number,
  lastDiffering: number,
  numbers: Uint32Array,
): readonly number[] {
  const { network } = datapath;
  const compared = new Map(
    points.filter(({ layer }) => layer > lastDiffering).map((point) => [point.layer, point]),
  );
  let active = Array.from(numbers.keys());
  for (let layer = firstLayer; layer < network.layers.length; layer += 1) {
    const point = compared.get(layer);
    if (point) active = keepChanged(datapath, point, active, numbers);
    if (active.length === 0) return active;
    datapath.runLayer(layer, active.length);
  }
  return active;
}

/** Loads `count` of the images, from the `first` on, as the inputs of a datapath. */
export function loadBatch(
  datapath: Datapath,
  images: Float32Array,
  first: number,
  count: number,
): void {
  const length = sampleLength(datapath.network);
  datapath.loadImages(images.subarray(first * length, (first + count) * length), count);
}

/** Puts what a recording holds at a point into the datapath, for images of these numbers in the recording. */
export function restore(
  { tensors, network }: Datapath,
  { tensor, values }: RecordedPoint,
  numbers: Uint32Array,
): void {
  const length = featureCount(network.tensors[tensor].shape);
  for (const [index, number] of numbers.entries()) {
    tensors[tensor].set(values.subarray(number * length, (number + 1) * length), index * length);
  }
}

/** Moves the images that differ from the recording to the front of the tensor, and returns their places in the batch. */
export function keepChanged(
  { tensors, network }: Datapath,
  { tensor, values }: RecordedPoint,
  active: readonly number[],
  numbers: Uint32Array,
): number[] {
  const buffer = tensors[tensor];
  const length = featureCount(network.tensors[tensor].shape);
  const changed: number[] = [];
  for (const [index, slot] of active.entries()) {
    const now = buffer.subarray(index * length, (index + 1) * length);
    const recorded = values.subarray(numbers[slot] * length, (numbers[slot] + 1) * length);
    if (sameBytes(now, recorded)) continue;
    if (changed.length < index) {
      buffer.copyWithin(changed.length * length, index * length, (index + 1) * length);
    }
    changed.push(slot);
  }
  return changed;
}

/** Whether two tensors are equal to the bit, so that NaN equals itself and 0 is not −0. */
export function sameBytes(
  one: Uint8Array | Float32Array,
  other: Uint8Array | Float32Array,
): boolean {
  const bytesOf = (values: Uint8Array | Float32Array) =>
    Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return bytesOf(one).equals(bytesOf(other));
}

/**
 * The layers that a disturbance changes, a tensor counting to the layer that writes it and the network's inputs to its
 * first layer; undefined when nothing can differ.
 */
export function differingLayers(
  network: Network,
  { weights, tensors, sums }: Disturbance,
): LayerRange | undefined {
  const layers = [
    ...(weights ? layersOfPatches(network, weights) : []),
    ...[...(sums?.keys() ?? [])],
    ...[...(tensors?.keys() ?? [])].map((tensor) =>
      Math.max(
        0,
        network.layers.findIndex(({ output }) => output === tensor),
      ),
    ),
  ];
  if (layers.length === 0) return undefined;
  return { first: Math.min(...layers), last: Math.max(...layers) };
}

/** The first and the last layer of which weights are patched. */
function layersOfPatches(network: Network, patches: WeightPatches): readonly number[] {
  const patched = firstAndLast(patches);
  if (!patched) return [];
  const starts = firstWeightOfLayers(network);
  const weighted = [...network.layers.keys()].filter((layer) => isWeighted(network.layers[layer]));
  const layerOf = (weight: number) => weighted[starts.findLastIndex((start) => start <= weight)];
  return patched.map(layerOf);
}

/** The first and the last patched weight; undefined: none is. */
function firstAndLast(patches: WeightPatches): readonly [number, number] | undefined {
  const { inverted } = patches;
  if (inverted) {
    const isInverted = (bits: number) => bits !== 0;
    const first = inverted.findIndex(isInverted);
    return first < 0 ? undefined : [first, inverted.findLastIndex(isInverted)];
  }
  const { weights } = patches;
  return weights.length === 0 ? undefined : [weights[0], weights[weights.length - 1]];
}
