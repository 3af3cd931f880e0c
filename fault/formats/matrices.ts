import { type ByteSource, firstBytes, InputError, isNpy, requireMemory } from '../../core/index.js';
import { FAULT_KINDS } from '../fault-kind.js';
import { mergeFaults } from '../fault-list.js';
import type { FaultMap } from '../fault-map.js';
import { cellAt, cellCount } from '../geometry.js';
import { faultsOf, requireFewFaults } from './faulty-cells.js';
import { type CellFile, placeOfCell, readMatrixCells } from './matrix.js';
import { readNpyCells } from './npy.js';
import type { FaultFileOptions, ReadingOption } from './read-options.js';
import type { ReadFaultFile } from './read-result.js';

const ONE = '1'.charCodeAt(0);
const SIGNATURE_BYTES = 8;

/** The options that a pair of matrices has a use for. */
export const MATRICES_TAKE: readonly ReadingOption[] = ['faultBit'];

function readCells(source: ByteSource, options: FaultFileOptions): CellFile {
  const isArray = isNpy(firstBytes(source, SIGNATURE_BYTES));
  return isArray ? readNpyCells(source, options) : readMatrixCells(source, options);
}

/**
 * Reads a pair of 0/1 matrices in text or as NumPy arrays, the first one of stuck-at-0 faults and the second one of
 * stuck-at-1 faults.
 *
 * @param options.geometry Default: that of the first one.
 * @throws InputError naming file, line, column, value and what was expected; a cell may be in one
 * matrix only.
 */
export function readMatrices(
  [source0, source1]: readonly [ByteSource, ByteSource],
  options: FaultFileOptions,
): ReadFaultFile {
  const zero = readCells(source0, options);
  const { geometry } = zero;
  const one = readCells(source1, { ...options, geometry });
  const lists = [faultsOf(zero.cells, 'stuck-at-0'), faultsOf(one.cells, 'stuck-at-1')];
  const faults = mergeFaults(lists);
  if (faults.cells.length < zero.cells.length + one.cells.length) {
    throw sharedCell(zero, one, [source0, source1]);
  }
  requireFewFaults(faults.cells.length, geometry, source0.file, options);
  return { geometry, faults, notes: zero.notes, repeatedLines: 0 };
}

/** The error about the first cell that is in both matrices. */
function sharedCell(
  zero: CellFile,
  one: CellFile,
  [source0, source1]: readonly [ByteSource, ByteSource],
): InputError {
  const { geometry } = zero;
  let other = 0;
  const cell =
    one.cells.find((candidate) => {
      while (zero.cells[other] < candidate) other += 1;
      return zero.cells[other] === candidate;
    }) ?? 0;
  const row = Math.floor(cell / geometry.columns);
  const column = cell - row * geometry.columns;
  const isArray = isNpy(firstBytes(source1, SIGNATURE_BYTES));
  const place = isArray ? source1.file : placeOfCell(source1, row, column);
  return new InputError(
    `${place}: row ${row}, column ${column} is a fault in ${source0.file}, too; expected each cell in one matrix only.`,
  );
}

/**
 * Writes a map as a pair of 0/1 matrices: the matrix of stuck-at-0, and that of stuck-at-1 faults. The
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
