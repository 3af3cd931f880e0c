import { z } from 'zod';
import { NOTHING } from '../price/price.js';
import { type MemoryMechanism, type PartPlace, PLACE, PLACE_FORMS } from './mechanism.js';
import { NO_FACTOR, NO_HARDENED_ENERGY } from './metadata.js';
import { PROTECTED_BITS, protectedBits } from './protected-bits.js';
import { wordLayout } from './word-layout.js';

/** Bits of each weight in cells that do not fail. */
export interface HardenPart extends PartPlace {
  readonly use: 'harden';
  /** Default: the two most significant of int8 words, the two highest of the exponent of float32 words. */
  readonly bits?: readonly number[] | undefined;
}

/**
 * Hardened cells (larger, or of more transistors) for some bits of every weight: they never fail.
 */
export const harden: MemoryMechanism<HardenPart> = {
  summary: 'some bits of every weight lie in cells that do not fail',
  group: 'cells',
  knowsMap: false,
  parameters: { bits: 'numbers', ...PLACE_FORMS },
  schema: z.strictObject({ use: z.literal('harden'), ...PROTECTED_BITS, ...PLACE }),
  hardenedBits: (part, placed) =>
    protectedBits(part, placed).reduce((mask, bit) => mask | (1 << bit), 0),
  price(part, place, { cellFactor }) {
    const { weights } = wordLayout(place.placement);
    const bits = protectedBits(part, place);
    return {
      ...NOTHING,
      cells: cellFactor
        ? bits.map((bit) => ({
            hold: `hardened bit ${bit}`,
            perWord: weights * (cellFactor.value - 1),
          }))
        : { notGiven: [NO_FACTOR] },
      energy: { notGiven: [NO_HARDENED_ENERGY] },
    };
  },
};
