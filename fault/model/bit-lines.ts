import type { CellGeometry } from '../geometry.js';
import type { FaultPlaces } from './fault-model.js';

export type WeakLines = Extract<FaultPlaces, { model: 'weak-lines' }>;

/** How the columns of a memory are divided into lines that are weak or strong as a whole. */
export type LineShape = Pick<WeakLines, 'rows' | 'rowStride' | 'pairDistance'>;

/** The lines of a memory, numbered by bank, column, segment of rows, and first row; see `FaultModel`. */
export interface BitLines {
  readonly count: number;
  /** Places of faults in a line: cells, or pairs of cells. */
  lengthOf(line: number): number;
  /** The cell at a position in a line, or the two of a pair. */
  cellsAt(line: number, position: number): readonly number[];
  /** The line of a cell, and its position there; both cells of a pair have the same. */
  placeOf(cell: number): { readonly line: number; readonly position: number };
}

/**
 * The bit lines of a memory. Cells are numbered as those of `geometry`, whose spare and check cells are not told from
 * others.
 */
export function bitLinesOf(
  { rows: segmentRows, rowStride, pairDistance }: LineShape,
  { banks, rows, columns }: CellGeometry,
): BitLines {
  const height = Math.min(segmentRows ?? rows, rows);
  const segments = Math.ceil(rows / height);
  const strides = Math.min(rowStride, height);
  const perColumn = segments * strides;
  const firstColumns = firstColumnsOf(columns, pairDistance);

  function partsOf(line: number) {
    const column = Math.floor(line / perColumn);
    const within = line - column * perColumn;
    const segment = Math.floor(within / strides);
    const bank = Math.floor(column / firstColumns.count);
    const first = firstColumns.at(column - bank * firstColumns.count);
    return { bank, column: first, segment, phase: within - segment * strides };
  }

  return {
    count: banks * firstColumns.count * perColumn,
    lengthOf(line) {
      const { segment, phase } = partsOf(line);
      const segmentHeight = Math.min(height, rows - segment * height);
      return Math.max(0, Math.ceil((segmentHeight - phase) / strides));
    },
    cellsAt(line, position) {
      const { bank, column, segment, phase } = partsOf(line);
      const row = segment * height + phase + position * strides;
      const cell = (bank * rows + row) * columns + column;
      const partner = column + (pairDistance ?? columns);
      return partner < columns ? [cell, cell + partner - column] : [cell];
    },
    placeOf(cell) {
      const wordLine = Math.floor(cell / columns);
      const bank = Math.floor(wordLine / rows);
      const row = wordLine - bank * rows;
      const segment = Math.floor(row / height);
      const inSegment = row - segment * height;
      const position = Math.floor(inSegment / strides);
      const column = bank * firstColumns.count + firstColumns.indexOf(cell - wordLine * columns);
      return {
        line: (column * segments + segment) * strides + (inSegment - position * strides),
        position,
      };
    },
  };
}

/** Of each 2d columns the first d, which are paired with the others; without a distance all columns. */
function firstColumnsOf(columns: number, pairDistance: number | undefined) {
  if (pairDistance === undefined) {
    return { count: columns, at: (index: number) => index, indexOf: (column: number) => column };
  }
  const block = 2 * pairDistance;
  const whole = Math.floor(columns / block);
  return {
    count: whole * pairDistance + Math.min(pairDistance, columns - whole * block),
    at(index: number) {
      const number = Math.floor(index / pairDistance);
      return number * block + (index - number * pairDistance);
    },
    indexOf(column: number) {
      const number = Math.floor(column / block);
      return number * pairDistance + ((column - number * block) % pairDistance);
    },
  };
}
