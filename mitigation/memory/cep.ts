import type { Float32Code } from './float32-code.js';
import { byteChecksOf, laneChecks } from './linear-code.js';

/** Data bits of a chunk. */
export const CEP_CHUNKS = [3, 7, 15] as const;

export type CepChunk = (typeof CEP_CHUNKS)[number];

/**
 * CEP (arXiv:2605.07417; rules as in cep.rs and embedded_parity.rs of github.com/rezzubs/faultforge): a word is cut
 * into chunks of data bits from bit 31 downwards, and its lowest bits hold an even parity bit for each, the highest
 * for the highest chunk. A chunk with wrong parity is read as 0, and so are the parity bits.
 */
export function cep(chunk: CepChunk): Float32Code {
  const parityBits = 32 / (chunk + 1);
  const dataMask = -1 << parityBits;
  const byteChecks = byteChecksOf(
    Array.from({ length: 32 }, (_, bit) =>
      bit < parityBits ? 1 << bit : 1 << Math.floor((bit - parityBits) / chunk),
    ),
  );
  /** By syndrome: the data bits of the chunks with right parity. */
  const kept = Int32Array.from({ length: 2 ** parityBits }, (_, syndrome) => {
    let mask = dataMask;
    for (let parity = 0; parity < parityBits; parity++) {
      const bits = (2 ** chunk - 1) << (parityBits + parity * chunk);
      if ((syndrome >>> parity) & 1) mask &= ~bits;
    }
    return mask;
  });
  return {
    name: `cep-${chunk}`,
    write(word) {
      const data = word & dataMask;
      return (data | laneChecks(byteChecks, 0, data)) >>> 0;
    },
    read: (word) => (word & kept[laneChecks(byteChecks, 0, word)]) >>> 0,
  };
}
