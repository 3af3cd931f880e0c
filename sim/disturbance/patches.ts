import { createScratch, InputError, type Scratch } from '../../core/index.js';
import { FAULT_KINDS, type FaultMap, requireGeometry } from '../../fault/index.js';
import type { Placement } from '../memory/placement.js';
import { findDataBits, NO_SLOT } from '../memory/weight-memory.js';
import {
  type InvertedBits,
  invertedBits,
  type RoomForWords,
  type StoredWords,
} from './dense-patches.js';
import { sortByKey } from './radix-sort.js';

/** Weights whose stored word differs from the fault-free one, ascending; numbered over the whole network. */
export interface WeightPatches {
  readonly weights: Uint32Array;
  /** The stored word as read: a byte (0…255) for int8, IEEE 754 bits for float32. */
  readonly words: Uint32Array;
  /** Faulty cells that change at least one weight. */
  readonly effectiveFaults: number;
  /** Of many: what is inverted of the words of all weights. The lists are then made when they are asked for. */
  readonly inverted?: StoredWords | undefined;
}

const FLIP = FAULT_KINDS.indexOf('flip');
const STUCK_AT_0 = FAULT_KINDS.indexOf('stuck-at-0');

/**
 * The weights that a fault map changes. Stuck-at faults force a bit of the stored word, flips invert it;
 * every weight that a faulty cell ever holds is struck, and faults of different cells in one
 * word combine. Faults in unused, check and spare cells change nothing.
 * @param words stored words of all weights
 * @param buffers memory for the patches, which are then valid until the next call with them; those of a map with bitmaps
 * until another map is drawn or applied in the memory of these, too
 * @throws InputError when the map's geometry or the words do not belong to the placement.
 */
export function applyFaultMap(
  map: FaultMap,
  placement: Placement,
  words: StoredWords,
  buffers = createPatchBuffers(),
): WeightPatches {
  requireMatch(map, placement, words);
  const dense = invertedBits(map, placement, words, buffers.bits);
  if (dense) return patchesOfBits(dense, words, buffers);
  const changes = createWordChanges(words, map.cells.length, buffers);
  const effectiveFaults = findChanges(map, placement, words, changes);
  return { ...changes.patches(), effectiveFaults };
}

/** The lists are made when they are asked for. */
function patchesOfBits(
  { inverted, effectiveFaults }: InvertedBits,
  words: StoredWords,
  buffers: PatchBuffers,
): WeightPatches {
  let lists: Pick<WeightPatches, 'weights' | 'words'> | undefined;
  const listed = () => {
    lists ??= listInverted(inverted, words, buffers);
    return lists;
  };
  const patches: WeightPatches = {
    get weights() {
      return listed().weights;
    },
    get words() {
      return listed().words;
    },
    effectiveFaults,
  };
  // Not enumerable: what is made of these patches with others ({ ...patches, weights, words }) does not have it.
  return Object.defineProperty(patches, 'inverted', { value: inverted });
}

/** @param inverted bytes up to a multiple of four follow, which are 0 */
function listInverted(
  inverted: StoredWords,
  words: StoredWords,
  buffers: PatchBuffers,
): Pick<WeightPatches, 'weights' | 'words'> {
  const { buffer, byteOffset, byteLength } = inverted;
  const groups = new Uint32Array(buffer, byteOffset, Math.ceil(byteLength / 4));
  let changed = 0;
  for (let weight = 0; weight < inverted.length; weight++) {
    changed += (inverted[weight] | -inverted[weight]) >>> 31;
  }
  const weights = buffers.weights(changed + 1);
  const patched = buffers.words(changed + 1);
  const count = collectPatches(words, inverted, groups, weights, patched);
  return { weights: weights.subarray(0, count), words: patched.subarray(0, count) };
}

/** Memory for patches that are made one after the other. */
export interface PatchBuffers {
  /** All zero between uses. */
  readonly mask: Scratch<Uint32Array>;
  readonly weights: Scratch<Uint32Array>;
  readonly words: Scratch<Uint32Array>;
  /** What is inverted of all words. */
  readonly bits: RoomForWords;
}

/** Empty buffers, which grow to what the largest patches need. */
export function createPatchBuffers(): PatchBuffers {
  const create = (length: number) => new Uint32Array(length);
  const bits = createScratch(create);
  return {
    mask: createScratch(create),
    weights: createScratch(create),
    words: createScratch(create),
    bits({ length, BYTES_PER_ELEMENT }) {
      const groups = bits(Math.ceil((length * BYTES_PER_ELEMENT) / 4));
      return BYTES_PER_ELEMENT === 1 ? new Uint8Array(groups.buffer, 0, length) : groups;
    },
  };
}

/** One fault to so many weights, or more, is worth a mask of all weights. */
const MASK_SPACING = 128;

/** Bits of stored words that are inverted. */
export interface WordChanges {
  /** Each bit of a weight once. */
  invert(weight: number, bits: number): void;
  patches(): Pick<WeightPatches, 'weights' | 'words'>;
}

/**
 * @param expected about how many calls of `invert` there will be
 * @param buffers memory for the patches, which are then valid until the next use of them
 */
export function createWordChanges(
  words: StoredWords,
  expected: number,
  buffers: PatchBuffers,
): WordChanges {
  return expected * MASK_SPACING >= words.length
    ? maskOfChanges(words, buffers)
    : listOfChanges(words);
}

/** Faults that are placed together. */
const FAULTS_TOGETHER = 4096;

