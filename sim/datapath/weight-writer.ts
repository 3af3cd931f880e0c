import { createScratch } from '../../core/index.js';
import type { WeightValues } from '../../kernels/index.js';
import { type Network, weightBits, weightedLayers, wordMask } from '../../models/index.js';
import type { WeightPatches } from '../disturbance/patches.js';
import { firstWeightOfLayers } from '../memory/weight-position.js';

type Patches = Pick<WeightPatches, 'weights' | 'words' | 'inverted'>;

/** Weights that a kernel gets together. */
const WEIGHTS_PER_CALL = 4096;

/** Where more than one patch to so many weights comes or goes, comparing all weights takes less time than merging. */
const DENSE_SPACING = 4;

/** Above every index of a weight in its layer. */
const NO_WEIGHT = 0x7fffffff;

/** Of a kernel what writing needs: weights by their index in the layer, ascending. */
export interface WritableWeights {
  setWeights(indices: Uint32Array, values: WeightValues): void;
  /** A byte for each weight; undefined: the weights are float32 words. */
  readonly invertBits: ((bits: Uint8Array) => void) | undefined;
}

const NO_PATCHES: Patches = { weights: new Uint32Array(0), words: new Uint32Array(0) };

/**
 * A function that puts patches in place of the last ones, or takes them out, in one pass over both: a weight is written
 * once at most, and not at all if it stays. The patches are copied. Where either of both are inverted bits of int8
 * weights, kernels get what differs as inverted bits.
 *
 * @param kernels one for each weighted layer, with its weights as stored
 */
export function createWeightWriter(
  network: Network,
  kernels: readonly WritableWeights[],
): (patches: Patches | undefined) => void {
  const layers = weightedLayers(network).map((layer) => ({
    stored: weightBits(layer.weights),
    mask: wordMask(layer),
  }));
  const firstWeights = firstWeightOfLayers(network);
  const values =
    network.format === 'int8'
      ? new Int8Array(WEIGHTS_PER_CALL)
      : new Float32Array(WEIGHTS_PER_CALL);
  const changes: Changes = {
    indices: new Uint32Array(WEIGHTS_PER_CALL),
    words: weightBits(values),
  };
  const bitWriter =
    network.format === 'int8' ? createBitWriter(kernels, layers, firstWeights) : undefined;
  const both = [0, 1].map(() => weightBits(values.slice()));
  const copyWeights = createCopy();
  const copyWords = createCopy();
  let installed = NO_PATCHES;

  return (patches) => {
    if (bitWriter && (patches?.inverted || bitWriter.hasBits)) {
      bitWriter.write(installed, patches);
      installed = NO_PATCHES;
      return;
    }
    const next: Cursor = { ...(patches ?? NO_PATCHES), place: 0, end: 0 };
    const before: Cursor = { ...installed, place: 0, end: 0 };
    for (const [layer, { stored, mask }] of layers.entries()) {
      before.end = firstFrom(firstWeights[layer + 1], before.weights);
      next.end = firstFrom(firstWeights[layer + 1], next.weights);
      const patched = before.end - before.place + next.end - next.place;
      const isDense = patched * DENSE_SPACING > stored.length;
      for (let from = 0; isDense && from < stored.length; from += WEIGHTS_PER_CALL) {
        const part = stored.subarray(from, from + WEIGHTS_PER_CALL);
        const count = comparePatches(
          before,
          next,
          firstWeights[layer],
          from,
          part,
          mask,
          both,
          changes,
        );
        if (count === 0) continue;
        kernels[layer].setWeights(changes.indices.subarray(0, count), values.subarray(0, count));
      }
      while (before.place < before.end || next.place < next.end) {
        const count = mergePatches(before, next, firstWeights[layer], stored, mask, changes);
        if (count === 0) continue;
        kernels[layer].setWeights(changes.indices.subarray(0, count), values.subarray(0, count));
      }
    }
    installed = { weights: copyWeights(next.weights), words: copyWords(next.words) };
  };
}

/** What the weights of a layer are stored as. */
interface StoredLayer {
  readonly stored: Uint8Array | Uint32Array;
  readonly mask: number;
}

/** Writes patches where inverted bits come or go. */
interface BitWriter {
  /** Whether it has written what is in the kernels now. */
  readonly hasBits: boolean;
  /** @param listed patches in the kernels that it has not written */
  write(listed: Patches, next: Patches | undefined): void;
}

function createBitWriter(
  kernels: readonly WritableWeights[],
  layers: readonly StoredLayer[],
  firstWeights: Float64Array,
): BitWriter {
  const count = firstWeights[layers.length];
  const scratch = createScratch((length) => new Uint8Array(length));
  /** Bits that are inverted in the kernels. */
  let installed: Uint8Array | undefined;

  function invertKernels(bits: Uint8Array): void {
    for (const [layer, kernel] of kernels.entries()) {
      if (!kernel.invertBits) throw new Error('weights of an int8 network without int8 words');
      kernel.invertBits(bits.subarray(firstWeights[layer], firstWeights[layer + 1]));
    }
  }

  /** Invert of `bits` what listed patches invert of the words. */
  function invertListed(bits: Uint8Array, { weights, words }: Patches): void {
    let layer = 0;
    for (let place = 0; place < weights.length; place++) {
      const weight = weights[place];
      while (weight >= firstWeights[layer + 1]) layer++;
      const { stored, mask } = layers[layer];
      bits[weight] ^= words[place] ^ mask ^ stored[weight - firstWeights[layer]];
    }
  }

  function bitsOf(patches: Patches): Uint8Array {
    const bits = scratch(count);
    if (patches.inverted) bits.set(patches.inverted);
    else invertListed(bits.fill(0), patches);
    return bits;
  }

  return {
    get hasBits() {
      return installed !== undefined;
    },
    write(listed, next) {
      if (!installed && listed.weights.length === 0 && next) {
        installed = bitsOf(next);
        invertKernels(installed);
        return;
      }
      installed ??= bitsOf(listed);
      if (next?.inverted) exclusiveOr(installed, next.inverted);
      else if (next) invertListed(installed, next);
      invertKernels(installed);
      installed = next && bitsOf(next);
    },
  };
}

