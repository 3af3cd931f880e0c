import { createRandomStream, InputError, type RandomStream } from '../../core/index.js';
import type { CellGeometry } from '../geometry.js';
import { dataGeometry, dataIndexOfCell } from '../regions.js';

/** Of every bank the same rectangle of cells, which fails by random numbers of its own. */
export interface MemoryPart {
  /** Part of the address of its random streams; 0 is the data cells. */
  readonly number: number;
  /** The part as a memory of its own; its cells are numbered in it. */
  readonly geometry: CellGeometry;
  /** First row and column of the part in each bank. */
  readonly row: number;
  readonly column: number;
}

/**
 * The parts of a memory: its data cells, its check and spare columns, its spare rows. The data cells
 * have the number 0 and, by that, the same streams whatever other parts there are.
 */
export function memoryParts(geometry: CellGeometry): MemoryPart[] {
  const { banks, rows, columns } = geometry;
  const data = dataGeometry(geometry);
  const parts: MemoryPart[] = [
    { number: 0, geometry: data, row: 0, column: 0 },
    {
      number: 1,
      geometry: { banks, rows: data.rows, columns: columns - data.columns },
      row: 0,
      column: data.columns,
    },
    {
      number: 2,
      geometry: { banks, rows: rows - data.rows, columns },
      row: data.rows,
      column: 0,
    },
  ];
  return parts.filter((part) => part.geometry.rows > 0 && part.geometry.columns > 0);
}

/** Index within the memory of a cell of a part. */
export function cellOfPart(memory: CellGeometry, part: MemoryPart, index: number): number {
  const { rows, columns } = part.geometry;
  const line = Math.floor(index / columns);
  const bank = Math.floor(line / rows);
  const row = part.row + line - bank * rows;
  return (bank * memory.rows + row) * memory.columns + part.column + (index - line * columns);
}

/**
 * `cellOfPart` of many, quickest where they ascend.
 *
 * @param cells where they are written, as long as `indices`
 */
export function cellsOfPart(
  memory: CellGeometry,
  part: MemoryPart,
  indices: Float64Array,
  cells: Float64Array = new Float64Array(indices.length),
): Float64Array {
  const { columns } = part.geometry;
  let lineStart = 0;
  let lineEnd = 0;
  /** From the index of a cell of the line to its index within the memory. */
  let offset = 0;
  for (let place = 0; place < indices.length; place += 1) {
    const index = indices[place];
    if (index < lineStart || index >= lineEnd) {
      lineStart = Math.floor(index / columns) * columns;
      lineEnd = lineStart + columns;
      offset = cellOfPart(memory, part, lineStart) - lineStart;
    }
    cells[place] = index + offset;
  }
  return cells;
}

/** The part that holds a cell, by its number, and the cell's index within it. */
export function partOfCell(
  memory: CellGeometry,
  cell: number,
): { readonly part: number; readonly index: number } {
  const index = dataIndexOfCell(memory, cell);
  if (index !== undefined) return { part: 0, index };
  const data = dataGeometry(memory);
  const line = Math.floor(cell / memory.columns);
  const bank = Math.floor(line / memory.rows);
  const row = line - bank * memory.rows;
  const column = cell - line * memory.columns;
  if (row >= data.rows) {
    const spareRows = memory.rows - data.rows;
    return { part: 2, index: (bank * spareRows + row - data.rows) * memory.columns + column };
  }
  const extra = memory.columns - data.columns;
  return { part: 1, index: (bank * data.rows + row) * extra + column - data.columns };
}

/** Parts and regions are told apart in the purpose of a stream: 6 bits of purpose, 2 of part, 24 of region. */
const PART = 64;
const REGION = 256;
/** Regions of one part that have a stream of their own at most. */
export const REGION_LIMIT = 2 ** 24;

/**
 * The random stream of one purpose in one part of a memory, and there in one region (or for one image).
 *
 * @throws InputError when there are more regions than streams (2^24).
 */
export function partStream(
  seed: number,
  trial: number,
  purpose: number,
  part: number,
  region = 0,
): RandomStream {
  if (region >= REGION_LIMIT) {
    throw new InputError(
      `Random streams exist for ${REGION_LIMIT} regions or images, and number ${region} was asked for; use larger regions.`,
    );
  }
  return createRandomStream(seed, trial, purpose + PART * part + REGION * region);
}
