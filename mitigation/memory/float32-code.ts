import { byteChecksOf, laneChecks } from './linear-code.js';

/**
 * A code for single float32 weights that takes no cell: the lowest bits of the mantissa are check bits of the others.
 * Words are IEEE 754 bits, as unsigned integers.
 */
export interface Float32Code {
  readonly name: string;
  /** Bits that hold the weight. */
  readonly dataMask: number;
  /** The syndrome of the bits of each byte alone: that of byte i with value v at 256 · i + v. */
  readonly byteChecks: Uint16Array;
  /** By syndrome, the bits that are inverted in reading, and of the result those that are kept; the others are 0. */
  readonly inverted: Int32Array;
  readonly kept: Int32Array;
}

/**
 * @param columns of the parity-check matrix H, by bit of the word: those of the check bits, its lowest, are 1, 2, 4 …
 * @param reading what reading does about a syndrome
 */
export function float32Code(
  name: string,
  checkBits: number,
  columns: readonly number[],
  reading: (syndrome: number) => { readonly inverted: number; readonly kept: number },
): Float32Code {
  const readings = Array.from({ length: 2 ** checkBits }, (_, syndrome) => reading(syndrome));
  return {
    name,
    dataMask: -1 << checkBits,
    byteChecks: byteChecksOf(columns),
    inverted: Int32Array.from(readings, ({ inverted }) => inverted),
    kept: Int32Array.from(readings, ({ kept }) => kept),
  };
}

/** What is stored for a weight. */
export function encodeFloat32Word(code: Float32Code, word: number): number {
  const data = word & code.dataMask;
  return (data | laneChecks(code.byteChecks, 0, data)) >>> 0;
}

/** What the network gets of a stored word, perhaps with errors. */
export function decodeFloat32Word(code: Float32Code, word: number): number {
  const syndrome = laneChecks(code.byteChecks, 0, word);
  return ((word ^ code.inverted[syndrome]) & code.kept[syndrome]) >>> 0;
}
