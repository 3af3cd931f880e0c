/** Marsaglia's 32-bit xorshift (Journal of Statistical Software 8, 2003), as shares of [0, 1). */
export function xorshift(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
