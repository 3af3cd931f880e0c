import type { FaultMap } from '../fault-map.js';
import { logGamma } from './chi-square.js';

/** A column with fewer faults says little about the parity of its rows. */
export const FEWEST_FOR_PARITY = 3;

/** Whether the faults of a column lie in rows of one parity: even or odd ones. */
export interface RowParity {
  /** Columns of a bank with at least FEWEST_FOR_PARITY faults. */
  readonly columns: number;
  /** Their faults. */
  readonly faults: number;
  /** Of them, those in rows of the parity that most of their column have. */
  readonly share: number;
  /** The expected share if each row were even or odd with equal probability. */
  readonly byChance: number;
}

/** The parity of rows in the columns of a map; undefined where no column has enough faults. */
export function rowParityOf({
  geometry: { rows, columns },
  cells,
}: FaultMap): RowParity | undefined {
  const byColumn = new Map<number, { even: number; odd: number }>();
  for (const cell of cells) {
    const wordLine = Math.floor(cell / columns);
    const bank = Math.floor(wordLine / rows);
    const column = bank * columns + (cell - wordLine * columns);
    const counts = byColumn.get(column) ?? { even: 0, odd: 0 };
    counts[(wordLine - bank * rows) % 2 === 0 ? 'even' : 'odd'] += 1;
    byColumn.set(column, counts);
  }
  const counted = [...byColumn.values()].filter(({ even, odd }) => even + odd >= FEWEST_FOR_PARITY);
  if (counted.length === 0) return undefined;
  const sum = (value: (counts: { even: number; odd: number }) => number) =>
    counted.reduce((total, counts) => total + value(counts), 0);
  const faults = sum(({ even, odd }) => even + odd);
  return {
    columns: counted.length,
    faults,
    share: sum(({ even, odd }) => Math.max(even, odd)) / faults,
    byChance: sum(({ even, odd }) => largerHalf(even + odd)) / faults,
  };
}

/** Expected larger one of two binomial counts of n fair draws: n/2 + n · C(n − 1, ⌊n/2⌋) / 2ⁿ. */
function largerHalf(n: number): number {
  const half = Math.floor(n / 2);
  const logChoose = logGamma(n) - logGamma(half + 1) - logGamma(n - half);
  return n / 2 + n * Math.exp(logChoose - n * Math.LN2);
}
