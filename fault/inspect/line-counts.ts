import type { FaultMap } from '../fault-map.js';

/** The faults of lines of one kind: banks, rows or columns. */
export interface LineCounts {
  /** Number of lines, those without faults included. */
  readonly all: number;
  /** Those with faults, ascending: bank; bank · rows + row; bank · columns + column. */
  readonly lines: readonly number[];
  /** Faults of each of them. */
  readonly counts: readonly number[];
}

/** What a fault map is looked at by. */
export type LineKind = 'banks' | 'rows' | 'columns';

/** Faults of the banks, rows (word lines) and columns (bit lines) of a map; rows and columns are those of one bank. */
export function lineCountsOf({
  geometry: { banks, rows, columns },
  cells,
}: FaultMap): Readonly<Record<LineKind, LineCounts>> {
  const rowLines = cells.map((cell) => Math.floor(cell / columns));
  const bankLines = rowLines.map((line) => Math.floor(line / rows));
  const columnLines = cells
    .map((cell, fault) => bankLines[fault] * columns + (cell - rowLines[fault] * columns))
    .sort();
  return {
    banks: { all: banks, ...countLines(bankLines) },
    rows: { all: banks * rows, ...countLines(rowLines) },
    columns: { all: banks * columns, ...countLines(columnLines) },
  };
}

/** Faults of each line that has any, from the ascending lines of all faults. */
function countLines(lines: Float64Array): { lines: number[]; counts: number[] } {
  const counted = { lines: [] as number[], counts: [] as number[] };
  let start = 0;
  for (let end = 1; end <= lines.length; end += 1) {
    if (lines[end] === lines[start]) continue;
    counted.lines.push(lines[start]);
    counted.counts.push(end - start);
    start = end;
  }
  return counted;
}

/**
 * Variance of the counts of all lines over their mean, with n − 1 in the variance: about 1 where faults are independent.
 *
 * @returns undefined with fewer than two lines, or without faults
 */
export function varianceToMean({ all, counts }: LineCounts): number | undefined {
  const faults = counts.reduce((sum, count) => sum + count, 0);
  if (all < 2 || faults === 0) return undefined;
  const mean = faults / all;
  const squares = counts.reduce((sum, count) => sum + (count - mean) ** 2, 0);
  return (squares + (all - counts.length) * mean ** 2) / (all - 1) / mean;
}
