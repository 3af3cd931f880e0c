import { z } from 'zod';
import { InputError } from '../../core/index.js';
import { NOTHING } from '../price/price.js';
import { type MemoryMechanism, type PartPlace, PLACE, PLACE_FORMS } from './mechanism.js';
import type { PlacedWeights } from './stages.js';

/** Bits of each weight in cells that do not fail. */
export interface HardenPart extends PartPlace {
  readonly use: 'harden';
  /** Default: the two most significant of int8 words, the two highest of the exponent of float32 words. */
  readonly bits?: readonly number[] | undefined;
}

const DEFAULT_BITS = { 8: [7, 6], 32: [30, 29] } as const;

/**
 * Hardened cells (larger, or of more transistors) for some bits of every weight: they never fail.
 */
export const harden: MemoryMechanism<HardenPart> = {
  summary: 'some bits of every weight lie in cells that do not fail',
  group: 'cells',
  knowsMap: false,
  parameters: { bits: 'numbers', ...PLACE_FORMS },
  schema: z.strictObject({
    use: z.literal('harden'),
    bits: z
      .array(z.int().min(0).max(31))
      .min(1)
      .refine((bits) => new Set(bits).size === bits.length, 'expected each bit once')
      .optional()
      .describe('of each weight; default: the two most significant, or highest of the exponent'),
    ...PLACE,
  }),
  hardenedBits: (part, place) => bitsOf(part, place).reduce((mask, bit) => mask | (1 << bit), 0),
  price(part, place, { cellFactor }) {
    const { memory, weightBits } = place.placement;
    const bits = bitsOf(part, place);
    return {
      ...NOTHING,
      cells: cellFactor
        ? bits.map((bit) => ({
            hold: `hardened bit ${bit}`,
            perWord: (memory.wordBits / weightBits) * (cellFactor.value - 1),
          }))
        : { notGiven: [NO_FACTOR] },
      energy: { notGiven: ['no opened source gives the energy of reading a hardened cell'] },
    };
  },
};

const NO_FACTOR =
  'no opened source says how many cells a hardened cell counts as: a prices file can, as cellFactor';

/** @throws InputError when a weight has no such bit */
function bitsOf(
  { bits }: HardenPart,
  { network, placement: { weightBits } }: PlacedWeights,
): readonly number[] {
  const hardened = bits ?? DEFAULT_BITS[weightBits];
  const outside = hardened.find((bit) => bit >= weightBits);
  if (outside === undefined) return hardened;
  throw new InputError(
    `harden: ${network.name} has weights of ${weightBits} bits, 0 to ${weightBits - 1}, and no bit ${outside}`,
  );
}
