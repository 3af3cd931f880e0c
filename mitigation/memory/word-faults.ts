/**
 * The faulty cells of one memory word, in lanes of 32 bits, least significant first: what is read of a stored word
 * is ((stored & and) | or) ^ xor. A sound cell has 1 in `and`, 0 in `or` and `xor`.
 */
export interface WordFaults {
  readonly and: Uint32Array;
  readonly or: Uint32Array;
  readonly xor: Uint32Array;
}

/** The faulty cells of a lane of a word, as a mask of 32 bits. */
export function faultyCells({ and, or, xor }: WordFaults, lane: number): number {
  return ~and[lane] | or[lane] | xor[lane];
}

/** What is read of a lane in which `stored` was written, as 32 bits. */
export function readLane({ and, or, xor }: WordFaults, lane: number, stored: number): number {
  return ((stored & and[lane]) | or[lane]) ^ xor[lane];
}
