/**
 * Triple modular redundancy of single bits of a weight: a protected bit has two more cells, and what two of the three
 * say is read. Weights and copies are unsigned integers.
 */
export interface TmrCode {
  /** The protected bits of a weight. */
  readonly bits: readonly number[];
  /** Cells that a weight has beside its own: the copies of `bits[j]` are copies 2j and 2j + 1. */
  readonly copyBits: number;
  /** A 1 for each of `bits`. */
  readonly mask: number;
  /** The bits of a weight that first copies (2j) stand for: those in byte i of the copies, of value v, at 256 · i + v. */
  readonly byteBits: Int32Array;
}

/**
 * @param bits of a weight, each once
 * @throws {Error} unless all are from 0 to 31, and different
 */
export function tmrCode(bits: readonly number[]): TmrCode {
  const isRight = bits.every((bit) => Number.isInteger(bit) && bit >= 0 && bit < 32);
  if (!isRight || new Set(bits).size !== bits.length) {
    throw new Error(`tmr of bits ${bits.join(', ')}: each from 0 to 31, and once`);
  }
  const copyBits = 2 * bits.length;
  const byteBits = new Int32Array(Math.ceil(copyBits / 8) * 256);
  for (let entry = 0; entry < byteBits.length; entry++) {
    for (const [place, bit] of bits.slice((entry >>> 8) * 4, (entry >>> 8) * 4 + 4).entries()) {
      if ((entry >>> (2 * place)) & 1) byteBits[entry] |= 1 << bit;
    }
  }
  const mask = bits.reduce((ones, bit) => ones | (1 << bit), 0);
  return { bits, copyBits, mask, byteBits };
}

/**
 * Copies of the bits of a weight.
 * @param half 0 for copies 0 … 31, 1 for copies 32 … 63
 */
export function encodeTmr({ bits }: TmrCode, weight: number, half: 0 | 1): number {
  let copies = 0;
  const last = Math.min(bits.length, 16 * half + 16);
  for (let j = 16 * half; j < last; j++) {
    copies |= (((weight >>> bits[j]) & 1) * 0b11) << (2 * (j & 15));
  }
  return copies >>> 0;
}

/**
 * The weight by majority.
 * @param low copies 0 … 31, as read
 * @param high copies 32 … 63
 */
export function decodeTmr(code: TmrCode, weight: number, low: number, high = 0): number {
  const both = weightBitsOf(code, low & (low >>> 1), high & (high >>> 1));
  const any = weightBitsOf(code, low | (low >>> 1), high | (high >>> 1));
  return ((weight & ~code.mask) | both | (weight & any)) >>> 0;
}

/** The bits of a weight that stand at the places of first copies. */
function weightBitsOf({ byteBits }: TmrCode, low: number, high: number): number {
  let weight = 0;
  let rest = low;
  for (let first = 0; first < byteBits.length; first += 256) {
    if (first === 4 * 256) rest = high;
    weight |= byteBits[first + (rest & 255)];
    rest >>>= 8;
  }
  return weight;
}
