/** Bits of a stored weight: int8 or float32. */
export type WeightBits = 8 | 32;

/** Bits of a float32 weight below its sign in cost: those of the mantissa and the lowest one of the exponent. */
const BELOW_SIGN = 24;

/**
 * What a wrong bit of a weight costs, 2^rank, after how far it moves the weight: the rank of an int8 bit is its
 * number; those of float32 are in the order 0 … 23, 31, 24 … 30, as a wrong sign moves a weight further than a
 * factor of two does, and less than one of four.
 */
export function bitCost(bit: number, weightBits: WeightBits): number {
  if (weightBits === 8 || bit < BELOW_SIGN) return 2 ** bit;
  return bit === 31 ? 2 ** BELOW_SIGN : 2 ** (bit + 1);
}

/** The costs of the wrong bits in 32 bits of stored weights, four int8 or one float32, added; exact. */
export function wrongBitsCost(wrong: number, weightBits: WeightBits): number {
  return weightBits === 8 ? int8BitsCost(wrong) : float32BitsCost(wrong);
}

/** Of four int8 weights: their wrong bits, read as four numbers, added. */
export function int8BitsCost(wrong: number): number {
  const pairs = (wrong & 0x00ff00ff) + ((wrong >>> 8) & 0x00ff00ff);
  return (pairs & 0xffff) + (pairs >>> 16);
}

/** Of one float32 weight: its wrong bits in the order of their ranks, read as a number. */
export function float32BitsCost(wrong: number): number {
  const sign = (wrong >>> 31) << BELOW_SIGN;
  const exponent = (wrong << 1) & 0xfe000000;
  return (exponent | sign | (wrong & 0x00ffffff)) >>> 0;
}
