/** The multiply-accumulate of a processing element. */
export type MultiplyAdd = (sum: number, input: number, weight: number) => number;

/** 32-bit accumulators that wrap around. Operands are 9-bit numbers, their zero points already subtracted. */
export const multiplyAddInt32: MultiplyAdd = (sum, input, weight) =>
  (sum + Math.imul(input, weight)) | 0;

/** The product and the sum are rounded to float32, one after the other. */
export const multiplyAddFloat32: MultiplyAdd = (sum, input, weight) =>
  Math.fround(sum + Math.fround(input * weight));

/** What a processing element makes of a sum; without an operand it hands the sum on. */
export function accumulate(
  multiplyAdd: MultiplyAdd,
  sum: number,
  one: number | undefined,
  other: number | undefined,
): number {
  return one === undefined || other === undefined ? sum : multiplyAdd(sum, one, other);
}
