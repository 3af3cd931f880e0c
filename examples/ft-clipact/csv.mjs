import { readFileSync } from 'node:fs';

/** @typedef {Readonly<Record<string, string | undefined>>} Row cells by column */

/**
 * Rows of a CSV file (RFC 4180) as objects by column; empty cells are undefined, numbers stay texts.
 *
 * @param {string} text
 * @returns {Row[]}
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

/** @param {string} text */
function cellsOf(text) {
  /** @type {string[][]} */
  const rows = [];
  /** @type {string[]} */
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
 * @param {readonly Readonly<Record<string, unknown>>[]} rows
 */
export function formatCsv(columns, rows) {
  const cell = (/** @type {unknown} */ value) => {
    const text = value === undefined || value === null ? '' : String(value);
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = [columns, ...rows.map((row) => columns.map((column) => row[column]))];
  return lines.map((cells) => `${cells.map(cell).join(',')}\n`).join('');
}
