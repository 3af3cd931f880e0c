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
