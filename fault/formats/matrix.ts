import { type ByteSource, excerpt, InputError } from '../../core/index.js';
import { type CellGeometry, cellCount, checkGeometry } from '../geometry.js';
import { splitLine } from './delimited.js';
import type { FaultFormat, Prefix, Recognition } from './fault-format.js';
import { createFaultyCells, faultsOf, requireFewFaults } from './faulty-cells.js';
import {
  createFieldSplitter,
  type Fields,
  fieldText,
  type Separator,
  separatorOf,
} from './fields.js';
import { firstInk, forEachLine, isComment, textOf } from './lines.js';
import { createCommentCollector, type Notes } from './notes.js';
import { errorAt, unexpected } from './place.js';
import type { FaultFileOptions } from './read-options.js';
import { isNumeric } from './whole-number.js';

const [ZERO, ONE] = [...'01'].map((character) => character.charCodeAt(0));

/** So many numbers on a line are cells even where one of them is neither 0 nor 1. */
const CELLS_OF_A_ROW = 5;

/** 0 or 1 by a text in one of the forms that programs write; undefined for others. */
export function bitOf(text: string): 0 | 1 | undefined {
  if (/^true$/i.test(text)) return 1;
  if (/^false$/i.test(text)) return 0;
  if (!/^[+-]?(?:\d+[.,]?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text)) return undefined;
  // Between semicolons or blanks, a comma is that of a decimal number.
  const value = Number(text.replace(',', '.'));
  return value === 0 ? 0 : value === 1 ? 1 : undefined;
}

/** How the rows of a matrix are written. */
interface MatrixLayout {
  readonly separator: Separator;
  /** Whether the first line names the columns. */
  readonly hasHead: boolean;
  /** Whether the first value of a line is the number of its row. */
  readonly hasIndex: boolean;
}

/** The number at the end of a name such as `3`, `V3` or `col_3`. */
function numberOf(name: string): number {
  const match = /^[a-z]{0,8}[ _]?(\d+)$/i.exec(name);
  return match === null ? Number.NaN : Number(match[1]);
}

/** Whether names count the columns from 0 or 1. */
function areColumnNames(names: readonly string[]): boolean {
  const first = numberOf(names[0] ?? '');
  if (first !== 0 && first !== 1) return false;
  return names.every((name, index) => numberOf(name) === first + index);
}

function layoutOf(first: string, second: string | undefined): MatrixLayout {
  const separator = separatorOf(first);
  const names = split(first, separator);
  const isUnnamed = names[0] === '';
  const isHead =
    areColumnNames(isUnnamed ? names.slice(1) : names) &&
    names.some((name) => bitOf(name) === undefined) &&
    (isUnnamed ? names.length > 2 : names.length > 1);
  const longer = second !== undefined && split(second, separator).length === names.length + 1;
  return { separator, hasHead: isHead, hasIndex: isHead && (isUnnamed || longer) };
}

function split(text: string, separator: Separator): readonly string[] {
  try {
    return splitLine({ text, number: 1 }, '', separator).names;
  } catch {
    return [];
  }
}

function recognises(
  { records, isCut }: Prefix,
  { geometry, columns }: FaultFileOptions,
): Recognition {
  if (records.length === 0 || columns !== undefined) return 'no';
  const layout = layoutOf(records[0], records[1]);
  const lines = records.slice(layout.hasHead ? 1 : 0);
  const whole = isCut && lines.length > 1 ? lines.slice(0, -1) : lines;
  if (whole.length === 0) return 'no';
  const rows = whole.map((line) => split(line, layout.separator).slice(layout.hasIndex ? 1 : 0));
  const count = rows[0].length;
  const isCell = (text: string) => bitOf(text) !== undefined || isNumeric(text);
  if (count === 0 || !rows[0].every(isCell)) return 'no';
  const isLong = count >= CELLS_OF_A_ROW;
  if (
    !isLong &&
    !rows.every((row) => row.every((text) => bitOf(text) !== undefined || /^nan$/i.test(text)))
  ) {
    return 'no';
  }
  if (count === 1 && geometry?.columns !== 1) return 'no';
  if (layout.hasHead && !rows.every((row) => row.every(isCell))) return 'no';
  return geometry === undefined || geometry.columns === count ? 'possible' : 'misfit';
}

/**
 * A matrix of zeros and ones: a row (word line) a line, bank after bank, column 0 first; 1 is a fault (0, where the
 * fault bit is 0). Values may be written as numbers of any form (`1.000e+00`) or as true and false, between
 * commas, semicolons, tabs or blanks. A first line that numbers the columns and a first column that then numbers
 * the rows are no cells.
 */
export const matrix: FaultFormat = {
  title: 'a 0/1 matrix',
  takes: ['kind', 'faultBit'],
  recognises,
  read(source, options) {
    const { geometry, cells, notes } = readMatrixCells(source, options);
    const faults = faultsOf(cells, options.kind ?? 'flip');
    return { geometry, faults, notes, repeatedLines: 0 };
  },
};

/** The faulty cells of a file that says of every cell whether it is one. */
export interface CellFile {
  readonly geometry: CellGeometry;
  /** Ascending. */
  readonly cells: Float64Array;
  readonly notes?: Notes | undefined;
}

