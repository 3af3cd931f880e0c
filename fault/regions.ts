import { type CellGeometry, cellAt } from './geometry.js';

/**
 * What a cell is for: `data` holds weights, `check` holds check bits, and the two kinds of spare cells
 * replace others. A cell of a spare row is `spare-row` whatever its column.
 */
export type CellRegion = 'data' | 'check' | 'spare-column' | 'spare-row';

/** The data cells of a memory as a memory of their own: the same geometry without spare and check cells. */
export function dataGeometry(geometry: CellGeometry): CellGeometry {
  const { banks, rows, columns, spareRows = 0, checkColumns = 0, spareColumns = 0 } = geometry;
  return { banks, rows: rows - spareRows, columns: columns - checkColumns - spareColumns };
}

/** Number of data cells of a geometry: those that are neither spare nor check cells. */
export function dataCellCount(geometry: CellGeometry): number {
  const { banks, rows, columns } = dataGeometry(geometry);
  return banks * rows * columns;
}

/**
 * The cell with a given data index, 0 ≤ index < dataCellCount(geometry). Data cells are numbered as the
 * cells of `dataGeometry`, so a data cell has the same data index however many spare and check cells
 * there are.
 */
export function cellOfDataIndex(geometry: CellGeometry, index: number): number {
  const data = dataGeometry(geometry);
  const line = Math.floor(index / data.columns);
  const column = index - line * data.columns;
  const bank = Math.floor(line / data.rows);
  const row = line - bank * data.rows;
  return (bank * geometry.rows + row) * geometry.columns + column;
}

/** Data index of a cell; the inverse of `cellOfDataIndex`, and undefined for spare and check cells. */
export function dataIndexOfCell(geometry: CellGeometry, cell: number): number | undefined {
  const data = dataGeometry(geometry);
  const { bank, row, column } = cellAt(geometry, cell);
  if (row >= data.rows || column >= data.columns) return undefined;
  return (bank * data.rows + row) * data.columns + column;
}

/** What a cell is for, by its index. */
export function regionOf(geometry: CellGeometry, cell: number): CellRegion {
  const data = dataGeometry(geometry);
  const { row, column } = cellAt(geometry, cell);
  if (row >= data.rows) return 'spare-row';
  if (column < data.columns) return 'data';
  return column < geometry.columns - (geometry.spareColumns ?? 0) ? 'check' : 'spare-column';
}
