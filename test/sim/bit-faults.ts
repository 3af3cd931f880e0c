import { fc } from '@fast-check/vitest';
import type { Network } from '../../models/index.js';
import { storedWords, type WeightPatches } from '../../sim/index.js';
import { ARCHITECTURES, int8GraphOf, xorshift } from '../../testing/index.js';

/** Weights, given as shares of all, with one bit inverted each. */
export function patchesOf(network: Network, shares: readonly number[], bit: number): WeightPatches {
  const words = storedWords(network);
  const weights = [...new Set(shares.map((share) => Math.floor(share * words.length)))].sort(
    (a, b) => a - b,
  );
  const mask = 2 ** (network.format === 'int8' ? bit % 8 : bit);
  return {
    weights: Uint32Array.from(weights),
    words: Uint32Array.from(weights, (weight) => (words[weight] ^ mask) >>> 0),
    effectiveFaults: weights.length,
  };
}

/** Small int8 networks of known architectures. */
export const architectures = fc
  .tuple(fc.constantFrom(...Object.keys(ARCHITECTURES)), fc.integer({ min: 1, max: 1000 }))
  .map(([name, seed]) => {
    const random = xorshift(seed);
    return int8GraphOf(ARCHITECTURES[name]({ channels: 3, height: 8, width: 8 }, random), random);
  });
