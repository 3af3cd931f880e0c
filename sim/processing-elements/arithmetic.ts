/** How an element multiplies and adds. Words are 32 bits, as signed integers. */
export interface Arithmetic {
  /** The word that the product register takes. */
  multiply(input: number, weight: number): number;
  /** The word of the next sum, of the words that are read of the sum before and of the product register. */
  add(sum: number, product: number): number;
}

/**
 * Products of two 9-bit numbers (zero points already subtracted) in registers of 18 bits, accumulators of 32 bits that
 * wrap around.
 */
export const int8Arithmetic: Arithmetic = {
  multiply: (input, weight) => Math.imul(input, weight),
  add: (sum, product) => (sum + ((product << 14) >> 14)) | 0,
};

/** The product and the sum are rounded to float32, one after the other. */
export const float32Arithmetic: Arithmetic = {
  multiply: (input, weight) => float32Word(input * weight),
  add: (sum, product) => float32Word(float32Of(sum) + float32Of(product)),
};

const value = new Float32Array(1);
const bits = new Int32Array(value.buffer);

/** What arithmetic makes of no number: of the payloads of NaN only one, as RISC-V and Arm's default NaN have it. */
const NOT_A_NUMBER = 0x7fc00000;

/** IEEE 754 bits of a number rounded to float32. */
function float32Word(number: number): number {
  if (Number.isNaN(number)) return NOT_A_NUMBER;
  value[0] = number;
  return bits[0];
}

/** The number that IEEE 754 bits of float32 stand for. */
export function float32Of(word: number): number {
  bits[0] = word;
  return value[0];
}
