import { visibleText } from '../../core/index.js';

/**
 * Lay out rows as columns of equal width; columns whose first cell is a number go to the right. Control characters
 * in cells are written out.
 */
export function formatTable(
  heads: readonly string[],
  texts: readonly (readonly string[])[],
): string {
  const head = heads.map(visibleText);
  const rows = texts.map((row) => row.map(visibleText));
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column].length)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) =>
        /^-?\d/.test(rows[0]?.[column] ?? '')
          ? cell.padStart(widths[column])
          : cell.padEnd(widths[column]),
      )
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '-'.repeat(width)).join('  ');
  return [line(head), rule, ...rows.map(line)].join('\n');
}

/** A share as percent with one decimal, without the sign. */
export function percent(share: number): string {
  return (100 * share).toFixed(1);
}

/** A whole number with a thin gap between thousands. */
export function grouped(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',');
}
