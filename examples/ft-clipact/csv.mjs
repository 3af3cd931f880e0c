import { readFileSync } from 'node:fs';

/**
 * Rows of a CSV file (RFC 4180) as objects by column; empty cells are undefined, numbers stay texts.
 *
 * @param {string} text
 * @returns {Record<string, string | undefined>[]}
 */
export function parseCsv(text) {
  const [columns, ...rows] = cellsOf(text);
  return rows.map((cells) =>
    Object.fromEntries(columns.map((column, at) => [column, cells[at] || undefined])),
  );
}

/** @param {string} file */
export function readCsv(file) {
  return parseCsv(readFileSync(file, 'utf8'));
}

function cellsOf(text) {
  const rows = [];
  let row = [];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\n|$)/g)) {
    if (quoted === undefined && plain === '' && end === '' && row.length === 0) break;
    row.push(quoted?.replaceAll('""', '"') ?? plain);
    if (end === ',') continue;
    rows.push(row);
    row = [];
  }
  return rows;
}

/**
 * @param {readonly string[]} columns
 * @param {readonly object[]} rows
 */
export function formatCsv(columns, rows) {
  const cell = (value) => {
    const text = value === undefined || value === null ? '' : String(value);
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = [columns, ...rows.map((row) => columns.map((column) => row[column]))];
  return lines.map((cells) => `${cells.map(cell).join(',')}\n`).join('');
}
