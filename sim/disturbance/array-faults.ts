import { InputError } from '../../core/index.js';
import { preloads, type SystolicArray } from '../hardware/systolic-array.js';
import type { WordFaults } from './struck-words.js';

/**
 * Faults in the registers of a systolic array. Each has one entry an element: element (r, c) of an array of C columns is
 * entry r·C + c. They act on what is read of a register, and a register is read once by whatever it holds. Bits that a
 * register does not have (of int8 weights those above 7, of int8 products those above 17) mean nothing.
 */
export interface ArrayFaults {
  /**
   * Of the weight that an element multiplies by, as it is stored in the weight memory: a byte, or IEEE 754 bits. Weights
   * that shift in, or move, through an element pass its register.
   */
  readonly weightRegisters?: WordFaults;
  /** Of arrays that preload: the registers through which the next tile's weights shift in. */
  readonly shiftRegisters?: WordFaults;
  /** Products of one multiplication: 18 bits in two's complement for int8, IEEE 754 bits for float32. */
  readonly products?: WordFaults;
  /** Partial sums, 32 bits, read after each product that was added, and on the way through an element without work. */
  readonly sums?: WordFaults;
  /** Where partial sums leave the array after every fold. */
  readonly accumulatorMemory?: AccumulatorMemoryFaults;
}

/**
 * A memory of partial sums, written after each row fold of a weight- or input-stationary array and read before the next
 * one, and at last. `partialSumSlot` says which sum lies where.
 */
export interface AccumulatorMemoryFaults {
  readonly slots: number;
  /** One entry a slot. */
  readonly faults: WordFaults;
}

/**
 * Where the accumulator memory holds the sum of output position m and filter n of a group: an array of C columns fills C
 * neighbouring slots at a time, for each output position (weights stay) or each filter (inputs stay).
 */
export function partialSumSlot(
  { dataflow, columns }: SystolicArray,
  slots: number,
  m: number,
  n: number,
): number {
  const place =
    dataflow === 'input-stationary' ? n * columns + (m % columns) : m * columns + (n % columns);
  return place % slots;
}

/** @throws InputError when an array does not have a faulty register, or has more or fewer of them */
export function checkArrayFaults(faults: ArrayFaults, array: SystolicArray): void {
  const { accumulatorMemory, ...registers } = faults;
  if (registers.shiftRegisters !== undefined && !preloads(array)) {
    throw new InputError(
      'Faults of shift registers: the array has none; only weight-stationary arrays with preload do.',
    );
  }
  const elements = array.rows * array.columns;
  for (const [name, words] of Object.entries(registers)) {
    checkLength(name, words, elements, `one for each element of ${array.rows} × ${array.columns}`);
  }
  if (accumulatorMemory === undefined) return;
  if (array.dataflow === 'output-stationary') {
    throw new InputError(
      'Faults of an accumulator memory: an output-stationary array has none; its sums stay in their registers.',
    );
  }
  const { slots, faults: words } = accumulatorMemory;
  if (!Number.isSafeInteger(slots) || slots < 1) {
    throw new InputError(
      `Faults of an accumulator memory: slots must be a positive integer, not ${slots}.`,
    );
  }
  checkLength('accumulatorMemory', words, slots, 'one for each slot');
}

function checkLength(name: string, words: WordFaults, expected: number, which: string): void {
  for (const mask of ['and', 'or', 'xor'] as const) {
    const found = words[mask].length;
    if (found === expected) continue;
    throw new InputError(
      `Faults of ${name}: \`${mask}\` must hold ${expected} words, ${which}, not ${found}.`,
    );
  }
}
