import { type FaultLines, type Replaced, take } from './fault-lines.js';

/** Spare lines that are left. */
export interface SpareLines {
  readonly rows: number;
  readonly columns: number;
}

/**
 * Must-repair: a row with more uncovered faults than spare columns are left has to be replaced by a spare row, a column
 * likewise, and so on until there is none.
 *
 * @param order the lines that are taken are appended to it
 * @returns what is left, or undefined where the spare lines do not suffice
 */
export function takeMustRepair(
  lines: FaultLines,
  replaced: Replaced,
  spares: SpareLines,
  order: number[],
): SpareLines | undefined {
  const { taken, uncoveredOf } = replaced;
  let { rows, columns } = spares;
  for (let found = true; found; ) {
    found = false;
    for (let line = 0; line < lines.count; line += 1) {
      const isRow = line < lines.rows;
      if (taken[line] === 1 || uncoveredOf[line] <= (isRow ? columns : rows)) continue;
      if ((isRow ? rows : columns) === 0) return undefined;
      take(lines, replaced, line);
      order.push(line);
      if (isRow) rows -= 1;
      else columns -= 1;
      found = true;
    }
  }
  return { rows, columns };
}