/** The first two lines of a matrix. */
function firstLines(source: ByteSource): string[] {
  const lines: string[] = [];
  forEachLine(source, (bytes, start, end) => {
    const ink = firstInk(bytes, start, end);
    if (ink < end && !isComment(bytes, ink)) lines.push(textOf(bytes, start, end));
    return lines.length === 2;
  });
  return lines;
}

/** Where a cell of a matrix stands in its file. */
export function placeOfCell(source: ByteSource, row: number, column: number): string {
  const [first, second] = firstLines(source);
  const { separator, hasHead, hasIndex } = layoutOf(first ?? '', second);
  const splitter = createFieldSplitter(source.file, separator);
  let records = hasHead ? -1 : 0;
  let place = source.file;
  forEachLine(source, (bytes, start, end, line) => {
    const ink = firstInk(bytes, start, end);
    if (ink === end || isComment(bytes, ink)) return false;
    if (records === row) {
      place = splitter.split(bytes, start, end, line).place(column + (hasIndex ? 1 : 0));
      return true;
    }
    records += 1;
    return false;
  });
  return place;
}

/**
 * Reads the cells of a matrix that are faulty.
 *
 * @param options.geometry Default: one bank of the rows and columns of the matrix.
 * @throws InputError naming file, line, column, value and what was expected
 */
export function readMatrixCells(source: ByteSource, options: FaultFileOptions): CellFile {
  const { file } = source;
  const { geometry: given, faultBit = 1 } = options;
  const [first, second] = firstLines(source);
  const { separator, hasHead, hasIndex } = layoutOf(first ?? '', second);
  const rowCount = given ? given.banks * given.rows : Number.POSITIVE_INFINITY;
  const faulty = createFaultyCells(file, given ? cellCount(given) : Infinity, options);
  const comments = createCommentCollector();
  const splitter = createFieldSplitter(file, separator);
  const skipped = hasIndex ? 1 : 0;
  let columns = given?.columns;
  let row = 0;
  let lastLine = 0;
  let isHeadNext = hasHead;
  let firstIndex: number | undefined;

  function requireIndex(fields: Fields, line: number): void {
    const text = fieldText(fields, 0);
    const index = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    firstIndex ??= index;
    if ((firstIndex === 0 || firstIndex === 1) && index === firstIndex + row) return;
    throw unexpected(
      file,
      line,
      1,
      text,
      `${(firstIndex === 1 ? 1 : 0) + row}, the number of the row; or save the matrix without numbers of rows (index=False, header=False)`,
    );
  }

  function readRow(fields: Fields, line: number): void {
    const { starts, ends } = fields;
    const last = fields.count - 1;
    const hasEmptyEnd = fields.count > 1 && starts[last] === ends[last];
    const found = fields.count - skipped - (hasEmptyEnd ? 1 : 0);
    columns ??= found;
    if (hasIndex) requireIndex(fields, line);
    for (let field = skipped; field < found + skipped; field += 1) {
      const bit = bitAt(fields, field);
      if (bit === faultBit && field - skipped < columns)
        faulty.add(row * columns + field - skipped);
    }
    if (found !== columns) {
      const hint =
        found === columns + 1
          ? '; if the first value numbers the row, save the matrix without it (index=False)'
          : '';
      throw errorAt(file, line, 1, `found a row of ${found} bits; expected ${columns}${hint}`);
    }
  }

  function bitAt(fields: Fields, field: number): 0 | 1 {
    const { bytes, starts, ends } = fields;
    const start = starts[field];
    if (ends[field] === start + 1) {
      if (bytes[start] === ZERO) return 0;
      if (bytes[start] === ONE) return 1;
    }
    const text = fieldText(fields, field);
    const bit = bitOf(text);
    if (bit !== undefined) return bit;
    const place = fields.place(field);
    const found = text === '' ? 'nothing' : `"${excerpt(text)}"`;
    throw new InputError(`${place}: found ${found}; expected 0 or 1.`);
  }

  forEachLine(source, (bytes, start, end, line) => {
    const ink = firstInk(bytes, start, end);
    if (ink === end) return false;
    if (isComment(bytes, ink)) {
      comments.add(bytes, ink, end);
      return false;
    }
    if (isHeadNext) {
      isHeadNext = false;
      return false;
    }
    lastLine = line;
    if (row === rowCount) {
      const found = textOf(bytes, start, end);
      throw unexpected(file, line, 1, found, `the end of the file after ${row} rows`);
    }
    readRow(splitter.split(bytes, start, end, line), line);
    row += 1;
    return false;
  });
  if (columns === undefined || (given && row < rowCount)) {
    const expected = given ? `${rowCount} rows, bank after bank` : 'a row of bits';
    throw errorAt(file, lastLine + 1, 1, `found the end after ${row} rows; expected ${expected}`);
  }
  const geometry = given ?? { banks: 1, rows: row, columns };
  checkGeometry(geometry, file);
  const cells = faulty.take();
  requireFewFaults(cells.length, geometry, file, options);
  return { geometry, cells, notes: comments.notes() };
}
