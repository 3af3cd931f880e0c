import { z } from 'zod';
import { codePrice } from './code-price.js';
import { type Float32Code, float32Code, float32WordCode } from './float32-code.js';
import { type MemoryMechanism, type PartPlace, PLACE, PLACE_FORMS } from './mechanism.js';
import { parityCode } from './parity.js';
import { wordLayout } from './word-layout.js';

/** Data bits of a chunk. */
export const CEP_CHUNKS = [3, 7, 15] as const;

export type CepChunk = (typeof CEP_CHUNKS)[number];

/**
 * CEP (arXiv:2605.07417; rules as in cep.rs and embedded_parity.rs of github.com/rezzubs/faultforge): a word is cut
 * into chunks of data bits from bit 31 downwards, and its lowest bits hold an even parity bit for each, the highest
 * for the highest chunk. A chunk with wrong parity is read as 0, and so are the parity bits.
 */
export function cepCode(chunk: CepChunk): Float32Code {
  const parityBits = 32 / (chunk + 1);
  const columns = Array.from({ length: 32 }, (_, bit) =>
    bit < parityBits ? 1 << bit : 1 << Math.floor((bit - parityBits) / chunk),
  );
  return float32Code(`cep-${chunk}`, parityBits, columns, (syndrome) => ({
    inverted: 0,
    kept: columns.reduce(
      (kept, column, bit) => (bit < parityBits || column & syndrome ? kept : kept | (1 << bit)),
      0,
    ),
  }));
}

/** Parity bits of chunks of a weight in the lowest bits of its mantissa. */
export interface CepPart extends PartPlace {
  readonly use: 'cep';
  /** Data bits of a chunk; default: 7. */
  readonly chunk?: CepChunk | undefined;
}

export const cep: MemoryMechanism<CepPart> = {
  summary:
    'float32: the lowest bits of a weight are parity bits of chunks, which are read as 0 where they are wrong',
  group: 'code',
  knowsMap: false,
  parameters: { chunk: 'number', ...PLACE_FORMS },
  defaults: { chunk: 7 },
  schema: z.strictObject({
    use: z.literal('cep'),
    chunk: z
      .union([z.literal(3), z.literal(7), z.literal(15)], { error: 'expected 3, 7 or 15' })
      .optional()
      .describe('data bits of a chunk; default: 7'),
    ...PLACE,
  }),
  code: ({ chunk = 7 }, placed) => float32WordCode('cep', cepCode(chunk), placed),
  price({ chunk = 7 }, placed) {
    float32WordCode('cep', cepCode(chunk), placed);
    const parityBits = { 3: 8, 7: 4, 15: 2 }[chunk];
    return codePrice(
      parityCode(chunk * parityBits, parityBits),
      wordLayout(placed.placement).weights,
    );
  },
};
