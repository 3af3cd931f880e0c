import { featureCount } from '../../core/index.js';
import type { Float32Clip } from '../../kernels/index.js';
import { activationUnits, type LayerThresholds } from '../../mitigation/index.js';
import { isOnArray, layerIndex } from '../../models/index.js';
import type { RestartPoint } from '../../sim/index.js';
import type { LayerRunner } from './layer-runner.js';

/** Brings one batch of images from a point to the next behind a layer, under one set of thresholds after another. */
export interface LayerVariants {
  /** The next batch: images `first` … `first + size` − 1 of the values in front. */
  start(first: number, size: number): void;
  run(thresholds: LayerThresholds): void;
}

export interface LayerVariantsOptions {
  readonly runner: LayerRunner;
  readonly point: RestartPoint;
  readonly behind: RestartPoint;
  /** Values of all images at the point. */
  readonly values: Uint8Array | Float32Array;
}

/** Runs all layers up to the point behind for each set of thresholds. */
export function createPlainVariants({
  runner,
  point,
  behind,
  values,
}: LayerVariantsOptions): LayerVariants {
  let batch = { first: 0, size: 0 };
  return {
    start(first, size) {
      batch = { first, size };
    },
    run(thresholds) {
      const { first, size } = batch;
      runner.install(thresholds);
      runner.load(point, values, first, size);
      runner.run(point.layer, behind.layer, size);
    },
  };
}

/**
 * Runs a float32 layer once a batch, under the largest of the thresholds, and clips what it left there for the
 * others. That is the same to the bit: what the largest leaves of an accumulator is the accumulator itself, which the
 * ReLU keeps or makes 0, or 0; a smaller threshold makes 0 of it exactly where it would of the accumulator. (An int8
 * layer's stored outputs do not tell on which side of a threshold the accumulator was.)
 *
 * @param layer in which the sets differ, and nowhere else
 * @returns undefined where that does not hold: int8 words, an activation function with a largest output, or no set
 * with the largest threshold of every neuron
 */
export function createClippedVariants(
  options: LayerVariantsOptions,
  layer: string,
  sets: readonly LayerThresholds[],
): LayerVariants | undefined {
  const { runner, point, behind, values } = options;
  const { datapath } = runner;
  const { network } = datapath;
  const index = layerIndex(network, layer);
  const description = network.layers[index];
  if (network.format !== 'float32' || !isOnArray(description)) return undefined;
  if (description.upper !== undefined) return undefined;
  const clipOf = (thresholds: LayerThresholds) => {
    const unit = activationUnits('clip-tuned', network, thresholds).get(layer);
    if (unit?.format !== 'float32') throw new Error(`${layer} has no clip for float32 words`);
    return unit.clip;
  };
  const clips = new Map(sets.map((thresholds) => [thresholds, clipOf(thresholds)]));
  const largest = sets.find((candidate) =>
    sets.every((other) => isAtLeast(clips.get(candidate), clips.get(other))),
  );
  if (!largest) return undefined;
  const output = datapath.tensors[description.output] as Float32Array;
  const length = featureCount(network.tensors[description.output].shape);
  const kept = new Float32Array(output.length);
  let images = 0;

  return {
    start(first, size) {
      images = size;
      runner.install(largest);
      runner.load(point, values, first, size);
      runner.run(point.layer, index + 1, size);
      kept.set(output.subarray(0, size * length));
    },
    run(thresholds) {
      const clip = clips.get(thresholds);
      if (!clip) throw new Error('thresholds that were not announced');
      clipToZero(kept, output, images * length, clip.thresholds);
      runner.run(index + 1, behind.layer, images);
    },
  };
}

function isAtLeast(one: Float32Clip | undefined, other: Float32Clip | undefined): boolean {
  if (one?.thresholds.length !== other?.thresholds.length) return false;
  return (
    one?.thresholds.every((value, index) => value >= (other?.thresholds[index] ?? NaN)) ?? false
  );
}

function clipToZero(
  input: Float32Array,
  output: Float32Array,
  length: number,
  thresholds: Float32Array,
): void {
  const period = thresholds.length;
  for (let first = 0; first < length; first += period) {
    for (let index = 0; index < period; index += 1) {
      const value = input[first + index];
      output[first + index] = value <= thresholds[index] ? value : 0;
    }
  }
}