/** Exclusive or of bytes that start at multiples of four bytes. */
function exclusiveOr(bits: Uint8Array, other: Uint8Array | Uint32Array): void {
  const whole = Math.floor(bits.length / 4);
  const words = new Uint32Array(bits.buffer, bits.byteOffset, whole);
  const otherWords = new Uint32Array(other.buffer, other.byteOffset, whole);
  for (let place = 0; place < whole; place++) words[place] ^= otherWords[place];
  for (let place = whole * 4; place < bits.length; place++) bits[place] ^= other[place];
}

/** Patches of which those from `place` to before `end` are still to be merged, all of one layer. */
interface Cursor extends Patches {
  place: number;
  end: number;
}

/** Weights of a layer, and the bits that they get. */
interface Changes {
  readonly indices: Uint32Array;
  readonly words: Uint8Array | Uint32Array;
}

/**
 * Merge patches until none or no room for changes is left. Written without branches that depend on the patches: no
 * processor could predict them.
 *
 * @param stored bits of the layer's weights
 * @param mask what exclusive or makes of a word the bits of its weight
 * @returns the number of changes
 */
function mergePatches(
  before: Cursor,
  next: Cursor,
  first: number,
  stored: Uint8Array | Uint32Array,
  mask: number,
  { indices, words }: Changes,
): number {
  const { weights: beforeWeights, words: beforeWords, end: endOfBefore } = before;
  const { weights: nextWeights, words: nextWords, end: endOfNext } = next;
  let ofBefore = before.place;
  let ofNext = next.place;
  let count = 0;
  while (count < indices.length && (ofBefore < endOfBefore || ofNext < endOfNext)) {
    const undone = ofBefore < endOfBefore ? beforeWeights[ofBefore] - first : NO_WEIGHT;
    const done = ofNext < endOfNext ? nextWeights[ofNext] - first : NO_WEIGHT;
    // Differences of indices of one layer fit into an int32: 1 if they are not positive, else 0.
    const takesBefore = (undone - done - 1) >>> 31;
    const takesNext = (done - undone - 1) >>> 31;
    const weight = done + ((undone - done) & -takesBefore);
    const word = ofNext < endOfNext ? nextWords[ofNext] : 0;
    const earlier = ofBefore < endOfBefore ? beforeWords[ofBefore] : 0;
    const difference = word ^ earlier;
    const differs = (difference | -difference) >>> 31;
    indices[count] = weight;
    words[count] = stored[weight] ^ ((stored[weight] ^ word ^ mask) & -takesNext);
    count += 1 - (takesBefore & takesNext & (1 - differs));
    ofBefore += takesBefore;
    ofNext += takesNext;
  }
  before.place = ofBefore;
  next.place = ofNext;
  return count;
}

/**
 * The changes of some weights that follow one another, from what they were and what they become.
 *
 * @param first number of the layer's first weight
 * @param from index in the layer of the first of `stored`
 * @param stored bits of these weights
 * @param both room for what they were, and for what they become
 * @returns the number of changes
 */
function comparePatches(
  before: Cursor,
  next: Cursor,
  first: number,
  from: number,
  stored: Uint8Array | Uint32Array,
  mask: number,
  [earlier, later]: readonly (Uint8Array | Uint32Array)[],
  { indices, words }: Changes,
): number {
  earlier.set(stored);
  later.set(stored);
  putPatches(before, first + from, stored.length, mask, earlier);
  putPatches(next, first + from, stored.length, mask, later);
  let count = 0;
  for (let place = 0; place < stored.length; place++) {
    const difference = earlier[place] ^ later[place];
    indices[count] = from + place;
    words[count] = later[place];
    // Without a branch, as above.
    count += (difference | -difference) >>> 31;
  }
  return count;
}

/** Put those patches into weights that belong to them. */
function putPatches(
  cursor: Cursor,
  first: number,
  count: number,
  mask: number,
  to: Uint8Array | Uint32Array,
): void {
  const { weights, words, end } = cursor;
  const afterLast = first + count;
  let { place } = cursor;
  for (; place < end && weights[place] < afterLast; place++) {
    to[weights[place] - first] = words[place] ^ mask;
  }
  cursor.place = place;
}

/** The place of the first of ascending weights that is not below a number; their number if there is none. */
function firstFrom(number: number, weights: Uint32Array): number {
  let low = 0;
  let high = weights.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (weights[middle] < number) low = middle + 1;
    else high = middle;
  }
  return low;
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
