import type { Grouping } from '../elementwise/axes/grouping.js';
import { softmaxExponential } from './transcendental.js';

const { fround } = Math;

/** What a group's values are reduced to: a start, a step for each value, and an end for all of them. */
interface Reduction {
  readonly start: number;
  step(result: number, value: number): number;
  end(result: number, count: number): number;
}

const same = (result: number) => result;
const sum = (result: number, value: number) => result + value;
const sumOfSquares = (result: number, value: number) => result + value * value;

/** Sums are taken in float64, and rounded to float32 when all is computed. */
export const REDUCTIONS = {
  mean: { start: 0, step: sum, end: (result, count) => result / count },
  sum: { start: 0, step: sum, end: same },
  maximum: { start: -Infinity, step: Math.max, end: same },
  minimum: { start: Infinity, step: Math.min, end: same },
  product: { start: 1, step: (result, value) => result * value, end: same },
  /** Σ |x| */
  l1: { start: 0, step: (result, value) => result + Math.abs(value), end: same },
  /** √ Σ x² */
  l2: { start: 0, step: sumOfSquares, end: Math.sqrt },
  'sum-of-squares': { start: 0, step: sumOfSquares, end: same },
  'log-of-sum': { start: 0, step: sum, end: Math.log },
} as const satisfies Readonly<Record<string, Reduction>>;

export type ReductionName = keyof typeof REDUCTIONS;

/**
 * Reduces each group to one value.
 * @param input `images` tensors of as many values as the groups have together
 * @param output `images` × groups
 * @param real of a value of the input; default: itself
 * @param store of a float32 result; default: itself
 */
export function reduceGroups<Values extends Float32Array | Uint8Array>(
  name: ReductionName,
  { starts, members }: Grouping,
  input: Values,
  output: Values,
  images: number,
  real: (value: number) => number = same,
  store: (result: number) => number = same,
): void {
  const { start, step, end }: Reduction = REDUCTIONS[name];
  const length = starts.length * members.length;
  let target = 0;
  for (let image = 0; image < images; image++) {
    for (const first of starts) {
      const place = image * length + first;
      let result = start;
      for (const member of members) result = step(result, real(input[place + member]));
      output[target++] = store(fround(end(result, members.length)));
    }
  }
}

/**
 * The place of the greatest (or least) value in each group, the first of equal ones or the last; a NaN is greater
 * and less than all numbers.
 * @param output `images` × groups
 */
export function placeOfExtreme(
  { starts, members }: Grouping,
  { least, last }: { readonly least: boolean; readonly last: boolean },
  input: Float32Array,
  output: Float32Array,
  images: number,
): void {
  const length = starts.length * members.length;
  const sign = least ? -1 : 1;
  let target = 0;
  for (let image = 0; image < images; image++) {
    for (const first of starts) {
      let place = 0;
      let extreme = sign * input[image * length + first + members[0]];
      for (let member = 1; member < members.length; member++) {
        const value = sign * input[image * length + first + members[member]];
        if (
          value > extreme ||
          (last && value === extreme) ||
          (Number.isNaN(value) && !Number.isNaN(extreme))
        ) {
          place = member;
          extreme = value;
        }
      }
      output[target++] = place;
    }
  }
}

/**
 * Softmax of each group: fround(e · fround(1 / Σ e)), e the float32 power of x less the largest x, their sum taken in
 * float64 and rounded. Its logarithm: x less the largest x, less the logarithm of that sum.
 */
export function softmaxGroups(
  { starts, members }: Grouping,
  logarithm: boolean,
  input: Float32Array,
  output: Float32Array,
  images: number,
): void {
  const length = starts.length * members.length;
  const powers = new Float32Array(members.length);
  for (let image = 0; image < images; image++) {
    for (const start of starts) {
      const first = image * length + start;
      let largest = -Infinity;
      for (const member of members) largest = Math.max(largest, input[first + member]);
      let total = 0;
      for (const [index, member] of members.entries()) {
        powers[index] = softmaxExponential(fround(input[first + member] - largest));
        total += powers[index];
      }
      if (logarithm) {
        const shift = fround(Math.log(fround(total)));
        for (const member of members) {
          output[first + member] = fround(input[first + member] - largest) - shift;
        }
      } else {
        const factor = fround(1 / fround(total));
        for (const [index, member] of members.entries()) {
          output[first + member] = powers[index] * factor;
        }
      }
    }
  }
}
