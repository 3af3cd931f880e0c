import { parseDecimal } from '../../core/index.js';

/** A value as a cell holds it. */
export type CsvValue = string | number | boolean | null;

/** Rows as comma-separated values with a line of column names (RFC 4180, lines end with a line feed). */
export function formatCsv({
  columns,
  rows,
}: {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly CsvValue[])[];
}): string {
  return [columns, ...rows].map((row) => `${row.map(csvCell).join(',')}\n`).join('');
}

/**
 * A cell as RFC 4180 has it: in quotes where it holds a comma, a quote or a line break. Spreadsheets run text that
 * begins like a formula, and names come from files of others: such text gets an apostrophe before it.
 */
export function csvCell(value: CsvValue): string {
  if (value === null) return '';
  const text = isFormula(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function isFormula(value: CsvValue): boolean {
  return (
    typeof value === 'string' && /^[=+\-@\t\r]/.test(value) && parseDecimal(value) === undefined
  );
}
