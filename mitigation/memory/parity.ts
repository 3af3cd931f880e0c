import { type LinearCode, linearCode } from './linear-code.js';

/**
 * Even parity bits, which detect an odd number of errors among the data bits of each and its own, and correct none.
 * Interleaved, data bit i belongs to parity bit i mod bits, so that neighbours have different ones; else to parity bit
 * ⌊i · bits / dataBits⌋, so that each has a block of neighbours.
 *
 * @param bits parity bits, at most 16 and at most one for each data bit
 */
export function parityCode(dataBits: number, bits = 1, interleaved = false): LinearCode {
  if (!Number.isInteger(bits) || bits < 1 || bits > dataBits) {
    throw new Error(
      `${bits} parity bits of ${dataBits} data bits: at least 1, at most one for each`,
    );
  }
  const columns = Array.from(
    { length: dataBits },
    (_, bit) => 1 << (interleaved ? bit % bits : Math.floor((bit * bits) / dataBits)),
  );
  const arrangement = interleaved ? 'parity-interleaved' : 'parity-blocks';
  return linearCode(bits === 1 ? 'parity' : arrangement, columns, bits, 0);
}
