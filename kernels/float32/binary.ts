import { type Broadcast, overImages } from '../elementwise/axes/broadcast.js';
import type { BinaryOperand } from '../elementwise/binary.js';

const { fround } = Math;

/** As onnxruntime has it, with a product for a square and two for a cube. */
function power(a: number, b: number): number {
  if (b === 2) return fround(a * a);
  if (b === 3) return fround(fround(a * a) * a);
  return fround(a ** b);
}

/** Functions of two float32 numbers; each gives a float32 number, rounded once. */
export const BINARY_OPERATIONS = {
  add: (a: number, b: number) => fround(a + b),
  subtract: (a: number, b: number) => fround(a - b),
  multiply: (a: number, b: number) => fround(a * b),
  divide: (a: number, b: number) => fround(a / b),
  minimum: (a: number, b: number) => Math.min(a, b),
  maximum: (a: number, b: number) => Math.max(a, b),
  power,
  /** a, or b · a where a is negative. */
  prelu: (a: number, b: number) => (a >= 0 ? a : fround(a * b)),
} as const satisfies Readonly<Record<string, (a: number, b: number) => number>>;

export type BinaryOperation = keyof typeof BINARY_OPERATIONS;

/** output = operation(a, b), broadcast. */
export function createBinary(
  operation: BinaryOperation,
  broadcast: Broadcast,
  a: BinaryOperand<Float32Array>,
  b: BinaryOperand<Float32Array>,
  output: Float32Array,
): (images: number) => void {
  const combine: (a: number, b: number) => number = BINARY_OPERATIONS[operation];
  const run = overImages(broadcast, [a.length, b.length]);
  return (images) =>
    run(images, (first, count, placeA, stepA, placeB, stepB) => {
      for (let index = 0; index < count; index++) {
        const left = a.values[placeA + index * stepA];
        output[first + index] = combine(left, b.values[placeB + index * stepB]);
      }
    });
}

/**
 * The same of a dequantised tensor and float32 constants, quantised again: what onnxruntime computes in float32.
 * @param reals of the 256 values that the tensor can store
 * @param quantize gives the stored value of a float32 number
 */
export function createBinaryByConstant(
  combine: (real: number, constant: number) => number,
  broadcast: Broadcast,
  input: BinaryOperand<Uint8Array> & { readonly reals: Float32Array },
  constants: Float32Array,
  output: { readonly values: Uint8Array; readonly quantize: (real: number) => number },
): (images: number) => void {
  const run = overImages(broadcast, [input.length, 0]);
  return (images) =>
    run(images, (first, count, place, step, placeOfConstant, stepOfConstant) => {
      for (let index = 0; index < count; index++) {
        const real = input.reals[input.values[place + index * step]];
        const constant = constants[placeOfConstant + index * stepOfConstant];
        output.values[first + index] = output.quantize(combine(real, constant));
      }
    });
}
