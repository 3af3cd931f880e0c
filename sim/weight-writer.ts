import { createScratch } from '../core/index.js';
import type { WeightValues } from '../kernels/index.js';
import { type Network, weightedLayers } from '../models/index.js';
import type { WeightPatches } from './interfaces.js';
import { firstWeightOfLayers } from './weight-position.js';

type Patches = Pick<WeightPatches, 'weights' | 'words'>;

/** Weights that a kernel gets together. */
const WEIGHTS_PER_CALL = 4096;

/** Above every number of a weight. */
const NO_WEIGHT = Number.POSITIVE_INFINITY;

/** Of a kernel what writing needs: weights by their index in the layer, ascending. */
export interface WritableWeights {
  setWeights(indices: Uint32Array, values: WeightValues): void;
}

const NO_PATCHES: Patches = { weights: new Uint32Array(0), words: new Uint32Array(0) };

/**
 * A function that puts patches in place of the last ones, or takes them out, in one pass over both: a weight is written
 * once at most, and not at all if it stays. The patches are copied.
 *
 * @param kernels one for each weighted layer, with its weights as stored
 */
export function createWeightWriter(
  network: Network,
  kernels: readonly WritableWeights[],
): (patches: Patches | undefined) => void {
  const layers = weightedLayers(network);
  const firstWeights = firstWeightOfLayers(network);
  const indices = new Uint32Array(WEIGHTS_PER_CALL);
  const { values, words } = createValues(network);
  const copyWeights = createCopy();
  const copyWords = createCopy();
  let before = NO_PATCHES;

  return (patches) => {
    const next = patches ?? NO_PATCHES;
    let ofBefore = 0;
    let ofNext = 0;
    for (const [layer, { weights }] of layers.entries()) {
      const first = firstWeights[layer];
      const end = firstWeights[layer + 1];
      let count = 0;
      for (;;) {
        const undone = ofBefore < before.weights.length ? before.weights[ofBefore] : NO_WEIGHT;
        const done = ofNext < next.weights.length ? next.weights[ofNext] : NO_WEIGHT;
        const weight = undone < done ? undone : done;
        if (weight >= end || count === WEIGHTS_PER_CALL) {
          if (count > 0)
            kernels[layer].setWeights(indices.subarray(0, count), values.subarray(0, count));
          count = 0;
          if (weight >= end) break;
        }
        const stays = undone === done && before.words[ofBefore] === next.words[ofNext];
        if (!stays) {
          indices[count] = weight - first;
          if (done === weight) words[count] = next.words[ofNext];
          else values[count] = weights[weight - first];
          count += 1;
        }
        if (undone === weight) ofBefore += 1;
        if (done === weight) ofNext += 1;
      }
    }
    before = { weights: copyWeights(next.weights), words: copyWords(next.words) };
  };
}

/** A function that copies an array to the same memory each time. */
function createCopy(): (values: Uint32Array) => Uint32Array {
  const scratch = createScratch((length) => new Uint32Array(length));
  return (values) => {
    const copy = scratch(values.length);
    copy.set(values);
    return copy;
  };
}

/** Room for values of weights, and the same bytes as stored words. */
function createValues({ format }: Network): {
  readonly values: WeightValues;
  readonly words: Uint8Array | Uint32Array;
} {
  if (format === 'int8') {
    const values = new Int8Array(WEIGHTS_PER_CALL);
    return { values, words: new Uint8Array(values.buffer) };
  }
  const values = new Float32Array(WEIGHTS_PER_CALL);
  return { values, words: new Uint32Array(values.buffer) };
}
