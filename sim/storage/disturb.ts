import { requireMemory } from '../../core/index.js';
import type { SumGroup } from '../../kernels/index.js';
import { isOnArray, isWeighted, type Network } from '../../models/index.js';
import { disturbedSums } from '../disturbance/array/disturbed-sums.js';
import { registerPatches } from '../disturbance/array/register-patches.js';
import type { ArrayFaults } from '../disturbance/array-faults.js';
import type { Disturbance, ReadThrough } from '../disturbance/disturbance.js';
import {
  type Patches,
  type PatchesOfLayer,
  patchesOfLayer,
  readLayer,
} from '../disturbance/layer-patches.js';
import type { WeightPatches } from '../disturbance/patches.js';
import type { SystolicArray } from '../hardware/systolic-array.js';

/** What is broken at once, each part as it is read. */
export interface BrokenStorages {
  /** The weights as they are read of their memory. */
  readonly weights?: WeightPatches | undefined;
  /** By index into `network.tensors`. */
  readonly tensors?: ReadonlyMap<number, ReadThrough> | undefined;
  /** Of the registers of the array, and its accumulator memory. */
  readonly array?: ArrayFaults | undefined;
  /** Name of the only layer that the faults of the array strike; undefined: all. */
  readonly layer?: string | undefined;
}

/**
 * What broken storages make of a network on an array: weights are read of their memory, then pass the registers of the
 * array, where products and sums are made of them.
 *
 * @throws InputError when the array does not have such registers
 */
export function disturbanceOf(
  network: Network,
  array: SystolicArray,
  { weights, tensors, array: faults = {}, layer: only }: BrokenStorages,
): Disturbance {
  const read = tensors && tensors.size > 0 ? { tensors } : {};
  if (Object.keys(faults).length === 0) return { ...(weights && { weights }), ...read };
  const sums = new Map<number, readonly SumGroup[]>();
  const passed: PatchesOfLayer[] = [];
  const held: HeldWeights = { arrays: new Set(), bytes: 0 };
  let first = 0;
  for (const [index, layer] of (network.layers as readonly Network['layers'][number][]).entries()) {
    if (!isWeighted(layer)) continue;
    const own = patchesOfLayer(weights, first, layer.weights.length);
    first += layer.weights.length;
    if (!isOnArray(layer) || (only !== undefined && layer.name !== only)) {
      passed.push(own);
      continue;
    }
    const stored = readLayer(layer, own);
    const groups = collect(disturbedSums(stored, faults, array), held, layer.name);
    if (groups.length > 0) sums.set(index, groups);
    passed.push({ ...merged(own, registerPatches(stored, faults, array)), first: own.first });
  }
  const patches = joined(passed, weights?.effectiveFaults ?? 0);
  return {
    ...((weights || patches.weights.length > 0) && { weights: patches }),
    ...read,
    ...(sums.size > 0 && { sums }),
  };
}

/** Weights of parts that are kept: parts share them. */
interface HeldWeights {
  readonly arrays: Set<object>;
  bytes: number;
}

/** @throws InputError where the weights of the groups, for each what its registers make of them, are too many to keep */
function collect(groups: Iterable<SumGroup>, held: HeldWeights, layer: string): SumGroup[] {
  const all: SumGroup[] = [];
  for (const group of groups) {
    for (const { weights } of group.parts) {
      if (held.arrays.has(weights)) continue;
      held.arrays.add(weights);
      held.bytes += weights.byteLength;
    }
    requireMemory(held.bytes, `The weights that faulty registers change, up to layer ${layer}`);
    all.push(group);
  }
  return all;
}

/** Patches of both, those of the second where both have one. */
function merged(one: Patches, other: Patches): Patches {
  if (other.weights.length === 0) return one;
  if (one.weights.length === 0) return other;
  const most = one.weights.length + other.weights.length;
  const weights = new Uint32Array(most);
  const words = new Uint32Array(most);
  let [ofOne, ofOther, count] = [0, 0, 0];
  while (ofOne < one.weights.length || ofOther < other.weights.length) {
    const [weightOfOne, weightOfOther] = [
      one.weights[ofOne] ?? Infinity,
      other.weights[ofOther] ?? Infinity,
    ];
    const isOther = weightOfOther <= weightOfOne;
    weights[count] = isOther ? weightOfOther : weightOfOne;
    words[count++] = isOther ? other.words[ofOther] : one.words[ofOne];
    if (weightOfOne <= weightOfOther) ofOne++;
    if (isOther) ofOther++;
  }
  return { weights: weights.subarray(0, count), words: words.subarray(0, count) };
}

function joined(layers: readonly PatchesOfLayer[], effectiveFaults: number): WeightPatches {
  const count = layers.reduce((sum, { weights }) => sum + weights.length, 0);
  const weights = new Uint32Array(count);
  const words = new Uint32Array(count);
  let place = 0;
  for (const layer of layers) {
    for (const [index, weight] of layer.weights.entries()) {
      weights[place] = layer.first + weight;
      words[place++] = layer.words[index];
    }
  }
  return { weights, words, effectiveFaults };
}
