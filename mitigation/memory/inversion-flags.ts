import type { WordFaults } from '../../sim/index.js';
import { float32BitsCost, type WeightBits, wrongBitsCost } from './bit-costs.js';
import { bitsOf } from './word-bits.js';

/** What has a flag of its own: each weight, or each memory word. */
export type InversionGroup = 'weight' | 'word';

/**
 * Inversion: a group of bits is stored inverted if the bits that are then read wrongly cost less (`bitCost`), by which
 * a stuck cell is given the value that it is stuck at. One inversion bit a word is what US patent 5,267,204, "Method and
 * circuitry for masking data in a memory device", has (read: its abstract), for one faulty cell.
 *
 * @param data the word to be stored: 32 bits an entry, least significant first
 * @param faults of the cells that it is stored in
 * @param flags is filled: bit g says whether group g is stored inverted, 32 groups an entry. It has an entry for
 * each 32 weights of the word, at least one
 */
export function chooseInversion(
  data: Uint32Array,
  faults: WordFaults,
  weightBits: WeightBits,
  group: InversionGroup,
  flags: Uint32Array,
): void {
  const { and, or, xor } = faults;
  for (let entry = 0; entry < flags.length; entry += 1) flags[entry] = 0;
  let plainCost = 0;
  let invertedCost = 0;
  for (let lane = 0; lane < data.length; lane += 1) {
    const kept = and[lane];
    const set = or[lane];
    const flipped = xor[lane];
    const stored = data[lane];
    const plain = ((stored & kept) | set) ^ flipped ^ stored;
    const inverted = ((~stored & kept) | set) ^ flipped ^ ~stored;
    if (group === 'word') {
      plainCost += wrongBitsCost(plain, weightBits);
      invertedCost += wrongBitsCost(inverted, weightBits);
    } else if (weightBits === 8) {
      flags[lane >>> 3] |= bytesBelow(inverted, plain) << ((lane & 7) * 4);
    } else {
      flags[lane >>> 5] |=
        isBelow(float32BitsCost(inverted), float32BitsCost(plain)) << (lane & 31);
    }
  }
  if (invertedCost < plainCost) flags[0] = 1;
}

// What follows has no branch: which of two costs is less is as good as random, and a wrong guess costs more than all of it.

/** 1 where the first of two numbers of 32 bits is below the other, else 0. */
function isBelow(a: number, b: number): number {
  return ((~a & b) | (~(a ^ b) & (a - b))) >>> 31;
}

const HIGHEST_OF_BYTES = 0x80808080 | 0;

/** `isBelow` of the four bytes of two numbers, as bits 0 to 3. */
function bytesBelow(a: number, b: number): number {
  // Byte by byte a − b; the highest bits keep what is borrowed within each.
  const differences =
    ((a | HIGHEST_OF_BYTES) - (b & ~HIGHEST_OF_BYTES)) ^ ((a ^ ~b) & HIGHEST_OF_BYTES);
  const below = ((~a & b) | (~(a ^ b) & differences)) & HIGHEST_OF_BYTES;
  return (Math.imul(below >>> 7, 0x01020408) >>> 24) & 0xf;
}

/**
 * The inversion of least cost among those whose flags can be read where their own cells are faulty: what a stuck flag
 * says, else what `chooseInversion` chooses.
 *
 * @param faults of the cells that the word and its flags are stored in
 * @param firstBit of the flags among the bits of `faults`
 * @param flags is filled: bit g says whether group g is stored inverted, 32 groups an entry. Its cells read it where what
 * they make of it is written: a stuck flag is what it is, one that flips is inverted
 */
export function chooseReadableInversion(
  data: Uint32Array,
  faults: WordFaults,
  weightBits: WeightBits,
  group: InversionGroup,
  firstBit: number,
  flags: Uint32Array,
): void {
  chooseInversion(data, faults, weightBits, group, flags);
  const lane = firstBit >>> 5;
  const shift = firstBit & 31;
  for (let entry = 0; entry < flags.length; entry++) {
    const kept = bitsOf(faults.and, lane + entry, shift);
    flags[entry] = (flags[entry] & kept) | bitsOf(faults.or, lane + entry, shift);
  }
}
