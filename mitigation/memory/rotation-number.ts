import type { WordFaults } from '../../sim/index.js';
import { type WeightBits, wrongBitsCost } from './bit-costs.js';
import { rotateBitsLeft, rotateBitsRight } from './rotate-lanes.js';
import { faultyCells, readLane } from './word-faults.js';

/**
 * What a rotation is chosen by: the costs of the data bits that lie in faulty cells (`position`: one number for
 * whatever is written), or of those that are then read wrongly (`data`: one for each written word).
 */
export type RotationRule = 'data' | 'position';

/**
 * The rotation of least cost where another number than the written one may be read, by which it is undone; of equal ones
 * the smallest. Where the number is read wrongly, every bit is one that another may be read for (`position`), or what
 * is read of the word counts (`data`). With numbers that are read as written, `chooseRotation` chooses the same.
 *
 * @param data the word to be stored: 32 bits an entry, least significant first
 * @param faults of the cells that it is stored in
 * @param readOf the number that is read where another was written
 * @param bits that are rotated, the lowest of the word; faults of others count nothing
 */
export function chooseReadableRotation(
  data: Uint32Array,
  faults: WordFaults,
  weightBits: WeightBits,
  by: RotationRule,
  readOf: (rotation: number) => number,
  bits = 32 * data.length,
): number {
  const wrongBits = by === 'data' ? wronglyReadBits : misplacedBits;
  let best = 0;
  let least = Infinity;
  for (let rotation = 0; rotation < weightBits; rotation++) {
    let cost = 0;
    for (const wrong of wrongBits(data, faults, rotation, readOf(rotation), bits)) {
      cost += wrongBitsCost(wrong, weightBits);
    }
    if (cost >= least) continue;
    least = cost;
    best = rotation;
  }
  return best;
}

/** The data bits that are read differently. */
function wronglyReadBits(
  data: Uint32Array,
  faults: WordFaults,
  written: number,
  read: number,
  bits: number,
): Uint32Array {
  const word = new Uint32Array(data.length);
  rotateBitsLeft(data, word, bits, written);
  for (let lane = 0; lane < word.length; lane++) word[lane] = readLane(faults, lane, word[lane]);
  rotateBitsRight(word, word, bits, read);
  return word.map((bits, lane) => bits ^ data[lane]);
}

/** The data bits that are read from a faulty cell, or from one that another bit was written into. */
function misplacedBits(
  data: Uint32Array,
  faults: WordFaults,
  written: number,
  read: number,
  bits: number,
): Uint32Array {
  if (written !== read) {
    const all = new Uint32Array(data.length).fill(0xffffffff);
    rotateBitsRight(all, all, bits, 0);
    return all;
  }
  const word = data.map((_, lane) => faultyCells(faults, lane));
  rotateBitsRight(word, word, bits, read);
  return word;
}