/** @returns the number of faults that change a bit */
function findChanges(
  { cells, kinds }: FaultMap,
  { memory, weightBits, occupancy, weightAt }: Placement,
  words: StoredWords,
  changes: WordChanges,
): number {
  const slots = new Float64Array(Math.min(cells.length, FAULTS_TOGETHER));
  const bits = new Uint8Array(slots.length);
  let effectiveFaults = 0;
  for (let first = 0; first < cells.length; first += FAULTS_TOGETHER) {
    const end = Math.min(first + FAULTS_TOGETHER, cells.length);
    findDataBits(memory, weightBits, cells.subarray(first, end), slots, bits);
    for (let fault = first; fault < end; fault++) {
      const slot = slots[fault - first];
      if (slot === NO_SLOT) continue;
      const bit = bits[fault - first];
      const weights = occupancy(slot);
      let effective = 0;
      for (let occurrence = 0; occurrence < weights; occurrence++) {
        const weight = weightAt(slot, occurrence);
        if (!changesBit(kinds[fault], (words[weight] >>> bit) & 1)) continue;
        changes.invert(weight, 1 << bit);
        effective = 1;
      }
      effectiveFaults += effective;
    }
  }
  return effectiveFaults;
}

/** For many changes: a word of inverted bits for every weight. */
function maskOfChanges(words: StoredWords, buffers: PatchBuffers): WordChanges {
  // A group is four bytes, so that those without a change can be passed over together.
  const groupWords = 4 / words.BYTES_PER_ELEMENT;
  const groups = buffers.mask(Math.ceil(words.length / groupWords));
  const mask =
    groupWords === 1 ? groups : new Uint8Array(groups.buffer, groups.byteOffset, words.length);
  let changed = 0;
  return {
    invert(weight, bits) {
      mask[weight] ^= bits;
      changed += 1;
    },
    patches() {
      // One more than there can be, because what is no change is written, too, and then overwritten.
      const weights = buffers.weights(changed + 1);
      const patched = buffers.words(changed + 1);
      const count = collectPatches(words, mask, groups, weights, patched);
      groups.fill(0);
      return { weights: weights.subarray(0, count), words: patched.subarray(0, count) };
    },
  };
}

/** @returns how many weights have a bit in the mask */
function collectPatches(
  words: StoredWords,
  mask: StoredWords,
  groups: Uint32Array,
  weights: Uint32Array,
  patched: Uint32Array,
): number {
  const groupWords = 4 / words.BYTES_PER_ELEMENT;
  let count = 0;
  for (let group = 0; group < groups.length; group++) {
    if (groups[group] === 0) continue;
    const end = Math.min((group + 1) * groupWords, words.length);
    for (let weight = group * groupWords; weight < end; weight++) {
      const inverted = mask[weight];
      weights[count] = weight;
      patched[count] = words[weight] ^ inverted;
      // Without a branch, which no processor could predict: 1 for any but 0.
      count += (inverted | -inverted) >>> 31;
    }
  }
  return count;
}

/** For few changes: a list of them, sorted in the end. */
function listOfChanges(words: StoredWords): WordChanges {
  let weights: Uint32Array = new Uint32Array(1024);
  let inverted: Uint32Array = new Uint32Array(1024);
  let count = 0;
  return {
    invert(weight, bits) {
      if (count === weights.length) {
        weights = enlarged(weights, new Uint32Array(2 * count));
        inverted = enlarged(inverted, new Uint32Array(2 * count));
      }
      weights[count] = weight;
      inverted[count++] = bits;
    },
    patches() {
      const sorted = sortByKey(weights.subarray(0, count), inverted.subarray(0, count));
      return invertBits(sorted.keys, sorted.values, words);
    },
  };
}

function enlarged(values: Uint32Array, larger: Uint32Array): Uint32Array {
  larger.set(values);
  return larger;
}

/** Whether a fault of this kind (an index into FAULT_KINDS) changes a stored bit. */
export function changesBit(kind: number, stored: number): boolean {
  return kind === FLIP || (kind === STUCK_AT_0) === (stored === 1);
}

/**
 * Words with the listed bits inverted. A cell that changes a weight inverts its bit, and different cells of
 * a weight are different bits, so the inversions combine by exclusive or and never cancel.
 * @param weights ascending, a weight once for each of its inversions
 */
function invertBits(
  weights: Uint32Array,
  inverted: Uint32Array,
  words: StoredWords,
): { weights: Uint32Array; words: Uint32Array } {
  const patchedWeights = new Uint32Array(weights.length);
  const patchedWords = new Uint32Array(weights.length);
  let patches = 0;
  for (let change = 0; change < weights.length; ) {
    const weight = weights[change];
    let word = words[weight];
    for (; change < weights.length && weights[change] === weight; change++) {
      word ^= inverted[change];
    }
    patchedWeights[patches] = weight;
    patchedWords[patches++] = word;
  }
  return { weights: patchedWeights.slice(0, patches), words: patchedWords.slice(0, patches) };
}

/** @throws InputError when the map's geometry or the words do not belong to the placement. */
export function requireMatch(map: FaultMap, placement: Placement, words: StoredWords): void {
  requireGeometry(map, placement.geometry, 'The fault map');
  const bits = words.BYTES_PER_ELEMENT * 8;
  if (bits !== placement.weightBits || words.length !== placement.weights) {
    throw new InputError(
      `The placement is for ${placement.weights} weights of ${placement.weightBits} bits, but ${words.length} words of ${bits} bits were given.`,
    );
  }
}
