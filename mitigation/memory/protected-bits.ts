import { z } from 'zod';
import { InputError } from '../../core/index.js';
import type { PlacedWeights } from './stages.js';

/** Bits of every weight that a part protects. */
export const PROTECTED_BITS = {
  bits: z
    .array(z.int().min(0).max(31))
    .min(1)
    .max(32)
    .refine((bits) => new Set(bits).size === bits.length, 'expected each bit once')
    .optional()
    .describe('default: 7 and 6 of int8 words, 30 and 29 of float32 words'),
};

/** The two most significant of int8 words, the two highest of the exponent of float32 words. */
const DEFAULT_BITS = { 8: [7, 6], 32: [30, 29] } as const;

/**
 * The bits of a weight that a part protects.
 *
 * @throws InputError when weights have no such bit
 */
export function protectedBits(
  { use, bits }: { readonly use: string; readonly bits?: readonly number[] | undefined },
  { network, placement: { weightBits } }: PlacedWeights,
): readonly number[] {
  const chosen = bits ?? DEFAULT_BITS[weightBits];
  const outside = chosen.find((bit) => bit >= weightBits);
  if (outside !== undefined) {
    throw new InputError(
      `${use}: ${network.name} has weights of ${weightBits} bits, 0 to ${weightBits - 1}, and no bit ${outside}`,
    );
  }
  return chosen;
}
