import { featureCount } from '../core/index.js';
import { inputsOf, isWeighted, type Network } from '../models/index.js';
import type { Datapath } from './datapath.js';
import { firstWeightOfLayers } from './datapath.js';
import type { WeightPatches } from './interfaces.js';

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

/** What a run of some images left behind, so that later runs need not compute what cannot have changed. */
export interface RecordedRun {
  readonly count: number;
  /** Ascending by layer; the first is the input of the network. */
  readonly points: readonly RecordedPoint[];
  /** count × classes. */
  readonly outputs: Float32Array;
}

export interface RecordedPoint extends RestartPoint {
  /** count × height × width × channels. */
  readonly values: Uint8Array | Float32Array;
}

/**
 * The restart points of a network that are worth recording, ascending: the last one before (or at) each
 * weighted layer. In a chain that is each weighted layer's input; inside a residual block there is none.
 */
export function restartPoints(network: Network): RestartPoint[] {
  const lastUse = lastUseOfTensors(network);
  const chosen = new Map<number, RestartPoint>();
  let live = new Set([network.input]);
  let latest: RestartPoint | undefined;
  for (const [layer, description] of network.layers.entries()) {
    if (live.size === 1) latest = { layer, tensor: [...live][0] };
    if (latest && isWeighted(description)) chosen.set(latest.layer, latest);
    live.add(description.output);
    live = new Set([...live].filter((tensor) => lastUse[tensor] > layer));
  }
  return [...chosen.values()];
}

/** Index of the last layer that takes each tensor; the network's output is taken after all layers. */
function lastUseOfTensors(network: Network): number[] {
  const lastUse = new Array<number>(network.tensors.length).fill(-1);
  for (const [layer, description] of network.layers.entries()) {
    for (const tensor of inputsOf(description)) lastUse[tensor] = layer;
  }
  lastUse[network.output] = network.layers.length;
  return lastUse;
}

/**
 * Run images on a datapath as it is (patches and activation units included) and keep the tensors of its
 * restart points.
 *
 * @param images as for `Datapath.run`
 * @param budget bytes that the kept tensors may take; the largest are left out until they fit, but the input stays
 */
export function recordRun(
  datapath: Datapath,
  images: Float32Array,
  count: number,
  budget: number,
): RecordedRun {
  const { network } = datapath;
  const points = pointsWithin(network, count, budget).map((point): RecordedPoint => {
    const length = count * featureCount(network.tensors[point.tensor].shape);
    const values = network.format === 'int8' ? new Uint8Array(length) : new Float32Array(length);
    return { ...point, values };
  });
  const kept = new Map(points.map(({ tensor, values }) => [tensor, values]));
  const outputs = datapath.run(images, count, {
    tensor(tensor, values, firstImage, size) {
      const length = featureCount(network.tensors[tensor].shape);
      kept.get(tensor)?.set(values.subarray(0, size * length), firstImage * length);
    },
  });
  return { count, points, outputs };
}

function pointsWithin(network: Network, count: number, budget: number): RestartPoint[] {
  const bytesOf = ({ tensor }: RestartPoint) =>
    count * featureCount(network.tensors[tensor].shape) * (network.format === 'int8' ? 1 : 4);
  const [input, ...others] = restartPoints(network);
  const bySize = others.toSorted((a, b) => bytesOf(a) - bytesOf(b));
  const kept = new Set([input]);
  let total = bytesOf(input);
  for (const point of bySize) {
    total += bytesOf(point);
    if (total > budget) break;
    kept.add(point);
  }
  return [input, ...others].filter((point) => kept.has(point));
}

/** Layers that differ from those of a recorded run, as indices into `network.layers`, both ends included. */
export interface LayerRange {
  readonly first: number;
  readonly last: number;
}

/**
 * Run the images of a recorded run again on a datapath that since then differs only within a range of layers:
 * what lies before the last restart point in front of the range is skipped, and an image whose values at a point
 * behind the range are those of the recorded run is done. The outputs (count × classes) are those of
 * `Datapath.run`, to the bit.
 */
export function runFrom(
  datapath: Datapath,
  recorded: RecordedRun,
  differing: LayerRange,
): Float32Array {
  const { classes, batch } = datapath;
  const outputs = recorded.outputs.slice();
  for (let first = 0; first < recorded.count; first += batch) {
    const images = Array.from(
      { length: Math.min(batch, recorded.count - first) },
      (_, index) => first + index,
    );
    const changed = runBatchFrom(datapath, recorded, differing, images);
    const results = new Float32Array(changed.length * classes);
    datapath.readOutputs(results, changed.length);
    for (const [index, image] of changed.entries()) {
      outputs.set(results.subarray(index * classes, (index + 1) * classes), image * classes);
    }
  }
  return outputs;
}

/** Returns the images that may differ in the end; their values are the first of the output tensor. */
function runBatchFrom(
  datapath: Datapath,
  { points }: RecordedRun,
  { first, last }: LayerRange,
  images: readonly number[],
): readonly number[] {
  const { network } = datapath;
  const start = points.findLast(({ layer }) => layer <= first) ?? points[0];
  restore(datapath, start, images);
  const compared = new Map(
    points.filter(({ layer }) => layer > last).map((point) => [point.layer, point]),
  );
  let active = images;
  for (let layer = start.layer; layer < network.layers.length; layer += 1) {
    const point = compared.get(layer);
    if (point) active = keepChanged(datapath, point, active);
    if (active.length === 0) return active;
    datapath.runLayer(layer, active.length);
  }
  return active;
}

function restore(
  { tensors, network }: Datapath,
  { tensor, values }: RecordedPoint,
  images: readonly number[],
): void {
  const length = featureCount(network.tensors[tensor].shape);
  for (const [index, image] of images.entries()) {
    tensors[tensor].set(values.subarray(image * length, (image + 1) * length), index * length);
  }
}

/** Moves the images that differ from the recorded run to the front of the tensor, and returns them. */
function keepChanged(
  { tensors, network }: Datapath,
  { tensor, values }: RecordedPoint,
  images: readonly number[],
): readonly number[] {
  const buffer = tensors[tensor];
  const length = featureCount(network.tensors[tensor].shape);
  const changed: number[] = [];
  for (const [index, image] of images.entries()) {
    const now = buffer.subarray(index * length, (index + 1) * length);
    if (sameBytes(now, values.subarray(image * length, (image + 1) * length))) continue;
    if (changed.length < index)
      buffer.copyWithin(changed.length * length, index * length, (index + 1) * length);
    changed.push(image);
  }
  return changed;
}

function sameBytes(one: Uint8Array | Float32Array, other: Uint8Array | Float32Array): boolean {
  const bytesOf = (values: Uint8Array | Float32Array) =>
    Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return bytesOf(one).equals(bytesOf(other));
}

/** The layers whose weights patches change; undefined when there are no patches, so that nothing can differ. */
export function patchedLayers(network: Network, patches: WeightPatches): LayerRange | undefined {
  const { weights } = patches;
  if (weights.length === 0) return undefined;
  const starts = firstWeightOfLayers(network);
  const weighted = [...network.layers.keys()].filter((layer) => isWeighted(network.layers[layer]));
  const layerOf = (weight: number) => weighted[starts.findLastIndex((start) => start <= weight)];
  return { first: layerOf(weights[0]), last: layerOf(weights[weights.length - 1]) };
}
