import type { ArrayFaults } from '../disturbance/array-faults.js';
import type { SystolicArray } from '../hardware/systolic-array.js';
import type { Arithmetic } from './arithmetic.js';
import { type ReadRegister, readWith } from './registers.js';

/** The processing elements of an array: how many, what they compute, and how their registers are read. */
export interface Elements {
  readonly rows: number;
  readonly columns: number;
  readonly arithmetic: Arithmetic;
  /** Registers of the weights that are multiplied by. */
  readonly weights: ReadRegister;
  /** Where weights are preloaded: those that the next ones shift in through. */
  readonly shifting: ReadRegister;
  readonly products: ReadRegister;
  readonly sums: ReadRegister;
}

export function elementsOf(
  { rows, columns }: SystolicArray,
  arithmetic: Arithmetic,
  faults: ArrayFaults,
): Elements {
  return {
    rows,
    columns,
    arithmetic,
    weights: readWith(faults.weightRegisters, columns),
    shifting: readWith(faults.shiftRegisters, columns),
    products: readWith(faults.products, columns),
    sums: readWith(faults.sums, columns),
  };
}

/** The word that the sum register of an element takes; without an operand it is the sum that came in. */
export function accumulate(
  { arithmetic, products }: Elements,
  row: number,
  column: number,
  sum: number,
  input: number | undefined,
  weight: number | undefined,
): number {
  if (input === undefined || weight === undefined) return sum;
  const product = arithmetic.multiply(input, weight);
  return arithmetic.add(sum, products(row, column, product));
}
