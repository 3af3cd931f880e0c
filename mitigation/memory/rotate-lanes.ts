import { bitsOf, lowestBits } from './word-bits.js';

/**
 * A word of `lanes` × 32 bits rotated left by 0 ≤ r < 32 bits, as it is stored.
 * @param to may be `from`
 */
export function rotateLeft(from: Uint32Array, to: Uint32Array, lanes: number, r: number): void {
  let below = from[lanes - 1];
  for (let lane = 0; lane < lanes; lane += 1) {
    const here = from[lane];
    to[lane] = (here << r) | ((below >>> 1) >>> (31 - r));
    below = here;
  }
}

/**
 * A word of `lanes` × 32 bits rotated right by 0 ≤ r < 32 bits, as it is delivered: the inverse of `rotateLeft`.
 * @param to may be `from`
 */
export function rotateRight(from: Uint32Array, to: Uint32Array, lanes: number, r: number): void {
  let above = from[0];
  for (let lane = lanes - 1; lane >= 0; lane -= 1) {
    const here = from[lane];
    to[lane] = (here >>> r) | ((above << 1) << (31 - r));
    above = here;
  }
}

/**
 * `rotateLeft` of the lowest `bits` of a word, which may end within a lane; those above become 0.
 * @param to as many lanes as `from`; may be `from`
 * @param r below 32, and at most `bits`
 */
export function rotateBitsLeft(from: Uint32Array, to: Uint32Array, bits: number, r: number): void {
  if (bits === 32 * from.length) {
    rotateLeft(from, to, from.length, r);
    return;
  }
  const first = bits - r;
  const highest = bitsOf(from, first >>> 5, first & 31) & lowestBits(r);
  let below = 0;
  for (let lane = 0; lane < from.length; lane += 1) {
    const here = from[lane];
    to[lane] = ((here << r) | ((below >>> 1) >>> (31 - r))) & lowestBits(bits - 32 * lane);
    below = here;
  }
  to[0] |= highest;
}

/** `rotateRight` of the lowest `bits` of a word: the inverse of `rotateBitsLeft`. */
export function rotateBitsRight(from: Uint32Array, to: Uint32Array, bits: number, r: number): void {
  if (bits === 32 * from.length) {
    rotateRight(from, to, from.length, r);
    return;
  }
  const lowest = from[0] & lowestBits(r);
  let above = 0;
  for (let lane = from.length - 1; lane >= 0; lane -= 1) {
    const here = from[lane] & lowestBits(bits - 32 * lane);
    to[lane] = (here >>> r) | ((above << 1) << (31 - r));
    above = here;
  }
  const first = bits - r;
  to[first >>> 5] |= lowest << (first & 31);
  // Where they lie in two lanes.
  if ((first & 31) + r > 32) to[(first >>> 5) + 1] |= lowest >>> (32 - (first & 31));
}
