/**
 * Rows as comma-separated values with a line of column names (RFC 4180, lines end with a line feed). A text that a
 * spreadsheet would take for a formula (it begins with =, +, -, @, a tab or a carriage return) gets an apostrophe in
 * front, which spreadsheets show as text; numbers stay as they are.
 */
export function formatCsv({
  columns,
  rows,
}: {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number | boolean | null)[])[];
}): string {
  return [columns, ...rows].map((row) => `${row.map(cell).join(',')}\n`).join('');
}

function cell(value: string | number | boolean | null): string {
  if (value === null) return '';
  const text = typeof value === 'string' && isFormula(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A number as text is none: 64-bit integers come so. */
function isFormula(text: string): boolean {
  return /^[=+\-@\t\r]/.test(text) && !/^-?\d+$/.test(text);
}
