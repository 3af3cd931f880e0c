import type { DataOf, ElementType } from '../../models/index.js';

/** The elements of a value of an ONNX file. */
export type ElementArray = DataOf[ElementType];

/**
 * Writes float32 numbers as elements of a type: those of integers without their fraction, modulo the type's range
 * (of NaN and infinities 0), those of bool as 1 unless they are 0, those of float16 rounded to nearest, ties to even.
 */
export function writeElements(numbers: Float32Array, type: ElementType, to: ElementArray): void {
  if (to instanceof BigInt64Array || to instanceof BigUint64Array) {
    for (let index = 0; index < numbers.length; index += 1) {
      const number = numbers[index];
      to[index] = Number.isFinite(number) ? BigInt(Math.trunc(number)) : 0n;
    }
  } else if (type === 'bool') {
    for (let index = 0; index < numbers.length; index += 1)
      to[index] = numbers[index] === 0 ? 0 : 1;
  } else if (type === 'float16') {
    for (let index = 0; index < numbers.length; index += 1) to[index] = halfBits(numbers[index]);
  } else {
    to.set(numbers);
  }
}

/**
 * Reads elements of a type as float32 numbers.
 *
 * @returns the index of the first integer that is no float32 number; −1: all are
 */
export function readElements(elements: ElementArray, type: ElementType, to: Float32Array): number {
  if (type === 'float16') {
    for (let index = 0; index < to.length; index += 1)
      to[index] = ofHalfBits(Number(elements[index]));
    return -1;
  }
  if (elements instanceof BigInt64Array || elements instanceof BigUint64Array) {
    let wrong = -1;
    for (let index = to.length - 1; index >= 0; index -= 1) {
      const number = Number(elements[index]);
      to[index] = number;
      if (to[index] !== number || Math.abs(number) > Number.MAX_SAFE_INTEGER) wrong = index;
    }
    return wrong;
  }
  to.set(elements);
  if (!(elements instanceof Int32Array || elements instanceof Uint32Array)) return -1;
  for (let index = 0; index < to.length; index += 1)
    if (to[index] !== elements[index]) return index;
  return -1;
}

const single = new Float32Array(1);
const singleBits = new Uint32Array(single.buffer);

/** The bits of the binary16 number nearest to a number, of two the even one. */
function halfBits(number: number): number {
  single[0] = number;
  const bits = singleBits[0];
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  // From half an ulp above the largest number on all is infinite.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude >= 0x38800000) {
    const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
    return sign | ((rounded - 0x38000000) >>> 13);
  }
  // Subnormal numbers are multiples of 2^-24: adding 0.5 leaves them in a mantissa whose last place is that.
  single[0] = Math.abs(number) + 0.5;
  return sign | (singleBits[0] - 0x3f000000);
}

/** The number whose binary16 bits are given. */
function ofHalfBits(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 31;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}
