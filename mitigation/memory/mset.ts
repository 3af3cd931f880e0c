import { z } from 'zod';
import { VOTING } from '../price/price.js';
import { type Float32Code, float32Code, float32WordCode } from './float32-code.js';
import { type MemoryMechanism, type PartPlace, PLACE, PLACE_FORMS } from './mechanism.js';

/** The highest bit of the exponent. */
const SOURCE = 30;

/** Columns of H: bits 1 and 0 each make a sum with bit 30. */
const COLUMNS = Array.from({ length: 32 }, (_, bit) => {
  if (bit === SOURCE) return 0b11;
  return bit < 2 ? 1 << bit : 0;
});

/**
 * MSET (arXiv:2605.07417; rule as in majority.rs of github.com/rezzubs/faultforge): bit 30 is copied to bits 1 and 0,
 * and is read as the majority of the three, so it is inverted where both copies differ from it. Bits 1 and 0 stay as
 * read.
 */
export const MSET: Float32Code = float32Code('mset', 2, COLUMNS, (syndrome) => ({
  inverted: syndrome === 0b11 ? 1 << SOURCE : 0,
  kept: -1,
}));

/** Copies of the highest bit of the exponent in the lowest of the mantissa. */
export interface MsetPart extends PartPlace {
  readonly use: 'mset';
}

export const mset: MemoryMechanism<MsetPart> = {
  summary: 'float32: bit 30 is copied to bits 1 and 0 of the weight, and read by majority',
  group: 'code',
  knowsMap: false,
  parameters: PLACE_FORMS,
  schema: z.strictObject({ use: z.literal('mset'), ...PLACE }),
  code: (_, placed) => float32WordCode('mset', MSET, placed),
  price(_, placed) {
    float32WordCode('mset', MSET, placed);
    return VOTING;
  },
};
