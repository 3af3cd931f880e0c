import { type Float32Code, float32Code } from './float32-code.js';

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
