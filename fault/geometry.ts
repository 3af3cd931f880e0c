import { InputError } from '../core/index.js';
import { type CellGeometry, cellCount, type FaultMap } from './fault-map.js';

/** One bit of SRAM. */
export interface Cell {
  readonly bank: number;
  readonly row: number;
  readonly column: number;
}

/** The cell with a given index, 0 ≤ index < cellCount(geometry); the inverse of `cellIndex`. */
export function cellAt(geometry: CellGeometry, index: number): Cell {
  const line = Math.floor(index / geometry.columns);
  return {
    bank: Math.floor(line / geometry.rows),
    row: line % geometry.rows,
    column: index % geometry.columns,
  };
}

/** Index of a cell within its geometry: (bank · rows + row) · columns + column. */
export function cellIndex(geometry: CellGeometry, cell: Cell): number {
  return (cell.bank * geometry.rows + cell.row) * geometry.columns + cell.column;
}

/** A geometry in words, for messages and listings. */
export function formatGeometry({ banks, rows, columns }: CellGeometry): string {
  return `${banks} banks × ${rows} rows × ${columns} columns`;
}

/**
 * Checks that a geometry has at least one cell and that cell indices are exact in a float64.
 *
 * @param where What the geometry belongs to, at the start of the message.
 * @throws InputError otherwise.
 */
export function checkGeometry(geometry: CellGeometry, where: string): void {
  const { banks, rows, columns } = geometry;
  const positive = [banks, rows, columns].every((size) => Number.isSafeInteger(size) && size > 0);
  if (!positive || !Number.isSafeInteger(cellCount(geometry))) {
    throw new InputError(
      `${where} has ${formatGeometry(geometry)}; each must be a positive whole number, and their product below 2^53.`,
    );
  }
}

/**
 * Checks that a fault map is for the memory it is to be used with.
 *
 * @param where Name of the map (its file), at the start of the message.
 * @throws InputError that states both geometries when they differ.
 */
export function requireGeometry(map: FaultMap, geometry: CellGeometry, where: string): void {
  const found = map.geometry;
  const equal =
    found.banks === geometry.banks &&
    found.rows === geometry.rows &&
    found.columns === geometry.columns;
  if (!equal) {
    throw new InputError(
      `${where} is for a memory of ${formatGeometry(found)}, but this weight memory has ${formatGeometry(geometry)}; use a map that was made for it.`,
    );
  }
}
