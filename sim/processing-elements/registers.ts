/** What moves from one processing element to the next: the operand, or partial sum, of one step of a fold. */
export interface Moving {
  readonly step: number;
  /** Undefined where an edge fold leaves rows or columns of the array without work. */
  readonly value: number | undefined;
}

/** One register in each processing element, `registers[row][column]`; all start out empty. */
export type Registers<T> = (T | undefined)[][];

export function emptyRegisters<T>(rows: number, columns: number): Registers<T> {
  return Array.from({ length: rows }, () => Array.from({ length: columns }, () => undefined));
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
