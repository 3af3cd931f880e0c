import { type ByteSource, excerpt, InputError, requireMemory } from '../../core/index.js';
import { FAULT_KINDS } from '../fault-kind.js';
import type { FaultMap } from '../fault-map.js';
import { type CellGeometry, cellAt, cellCount, checkGeometry } from '../geometry.js';
import type { FaultFormat } from './fault-format.js';
import { createFaultyCells, faultsOf, requireFewFaults } from './faulty-cells.js';
import { firstInk, forEachLine, isComment, textOf } from './lines.js';
import { createCommentCollector } from './notes.js';
import { errorAt, unexpected } from './place.js';
import type { FaultFileOptions } from './read-options.js';
import type { ReadFaultFile } from './read-result.js';
import { digitValue } from './whole-number.js';

const STUCK_AT_0 = FAULT_KINDS.indexOf('stuck-at-0');

const DIGITS = /^(?:0x)?[0-9a-f]+$/i;

/** The digits of a record without `0x`. */
function digitsOf(record: string): string {
  return record.trim().replace(/^0x/i, '');
}

/**
 * A hexadecimal dump of a memory that was filled with ones, or with zeros (fault bit 1): a row (word line) a
 * line, from row 0 of bank 0, bank after bank, perhaps after `0x`; or a bank a line, or all of it on one line. The
 * last digit of a row holds columns 3 to 0, the least significant bit being column 0. A 0 bit is a 1-to-0 fault:
 * stuck-at-0 (a 1 bit, where the fault bit is 1, stuck-at-1). Digits have no bits beyond the columns.
 */
export const hex: FaultFormat = {
  title: 'a hexadecimal dump',
  takes: ['faultBit'],
  recognises({ records, isCut }, { geometry, columns }) {
    if (columns !== undefined || records.length === 0) return 'no';
    if (!records.every((record) => DIGITS.test(record.trim()))) return 'no';
    const first = digitsOf(records[0]).length;
    if (records.length === 1) {
      // Nothing but digits: of which memory, the reader asks.
      return !isCut && geometry && linesOf(geometry, first) === undefined ? 'misfit' : 'possible';
    }
    if (geometry) return linesOf(geometry, first) === undefined ? 'misfit' : 'possible';
    const whole = isCut ? records.slice(0, -1) : records;
    return whole.every((record) => digitsOf(record).length === first) ? 'possible' : 'misfit';
  },
  read: readHex,
};

/** The rows that a line of so many digits holds: one, those of a bank, or all; undefined when it is none of them. */
function linesOf({ banks, rows, columns }: CellGeometry, digits: number): number | undefined {
  const perRow = Math.ceil(columns / 4);
  return [1, rows, banks * rows].find((count) => count * perRow === digits);
}

/** How the digits of a dump lie on lines. */
interface DumpLayout {
  readonly columns: number;
  readonly rowsPerLine: number;
}

function layoutOf(source: ByteSource, { geometry }: FaultFileOptions): DumpLayout | undefined {
  const firstLines: number[] = [];
  forEachLine(source, (bytes, start, end) => {
    const ink = firstInk(bytes, start, end);
    if (ink === end || isComment(bytes, ink)) return false;
    firstLines.push(lastInk(bytes, ink, end) - digitsStart(bytes, ink, end));
    return firstLines.length === 2;
  });
  const [digits] = firstLines;
  if (geometry) {
    return { columns: geometry.columns, rowsPerLine: linesOf(geometry, digits ?? 0) ?? 1 };
  }
  if (digits === undefined) return undefined;
  if (firstLines.length === 1) {
    throw new InputError(
      `${source.file} has ${digits} hexadecimal digits on one line, which any memory may have; give its banks, rows and columns: --geometry BxRxC.`,
    );
  }
  return { columns: 4 * digits, rowsPerLine: 1 };
}

const [ZERO, LETTER_X, SPACE, TAB] = [...'0x \t'].map((character) => character.charCodeAt(0));

/** Where the digits of a line begin: behind `0x`. */
function digitsStart(bytes: Uint8Array, ink: number, end: number): number {
  const isPrefixed = end - ink > 2 && bytes[ink] === ZERO && (bytes[ink + 1] | 32) === LETTER_X;
  return isPrefixed ? ink + 2 : ink;
}

