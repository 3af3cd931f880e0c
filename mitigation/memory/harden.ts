import { z } from 'zod';
import { InputError } from '../../core/index.js';
import { type MemoryMechanism, type PartPlace, PLACE, PLACE_FORMS } from './mechanism.js';

/** Bits of each weight in cells that do not fail. */
export interface HardenPart extends PartPlace {
  readonly use: 'harden';
  /** Default: the two most significant of int8 words, the two highest of the exponent of float32 words. */
  readonly bits?: readonly number[] | undefined;
}

const DEFAULT_BITS = { 8: [7, 6], 32: [30, 29] } as const;

/**
 * Hardened cells (larger, or of more transistors) for some bits of every weight: they never fail. What such a cell costs
 * is no part of it.
 */
export const harden: MemoryMechanism<HardenPart> = {
  summary: 'some bits of every weight lie in cells that do not fail',
  group: 'cells',
  parameters: { bits: 'numbers', ...PLACE_FORMS },
  schema: z.strictObject({
    use: z.literal('harden'),
    bits: z
      .array(z.int().min(0).max(31))
      .min(1)
      .refine((bits) => new Set(bits).size === bits.length, 'expected each bit once')
      .optional(),
    ...PLACE,
  }),
  hardenedBits({ bits }, { network, placement: { weightBits } }) {
    const hardened = bits ?? DEFAULT_BITS[weightBits];
    const outside = hardened.find((bit) => bit >= weightBits);
    if (outside !== undefined) {
      throw new InputError(
        `harden: ${network.name} has weights of ${weightBits} bits, 0 to ${weightBits - 1}, and no bit ${outside}`,
      );
    }
    return hardened.reduce((mask, bit) => mask | (1 << bit), 0);
  },
};
