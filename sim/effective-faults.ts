import { InputError } from '../core/index.js';
import { FAULT_KINDS, type FaultMap, requireGeometry } from '../fault/index.js';
import type { Placement, WeightPatches } from './interfaces.js';
import { bitNumberOfCell, NO_DATA_BIT } from './memory.js';
import { sortByKey } from './radix-sort.js';

/** Stored words of all weights of a network in network order: bytes for int8, IEEE 754 bits for float32. */
export type StoredWords = Uint8Array | Uint32Array;

const FLIP = FAULT_KINDS.indexOf('flip');
const STUCK_AT_0 = FAULT_KINDS.indexOf('stuck-at-0');

/**
 * The weights that a fault map changes. Stuck-at faults force a bit of the stored word, flips invert it;
 * every weight that a faulty cell ever holds is struck, and faults of different cells in one
 * word combine. Faults in unused, check and spare cells change nothing.
 * @param words stored words of all weights
 * @throws InputError when the map's geometry or the words do not belong to the placement.
 */
export function applyFaultMap(
  map: FaultMap,
  placement: Placement,
  words: StoredWords,
): WeightPatches {
  requireMatch(map, placement, words);
  const { memory, weightBits } = placement;
  const bitNumbers = new Float64Array(map.cells.length);
  let hits = 0;
  for (let fault = 0; fault < bitNumbers.length; fault++) {
    bitNumbers[fault] = bitNumberOfCell(memory, map.cells[fault]);
    if (bitNumbers[fault] === NO_DATA_BIT) continue;
    hits += placement.occupancy(Math.floor(bitNumbers[fault] / weightBits));
  }

  const changedWeights = new Uint32Array(hits);
  const changedBits = new Uint8Array(hits);
  let changes = 0;
  let effectiveFaults = 0;
  for (let fault = 0; fault < bitNumbers.length; fault++) {
    if (bitNumbers[fault] === NO_DATA_BIT) continue;
    const kind = map.kinds[fault];
    const slot = Math.floor(bitNumbers[fault] / weightBits);
    const bit = bitNumbers[fault] - slot * weightBits;
    const changesBefore = changes;
    const occupancy = placement.occupancy(slot);
    for (let occurrence = 0; occurrence < occupancy; occurrence++) {
      const weight = placement.weightAt(slot, occurrence);
      if (changesBit(kind, (words[weight] >>> bit) & 1)) {
        changedWeights[changes] = weight;
        changedBits[changes++] = bit;
      }
    }
    if (changes > changesBefore) effectiveFaults++;
  }

  const sorted = sortByKey(changedWeights.subarray(0, changes), changedBits.subarray(0, changes));
  return { ...invertBits(sorted.keys, sorted.values, words), effectiveFaults };
}

/** Whether a fault of this kind (an index into FAULT_KINDS) changes a stored bit. */
export function changesBit(kind: number, stored: number): boolean {
  return kind === FLIP || (kind === STUCK_AT_0) === (stored === 1);
}

/**
 * Words with the listed bits inverted. A cell that changes a weight inverts its bit, and different cells of
 * a weight are different bits, so the inversions combine by exclusive or and never cancel.
 * @param weights ascending, a weight once for each inverted bit
 */
function invertBits(
  weights: Uint32Array,
  bits: Uint8Array,
  words: StoredWords,
): { weights: Uint32Array; words: Uint32Array } {
  const patchedWeights = new Uint32Array(weights.length);
  const patchedWords = new Uint32Array(weights.length);
  let patches = 0;
  for (let change = 0; change < weights.length; ) {
    const weight = weights[change];
    let word = words[weight];
    for (; change < weights.length && weights[change] === weight; change++) {
      word ^= 1 << bits[change];
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