/** The end of a line without the blanks at it. */
function lastInk(bytes: Uint8Array, start: number, end: number): number {
  let last = end;
  while (last > start && (bytes[last - 1] === SPACE || bytes[last - 1] === TAB)) last -= 1;
  return last;
}

function readHex(source: ByteSource, options: FaultFileOptions): ReadFaultFile {
  const { file } = source;
  const { geometry: given, faultBit = 0 } = options;
  if (options.kind !== undefined) {
    throw new InputError(
      `${file} is a dump, whose faults are stuck-at-0, or stuck-at-1 with --fault-bit 1; leave --kind away.`,
    );
  }
  const layout = layoutOf(source, options);
  const { columns, rowsPerLine } = layout ?? { columns: 0, rowsPerLine: 1 };
  const perRow = Math.ceil(columns / 4);
  const rowCount = given ? given.banks * given.rows : Number.POSITIVE_INFINITY;
  const faulty = createFaultyCells(file, given ? cellCount(given) : Infinity, options);
  const comments = createCommentCollector();
  const expected =
    rowsPerLine === 1
      ? `a row of ${columns} columns as ${perRow} hexadecimal digits`
      : `${rowsPerLine} rows of ${columns} columns as ${rowsPerLine * perRow} hexadecimal digits`;
  const topWidth = columns - 4 * (perRow - 1);
  const clean = faultBit === 0 ? 0xf : 0;
  let row = 0;
  let lastLine = 0;

  /** Adds the faulty cells of a digit that has some. */
  function addDigit(value: number, digit: number, line: number, place: number): void {
    const width = digit === 0 ? topWidth : 4;
    if (value >> width !== 0) {
      throw unexpected(
        file,
        line,
        place,
        value.toString(16),
        `a digit below ${1 << width}, because rows have ${columns} columns`,
      );
    }
    const first = 4 * (perRow - 1 - digit);
    for (let bit = 0; bit < width; bit += 1) {
      if (((value >> bit) & 1) === faultBit) faulty.add(row * columns + first + bit);
    }
  }

  forEachLine(source, (bytes, start, lineEnd, line) => {
    const ink = firstInk(bytes, start, lineEnd);
    if (ink === lineEnd) return false;
    if (isComment(bytes, ink)) {
      comments.add(bytes, ink, lineEnd);
      return false;
    }
    lastLine = line;
    const from = digitsStart(bytes, ink, lineEnd);
    const end = lastInk(bytes, from, lineEnd);
    if (row >= rowCount) {
      const found = excerpt(textOf(bytes, ink, end));
      throw unexpected(file, line, 1, found, `the end of the file after ${row} rows`);
    }
    if (end - from !== rowsPerLine * perRow) {
      throw unexpected(file, line, 1, textOf(bytes, ink, end), expected);
    }
    let digit = 0;
    for (let at = from; at < end; at += 1) {
      const value = digitValue(bytes[at]);
      if (value < 0) {
        throw unexpected(file, line, at - start + 1, textOf(bytes, at, at + 1), expected);
      }
      if (value !== clean || digit === 0) addDigit(value, digit, line, at - start + 1);
      digit += 1;
      if (digit === perRow) {
        digit = 0;
        row += 1;
      }
    }
    return false;
  });
  if (layout === undefined || (given && row < rowCount)) {
    const missing = given ? `${rowCount} rows, bank after bank` : 'a row of hexadecimal digits';
    throw errorAt(file, lastLine + 1, 1, `found the end after ${row} rows; expected ${missing}`);
  }
  const geometry: CellGeometry = given ?? { banks: 1, rows: row, columns };
  checkGeometry(geometry, file);
  const cells = faulty.take();
  requireFewFaults(cells.length, geometry, file, options);
  const faults = faultsOf(sorted(cells), faultBit === 0 ? 'stuck-at-0' : 'stuck-at-1');
  return { geometry, faults, notes: comments.notes(), repeatedLines: 0 };
}

/** Cells of a dump come row by row, of a row from the highest digit down. */
function sorted(cells: Float64Array): Float64Array {
  return cells.sort();
}

/**
 * Writes a map as a dump of a memory filled with ones; the division into banks and the provenance are not in it.
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
