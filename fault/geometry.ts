import { InputError } from '../core/index.js';

/**
 * A memory as a fault map sees it: one bit of SRAM at (bank, row, column). `rows` and `columns` count all
 * cells of a bank: data first, then check columns, then spare columns; spare rows are the last rows.
 */
export interface CellGeometry {
  readonly banks: number;
  readonly rows: number;
  readonly columns: number;
  /** Of `rows`, how many are spare; undefined is none. */
  readonly spareRows?: number | undefined;
  /** Of `columns`, how many hold check bits; undefined is none. */
  readonly checkColumns?: number | undefined;
  /** Of `columns`, how many are spare; undefined is none. */
  readonly spareColumns?: number | undefined;
}

/** One bit of SRAM. */
export interface Cell {
  readonly bank: number;
  readonly row: number;
  readonly column: number;
}

/** Number of cells of a geometry. */
export function cellCount(geometry: CellGeometry): number {
  return geometry.banks * geometry.rows * geometry.columns;
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

const EXTRAS = ['spareRows', 'checkColumns', 'spareColumns'] as const;
const EXTRA_NAMES = {
  spareRows: 'spare rows',
  checkColumns: 'check columns',
  spareColumns: 'spare columns',
} as const;

/** A geometry in words, for messages and listings. */
export function formatGeometry(geometry: CellGeometry): string {
  const { banks, rows, columns } = geometry;
  const extras = EXTRAS.filter((name) => (geometry[name] ?? 0) !== 0).map(
    (name) => `${geometry[name]} ${EXTRA_NAMES[name]}`,
  );
  const including = extras.length === 0 ? '' : ` (of them ${extras.join(', ')})`;
  return `${banks} banks × ${rows} rows × ${columns} columns${including}`;
}

/** A geometry with its fields in a fixed order and without those that are zero. */
export function plainGeometry(geometry: CellGeometry): CellGeometry {
  const { banks, rows, columns } = geometry;
  const extras = EXTRAS.filter((name) => (geometry[name] ?? 0) !== 0);
  return {
    banks,
    rows,
    columns,
    ...Object.fromEntries(extras.map((name) => [name, geometry[name]])),
  };
}

/**
 * Checks that a geometry has at least one data cell and that cell indices are exact in a float64.
 *
 * @param where What the geometry belongs to, at the start of the message.
 * @throws InputError otherwise.
 */
export function checkGeometry(geometry: CellGeometry, where: string): void {
  const { banks, rows, columns, spareRows = 0, checkColumns = 0, spareColumns = 0 } = geometry;
  const positive = [banks, rows, columns].every((size) => Number.isSafeInteger(size) && size > 0);
  if (!positive || !Number.isSafeInteger(cellCount(geometry))) {
    throw new InputError(
      `${where} has ${formatGeometry(geometry)}; each must be a positive whole number, and their product below 2^53.`,
    );
  }
  const whole = [spareRows, checkColumns, spareColumns].every(
    (size) => Number.isSafeInteger(size) && size >= 0,
  );
  if (!whole || spareRows >= rows || checkColumns + spareColumns >= columns) {
    throw new InputError(
      `${where} has ${formatGeometry(geometry)}; spare and check cells are counted within the rows and columns and must leave at least one data row and data column.`,
    );
  }
}

/** Whether two geometries are the same memory. */
export function equalGeometries(a: CellGeometry, b: CellGeometry): boolean {
  return (
    a.banks === b.banks &&
    a.rows === b.rows &&
    a.columns === b.columns &&
    EXTRAS.every((name) => (a[name] ?? 0) === (b[name] ?? 0))
  );
}
