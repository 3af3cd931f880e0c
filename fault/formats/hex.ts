import { InputError, requireMemory } from '../../core/index.js';
import { FAULT_KINDS } from '../fault-kind.js';
import type { FaultMap } from '../fault-map.js';
import { type CellGeometry, cellAt, cellCount, checkGeometry } from '../geometry.js';
import { errorAt, recordLines, unexpected } from './place.js';
import type { ReadFaultFile } from './read-result.js';
import type { FaultFileOptions } from './words.js';

const STUCK_AT_0 = FAULT_KINDS.indexOf('stuck-at-0');

/** Value of a hexadecimal digit by its character code; -1 for other characters. */
function digitValue(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const letter = code | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

/**
 * Reads a hexadecimal dump of a memory that was filled with ones: a row (word line) a line, from row 0 of
 * bank 0, bank after bank, perhaps after `0x`. The last digit holds columns 3 to 0, the least
 * significant bit being column 0. A 0 bit is a 1-to-0 fault: stuck-at-0. Digits beyond the columns hold
 * 0 bits, which mean nothing. Blank lines and lines that begin with `#` are skipped.
 *
 * @param options.geometry Default: one bank of as many rows as there are lines and four columns a digit.
 * @throws InputError naming file, line, column, value and what was expected.
 */
export function readHex(bytes: Uint8Array, file: string, options: FaultFileOptions): ReadFaultFile {
  const given = options.geometry;
  const rowCount = given ? given.banks * given.rows : Number.POSITIVE_INFINITY;
  let columns = given?.columns;
  const cells: number[] = [];
  let row = 0;
  let lastLine = 0;
  for (const { number, text } of recordLines(bytes)) {
    lastLine = number;
    const start = /^\s*(?:0x)?/i.exec(text)?.[0].length ?? 0;
    const digits = text.trimEnd().slice(start);
    columns ??= 4 * digits.length;
    const expected = `a row of ${columns} columns as ${Math.ceil(columns / 4)} hexadecimal digits`;
    if (row === rowCount) {
      throw unexpected(file, number, start + 1, digits, `the end of the file after ${row} rows`);
    }
    if (digits.length !== Math.ceil(columns / 4) || digits.length === 0) {
      throw unexpected(file, number, start + 1, digits, expected);
    }
    for (let position = digits.length - 1; position >= 0; position -= 1) {
      const value = digitValue(digits.charCodeAt(position));
      const first = 4 * (digits.length - 1 - position);
      const place = start + position + 1;
      if (value < 0) throw unexpected(file, number, place, digits[position], expected);
      const width = Math.min(4, columns - first);
      if (value >= 1 << width) {
        const limit = `a digit below ${1 << width}, because rows have ${columns} columns`;
        throw unexpected(file, number, place, digits[position], limit);
      }
      for (let bit = 0; bit < width; bit += 1) {
        if ((value & (1 << bit)) === 0) cells.push(row * columns + first + bit);
      }
    }
    row += 1;
  }
  if (columns === undefined || (given && row < rowCount)) {
    const expected = given ? `${rowCount} rows, bank after bank` : 'a row of hexadecimal digits';
    throw errorAt(file, lastLine + 1, 1, `found the end after ${row} rows; expected ${expected}`);
  }
  const geometry: CellGeometry = given ?? { banks: 1, rows: row, columns };
  checkGeometry(geometry, file);
  const faults = { cells: Float64Array.from(cells), kinds: kindsOf(cells.length) };
  return { geometry, faults, repeatedLines: 0 };
}

function kindsOf(count: number): Uint8Array {
  return new Uint8Array(count).fill(STUCK_AT_0);
}

/**
 * Writes a map as `readHex` reads it; the division into banks and the provenance are not in it.
 *
 * @throws InputError when a fault is not stuck-at-0.
 */
export function formatHex(map: FaultMap, file: string): Uint8Array {
  const { geometry, cells, kinds } = map;
  const other = kinds.findIndex((kind) => kind !== STUCK_AT_0);
  if (other >= 0) {
    const { bank, row, column } = cellAt(geometry, cells[other]);
    throw new InputError(
      `Cannot write ${file}: a hexadecimal dump holds stuck-at-0 faults only, but bank ${bank}, row ${row}, column ${column} is ${FAULT_KINDS[kinds[other]]}; use .csv, .json or .bfm.`,
    );
  }
  const { columns } = geometry;
  const digits = Math.ceil(columns / 4);
  const rows = cellCount(geometry) / columns;
  requireMemory(
    (rows + 1) * (digits + 1),
    `${file}: a hexadecimal dump of ${rows} rows of ${columns} bits`,
  );
  const clean = new Uint8Array(digits + 1).fill('f'.charCodeAt(0));
  clean[0] = (2 ** (columns - 4 * (digits - 1)) - 1).toString(16).charCodeAt(0);
  clean[digits] = '\n'.charCodeAt(0);
  const text = new Uint8Array(rows * clean.length);
  for (let row = 0; row < rows; row += 1) text.set(clean, row * clean.length);
  for (const cell of cells) {
    const row = Math.floor(cell / columns);
    const column = cell - row * columns;
    const place = row * clean.length + digits - 1 - Math.floor(column / 4);
    const value = digitValue(text[place]) & ~(1 << (column % 4));
    text[place] = value.toString(16).charCodeAt(0);
  }
  return text;
}
