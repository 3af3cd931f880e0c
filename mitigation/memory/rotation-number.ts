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
 * The rotation of least cost among those whose number can be read where its own cells are faulty, of equal ones the
 * smallest. With numbers that are read as written, `chooseRotation` chooses the same.
 *
 * @param data the word to be stored: 32 bits an entry, least significant first
 * @param faults of the cells that it is stored in
 * @param readOf the number that is read where one was written: stuck cells are what they are, cells that flip invert.
 * So what is read of `readOf(rotation)` is the rotation, if it can be read at all
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
  const wrongBits = by === 'data' ? wronglyReadBits : faultyBitsOf;
  const wrong = laneScratch(data.length);
  let best = 0;
  let least = Infinity;
  for (let rotation = 0; rotation < weightBits; rotation++) {
    if (readOf(readOf(rotation)) !== rotation) continue;
    wrongBits(data, faults, rotation, bits, wrong);
    let cost = 0;
    for (let lane = 0; lane < wrong.length; lane++) cost += wrongBitsCost(wrong[lane], weightBits);
    if (cost >= least) continue;
    least = cost;
    best = rotation;
  }
  return best;
}

let scratch = new Uint32Array(0);

/** The same lanes again while words are as long: a word that is rotated takes less time than memory for it. */
function laneScratch(lanes: number): Uint32Array {
  if (scratch.length !== lanes) scratch = new Uint32Array(lanes);
  return scratch;
}

/** The data bits that are read differently. */
function wronglyReadBits(
  data: Uint32Array,
  faults: WordFaults,
  rotation: number,
  bits: number,
  wrong: Uint32Array,
): void {
  rotateBitsLeft(data, wrong, bits, rotation);
  for (let lane = 0; lane < wrong.length; lane++) wrong[lane] = readLane(faults, lane, wrong[lane]);
  rotateBitsRight(wrong, wrong, bits, rotation);
  for (let lane = 0; lane < wrong.length; lane++) wrong[lane] ^= data[lane];
}

/** The data bits that are read from a faulty cell. */
function faultyBitsOf(
  _data: Uint32Array,
  faults: WordFaults,
  rotation: number,
  bits: number,
  faulty: Uint32Array,
): void {
  for (let lane = 0; lane < faulty.length; lane++) faulty[lane] = faultyCells(faults, lane);
  rotateBitsRight(faulty, faulty, bits, rotation);
}
