import { z } from 'zod';
import { VOTING } from '../price/price.js';
import { type MemoryMechanism, type PartPlace, PLACE, PLACE_FORMS } from './mechanism.js';
import {
  METADATA,
  METADATA_DEFAULTS,
  METADATA_FORMS,
  type PartMetadata,
  withMetadata,
} from './metadata.js';
import { PROTECTED_BITS, protectedBits } from './protected-bits.js';
import type { CellCopies, PlacedWeights } from './stages.js';
import { faultyBits, readBits } from './word-bits.js';
import { wordLayout } from './word-layout.js';

/**
 * Triple modular redundancy of single bits of a weight: a protected bit has two more cells, and what two of the three
 * say is read. Weights and copies are unsigned integers.
 */
export interface TmrCode {
  /** The protected bits of a weight. */
  readonly bits: readonly number[];
  /** Cells that a weight has beside its own: the copies of `bits[j]` are copies 2j and 2j + 1. */
  readonly copyBits: number;
  /** A 1 for each of `bits`. */
  readonly mask: number;
  /** The bits of a weight that first copies (2j) stand for: those in byte i of the copies, of value v, at 256 · i + v. */
  readonly byteBits: Int32Array;
}

/**
 * @param bits of a weight, each once
 * @throws {Error} unless all are from 0 to 31, and different
 */
export function tmrCode(bits: readonly number[]): TmrCode {
  const isRight = bits.every((bit) => Number.isInteger(bit) && bit >= 0 && bit < 32);
  if (!isRight || new Set(bits).size !== bits.length) {
    throw new Error(`tmr of bits ${bits.join(', ')}: each from 0 to 31, and once`);
  }
  const copyBits = 2 * bits.length;
  const byteBits = new Int32Array(Math.ceil(copyBits / 8) * 256);
  for (let entry = 0; entry < byteBits.length; entry++) {
    for (const [place, bit] of bits.slice((entry >>> 8) * 4, (entry >>> 8) * 4 + 4).entries()) {
      if ((entry >>> (2 * place)) & 1) byteBits[entry] |= 1 << bit;
    }
  }
  const mask = bits.reduce((ones, bit) => ones | (1 << bit), 0);
  return { bits, copyBits, mask, byteBits };
}

/**
 * Copies of the bits of a weight.
 * @param half 0 for copies 0 … 31, 1 for copies 32 … 63
 */
export function encodeTmr({ bits }: TmrCode, weight: number, half: 0 | 1): number {
  let copies = 0;
  const last = Math.min(bits.length, 16 * half + 16);
  for (let j = 16 * half; j < last; j++) {
    copies |= (((weight >>> bits[j]) & 1) * 0b11) << (2 * (j & 15));
  }
  return copies >>> 0;
}

/**
 * The weight by majority.
 * @param low copies 0 … 31, as read
 * @param high copies 32 … 63
 */
export function decodeTmr(code: TmrCode, weight: number, low: number, high = 0): number {
  const both = weightBitsOf(code, low & (low >>> 1), high & (high >>> 1));
  const any = weightBitsOf(code, low | (low >>> 1), high | (high >>> 1));
  return ((weight & ~code.mask) | both | (weight & any)) >>> 0;
}

/** The bits of a weight that stand at the places of first copies. */
function weightBitsOf({ byteBits }: TmrCode, low: number, high: number): number {
  let weight = 0;
  let rest = low;
  for (let first = 0; first < byteBits.length; first += 256) {
    if (first === 4 * 256) rest = high;
    weight |= byteBits[first + (rest & 255)];
    rest >>>= 8;
  }
  return weight;
}

/** Two more cells for some bits of each weight. */
export interface TmrPart extends PartPlace, PartMetadata {
  readonly use: 'tmr';
  /** Default: the two most significant of int8 words, the two highest of the exponent of float32 words. */
  readonly bits?: readonly number[] | undefined;
}

/**
 * Triple modular redundancy: what is stored in the cell of a protected bit is stored in two more, beside the check bits
 * of a code, and is read by majority. The vote of two out of three is that of R. E. Lyons, W. Vanderkulk, "The Use of
 * Triple-Modular Redundancy to Improve Computer Reliability" (read: its abstract), there for logic; which bits have
 * copies, and where these lie, is a choice made here.
 */
export const tmr: MemoryMechanism<TmrPart> = {
  summary: 'some bits of every weight have two more cells, and are read by majority',
  group: 'cells',
  knowsMap: false,
  parameters: { bits: 'numbers', ...METADATA_FORMS, ...PLACE_FORMS },
  defaults: METADATA_DEFAULTS,
  schema: z.strictObject({ use: z.literal('tmr'), ...PROTECTED_BITS, ...METADATA, ...PLACE }),
  copies: (part, placed) => tmrCopies(tmrCode(protectedBits(part, placed)), placed),
  price(part, placed, figures) {
    const perWord = 2 * wordLayout(placed.placement).weights;
    const cells = protectedBits(part, placed).map((bit) => ({
      hold: `copies of bit ${bit}`,
      perWord,
    }));
    return withMetadata(part, { ...VOTING, cells }, figures);
  },
};

/** Copies of weight i of a memory word are its copies i · copyBits and following. */
function tmrCopies(code: TmrCode, { placement }: PlacedWeights): CellCopies {
  const { weightBits } = placement;
  const { copyBits, mask } = code;
  const { weights, weightsPerLane, weightMask, masks } = wordLayout(placement);
  const inLane = weightBits === 8 ? Math.imul(mask, 0x01010101) : mask;
  const laneMasks = masks.map((used) => used & inLane);
  const lowBits = Math.min(32, copyBits);
  return {
    checkBits: weights * copyBits,
    vote(written, read, faults, firstBit) {
      const areSound = firstBit === undefined || !faultyBits(faults, firstBit, weights * copyBits);
      if (areSound) {
        for (let lane = 0; lane < written.length; lane++) {
          const copied = laneMasks[lane];
          read[lane] = withBits(read[lane], written[lane], copied);
        }
        return;
      }
      for (let weight = 0; weight < weights; weight++) {
        const lane = Math.floor(weight / weightsPerLane);
        const shift = (weight % weightsPerLane) * weightBits;
        const word = (written[lane] >>> shift) & weightMask;
        const first = firstBit + weight * copyBits;
        if (!faultyBits(faults, first, copyBits)) {
          read[lane] = withBits(read[lane], written[lane], mask << shift);
          continue;
        }
        const low = readBits(faults, first, lowBits, encodeTmr(code, word, 0));
        const high =
          copyBits > 32 ? readBits(faults, first + 32, copyBits - 32, encodeTmr(code, word, 1)) : 0;
        const voted = decodeTmr(code, (read[lane] >>> shift) & weightMask, low, high);
        read[lane] = withBits(read[lane], voted << shift, weightMask << shift);
      }
    },
  };
}

/** A word with some of its bits those of another. */
function withBits(word: number, other: number, bits: number): number {
  return (word & ~bits) | (other & bits);
}
