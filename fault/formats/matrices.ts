import { InputError, requireMemory } from '../../core/index.js';
import { FAULT_KINDS } from '../fault-kind.js';
import { mergeFaults } from '../fault-list.js';
import type { FaultMap } from '../fault-map.js';
import { type CellGeometry, cellAt, cellCount, checkGeometry } from '../geometry.js';
import { errorAt, recordLines, unexpected } from './place.js';
import type { ReadFaultFile } from './read-result.js';
import type { FaultFileOptions } from './words.js';

const COMMA = 44;
const ZERO = 48;
const ONE = 49;
const SPACE = 32;

interface Matrix {
  readonly rows: number;
  readonly columns: number;
  /** Row · columns + column of every 1, ascending. */
  readonly ones: Float64Array;
}

/** Checks a row of bits and calls back for every 1; returns the number of bits. */
function readRow(
  text: string,
  place: { readonly file: string; readonly line: number },
  onOne: (column: number) => void,
): number {
  let columns = 0;
  let isBitNext = true;
  for (let position = 0; position < text.length; position += 1) {
    const code = text.charCodeAt(position);
    if (code === SPACE) continue;
    if (isBitNext ? code !== ZERO && code !== ONE : code !== COMMA) {
      const expected = isBitNext ? '0 or 1' : 'a comma';
      throw unexpected(place.file, place.line, position + 1, text[position], expected);
    }
    if (isBitNext) {
      if (code === ONE) onOne(columns);
      columns += 1;
    }
    isBitNext = !isBitNext;
  }
  if (isBitNext) throw unexpected(place.file, place.line, text.length + 1, '', '0 or 1');
  return columns;
}

function readMatrix(bytes: Uint8Array, file: string, given: CellGeometry | undefined): Matrix {
  const rowCount = given ? given.banks * given.rows : Number.POSITIVE_INFINITY;
  let columns = given?.columns;
  const ones: number[] = [];
  let row = 0;
  let lastLine = 0;
  for (const { number, text } of recordLines(bytes)) {
    lastLine = number;
    if (row === rowCount) {
      throw unexpected(file, number, 1, text, `the end of the file after ${row} rows`);
    }
    const firstOne = ones.length;
    const found = readRow(text, { file, line: number }, (column) => ones.push(column));
    columns ??= found;
    if (found !== columns) {
      throw errorAt(file, number, 1, `found a row of ${found} bits; expected ${columns}`);
    }
    for (let index = firstOne; index < ones.length; index += 1) ones[index] += row * columns;
    row += 1;
  }
  if (columns === undefined || (given && row < rowCount)) {
    const expected = given ? `${rowCount} rows, bank after bank` : 'a row of bits';
    throw errorAt(file, lastLine + 1, 1, `found the end after ${row} rows; expected ${expected}`);
  }
  return { rows: row, columns, ones: Float64Array.from(ones) };
}

/**
 * Reads a pair of 0/1 matrices, the first one of stuck-at-0 faults and the second one of stuck-at-1
 * faults: rows of bits separated by commas, a row (word line) a line, from row 0 of bank 0, bank after
 * bank, column 0 first; 1 is a fault.
 *
 * @param options.geometry Default: one bank of the rows and columns of the matrices.
 * @throws InputError naming file, line, column, value and what was expected; a cell may be in one
 * matrix only.
 */
export function readMatrices(
  [stuckAt0, stuckAt1]: readonly [Uint8Array, Uint8Array],
  [file0, file1]: readonly [string, string],
  options: FaultFileOptions,
): ReadFaultFile {
  const zero = readMatrix(stuckAt0, file0, options.geometry);
  const { rows, columns } = zero;
  const geometry = options.geometry ?? { banks: 1, rows, columns };
  checkGeometry(geometry, file0);
  const one = readMatrix(stuckAt1, file1, geometry);
  const lists = [zero.ones, one.ones].map((cells, kind) => ({
    cells,
    kinds: new Uint8Array(cells.length).fill(FAULT_KINDS.indexOf(`stuck-at-${kind ? 1 : 0}`)),
  }));
  const faults = mergeFaults(lists);
  if (faults.cells.length < zero.ones.length + one.ones.length) {
    throw sharedCell(one.ones, geometry, stuckAt1, [file0, file1], zero.ones);
  }
  return { geometry, faults, repeatedLines: 0 };
}

/** The error about the first cell that is in both matrices. */
function sharedCell(
  ones: Float64Array,
  { columns }: CellGeometry,
  bytes: Uint8Array,
  [file0, file1]: readonly [string, string],
  others: Float64Array,
): InputError {
  let other = 0;
  const isInOthers = (cell: number) => {
    while (others[other] < cell) other += 1;
    return others[other] === cell;
  };
  const cell = ones.find(isInOthers) ?? 0;
  const row = Math.floor(cell / columns);
  const line = [...recordLines(bytes)][row];
  const bits = [...line.text.matchAll(/[01]/g)];
  const place = bits[cell - row * columns].index + 1;
  return errorAt(
    file1,
    line.number,
    place,
    `found "1", but row ${row}, column ${cell - row * columns} is 1 in ${file0}, too; expected each cell in one matrix only`,
  );
}

/**
 * Writes a map as `readMatrices` reads it: the matrix of stuck-at-0, and that of stuck-at-1 faults. The
 * division into banks and the provenance are not in it.
 *
 * @throws InputError when a fault is a flip.
 */
export function formatMatrices(map: FaultMap, file: string): readonly [Uint8Array, Uint8Array] {
  const { geometry, cells, kinds } = map;
  const flip = kinds.indexOf(FAULT_KINDS.indexOf('flip'));
  if (flip >= 0) {
    const { bank, row, column } = cellAt(geometry, cells[flip]);
    throw new InputError(
      `Cannot write ${file}: a pair of 0/1 matrices holds stuck-at faults only, but bank ${bank}, row ${row}, column ${column} is a flip; use .csv, .json or .bfm.`,
    );
  }
  const { columns } = geometry;
  requireMemory(
    4 * (cellCount(geometry) + columns),
    `${file}: 0/1 matrices of ${cellCount(geometry)} cells`,
  );
  const clean = new TextEncoder().encode(`${new Array(columns).fill('0').join(',')}\n`);
  const rows = cellCount(geometry) / columns;
  const matrices = [0, 1].map(() => {
    const text = new Uint8Array(rows * clean.length);
    for (let row = 0; row < rows; row += 1) text.set(clean, row * clean.length);
    return text;
  });
  cells.forEach((cell, fault) => {
    const row = Math.floor(cell / columns);
    const matrix = matrices[FAULT_KINDS[kinds[fault]] === 'stuck-at-0' ? 0 : 1];
    matrix[row * clean.length + 2 * (cell - row * columns)] = ONE;
  });
  return [matrices[0], matrices[1]];
}
