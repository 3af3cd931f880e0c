import { type WeightedLayer, weightBits, wordMask } from '../../models/index.js';
import type { ArrayWeights } from './array/window-weights.js';
import type { WeightPatches } from './patches.js';

/** Words of weights, ascending. */
export type Patches = Pick<WeightPatches, 'weights' | 'words'>;

/** Patches of one layer, weights numbered within it. */
export interface PatchesOfLayer extends Patches {
  /** Number of its first weight over the network. */
  readonly first: number;
}

const NO_WORDS = new Uint32Array(0);

/** Those of the layer whose weights are numbered from `first` on. */
export function patchesOfLayer(
  patches: Patches = { weights: NO_WORDS, words: NO_WORDS },
  first: number,
  count: number,
): PatchesOfLayer {
  const start = firstFrom(patches.weights, first);
  const end = firstFrom(patches.weights, first + count);
  const weights = patches.weights.slice(start, end).map((weight) => weight - first);
  return { first, weights, words: patches.words.subarray(start, end) };
}

/** The place of the first number that is not below a limit, among ascending ones. */
export function firstFrom(ascending: Uint32Array, limit: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle] < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A layer as the array reads it of the weight memory, with these patches. */
export function readLayer(layer: WeightedLayer, { weights, words }: Patches): ArrayWeights {
  const { shape } = layer;
  const mask = wordMask(layer);
  const patched = <Values extends Int8Array | Float32Array>(values: Values): Values => {
    if (weights.length === 0) return values;
    const copy = values.slice() as Values;
    const bits = weightBits(copy);
    for (const [place, weight] of weights.entries()) bits[weight] = words[place] ^ mask;
    return copy;
  };
  return 'zeroPoints' in layer
    ? {
        ...{ shape, weights: patched(layer.weights), wordMask: mask },
        weightZeroPoints: layer.zeroPoints,
      }
    : { shape, weights: patched(layer.weights) };
}
