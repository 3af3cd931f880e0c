const scratch = new Float64Array(1);
const scratchBits = new BigInt64Array(scratch.buffer);

/**
 * fround(a · b + c) with one rounding, the fused multiply-add of IEEE 754 in float32.
 *
 * The product of two float32 numbers is exact in float64. Rounding the float64 sum is correct unless that sum lies
 * exactly between two float32 numbers and is itself rounded; then it is rounded to odd first, after which rounding to
 * float32 is correct (S. Boldo and G. Melquiond, "Emulation of a FMA and correctly rounded sums: proved algorithms
 * using rounding to odd", 2008).
 * @param a float32 number, like `b` and `c`; products beyond float64's normal range are not meant
 */
export function fusedMultiplyAdd(a: number, b: number, c: number): number {
  const product = a * b;
  const sum = product + c;
  const rounded = Math.fround(sum);
  const beyond = rounded + 2 * (sum - rounded);
  // A tie lies as far from one float32 number as from the next; NaN and infinity come out here, too.
  if (beyond === rounded || Math.fround(beyond) !== beyond) return rounded;
  const part = sum - product;
  const error = product - (sum - part) + (c - part);
  if (error === 0) return rounded;
  scratch[0] = sum;
  if ((scratchBits[0] & 1n) === 0n) scratchBits[0] += error > 0 === sum > 0 ? 1n : -1n;
  return Math.fround(scratch[0]);
}
