import type { WordFaults } from '../disturbance/struck-words.js';

/** What moves from one processing element to the next: the operand, or partial sum, of one step of a fold. */
export interface Moving {
  readonly step: number;
  /** A word; undefined where an edge fold leaves rows or columns of the array without work. */
  readonly value: number | undefined;
}

/** One register in each processing element, `registers[row][column]`; all start out empty. */
export type Registers<T> = (T | undefined)[][];

export function emptyRegisters<T>(rows: number, columns: number): Registers<T> {
  return Array.from({ length: rows }, () => Array.from({ length: columns }, () => undefined));
}

/** What is read of the register of an element that holds a word. */
export type ReadRegister = (row: number, column: number, word: number) => number;

export const readSound: ReadRegister = (_row, _column, word) => word;

/** @param faults one entry an element, row by row; none: all registers are sound */
export function readWith(faults: WordFaults | undefined, columns: number): ReadRegister {
  if (faults === undefined) return readSound;
  const { and, or, xor } = faults;
  return (row, column, word) => {
    const element = row * columns + column;
    return ((word & and[element]) | or[element]) ^ xor[element];
  };
}

/** The same of a register that may be empty. */
export function readWord(
  read: ReadRegister,
  row: number,
  column: number,
  word: number | undefined,
): number | undefined {
  return word === undefined ? undefined : read(row, column, word);
}

/** The same of what moves. */
export function readMoving(
  read: ReadRegister,
  row: number,
  column: number,
  moving: Moving | undefined,
): Moving | undefined {
  return moving && { step: moving.step, value: readWord(read, row, column, moving.value) };
}

/**
 * Visits the processing elements of one cycle from the last row and column to the first. All registers change
 * together at the end of a cycle; in this order each element still finds in its western and northern neighbours
 * what they held when the cycle began.
 */
export function forEachElement(
  rows: number,
  columns: number,
  visit: (row: number, column: number) => void,
): void {
  for (let row = rows - 1; row >= 0; row--) {
    for (let column = columns - 1; column >= 0; column--) visit(row, column);
  }
}
