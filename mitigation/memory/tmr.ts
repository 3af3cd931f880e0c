/**
 * Triple modular redundancy of single bits, the textbook's: a protected bit has two more cells, and what two of three
 * say is read.
 */
export interface Tmr {
  /** The protected bits of a weight. */
  readonly bits: readonly number[];
  /** Cells of the copies: those of `bits[j]` are 2j and 2j + 1. */
  readonly copyBits: number;
  /**
   * The copies of a weight: 32 of their bits, as an unsigned integer.
   * @param half 0 for copies 0 … 31, 1 for copies 32 … 63
   */
  copies(weight: number, half: 0 | 1): number;
  /**
   * The weight by majority, as an unsigned integer.
   * @param low copies 0 … 31, as read
   * @param high copies 32 … 63
   */
  read(weight: number, low: number, high?: number): number;
}

/** Bits with an even number. */
const EVEN = 0x55555555;

/**
 * @param bits numbers of bits of a weight, 0 … 31, each once
 */
export function tmr(bits: readonly number[]): Tmr {
  const wrong = bits.find((bit) => !Number.isInteger(bit) || bit < 0 || bit > 31);
  if (wrong !== undefined || new Set(bits).size !== bits.length) {
    throw new Error(`tmr of bits ${bits.join(', ')}: each from 0 to 31, and once`);
  }
  const copyBits = 2 * bits.length;
  /** By byte of the copies and its value, of which odd bits do not count: where its even bits are set in a weight. */
  const weightBits = new Int32Array(Math.ceil(copyBits / 8) * 256);
  for (let entry = 0; entry < weightBits.length; entry++) {
    for (let j = 0; j < 4; j++) {
      const bit = bits[(entry >>> 8) * 4 + j];
      if (bit !== undefined && (entry >>> (2 * j)) & 1) weightBits[entry] |= 1 << bit;
    }
  }
  const protectedMask = bits.reduce((mask, bit) => mask | (1 << bit), 0);
  const inWeight = (low: number, high: number): number => {
    let weight = 0;
    let rest = low;
    for (let first = 0; first < weightBits.length; first += 256) {
      if (first === 1024) rest = high;
      weight |= weightBits[first + (rest & 255)];
      rest >>>= 8;
    }
    return weight;
  };
  return {
    bits,
    copyBits,
    copies(weight, half) {
      let copies = 0;
      const last = Math.min(bits.length, 16 * half + 16);
      for (let j = 16 * half; j < last; j++) {
        copies |= (((weight >>> bits[j]) & 1) * 3) << (2 * (j & 15));
      }
      return copies >>> 0;
    },
    read(weight, low, high = 0) {
      const both = inWeight(low & (low >>> 1) & EVEN, high & (high >>> 1) & EVEN);
      const any = inWeight((low | (low >>> 1)) & EVEN, (high | (high >>> 1)) & EVEN);
      return ((weight & ~protectedMask) | both | (weight & any)) >>> 0;
    },
  };
}
