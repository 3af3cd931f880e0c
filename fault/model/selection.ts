import { InputError, requireMemory } from '../../core/index.js';
import { type CellGeometry, formatGeometry } from '../geometry.js';
import { dataCellCount, dataGeometry } from '../regions.js';
import type { FaultScope } from './fault-model.js';

/**
 * Some data cells of a memory, such as those of one layer, in an order of their own. All cells are data
 * indices (see `cellOfDataIndex`).
 */
export interface CellSelection {
  /** In words, for the provenance of a map. */
  readonly name: string;
  readonly count: number;
  /** The cell with a position in the order, 0 ≤ position < count: distinct for distinct positions. */
  at(position: number): number;
  has(cell: number): boolean;
}

/** The data cells for which a predicate holds; visits every data cell, so it is for small memories. */
export function selectCells(
  geometry: CellGeometry,
  name: string,
  isSelected: (dataIndex: number) => boolean,
): CellSelection {
  const selected: number[] = [];
  const count = dataCellCount(geometry);
  for (let cell = 0; cell < count; cell += 1) if (isSelected(cell)) selected.push(cell);
  return { name, count: selected.length, at: (position) => selected[position], has: isSelected };
}

/** A bank or column in a list and in a set. */
const BYTES_PER_LINE = 60;

/**
 * The columns of a data row that store the given bits of a weight, ascending. A memory word holds as many whole weights
 * as it has room for, in its lowest bits; where it is narrower than a weight, its bits divide those of a weight, which
 * takes several words of the row.
 *
 * @throws InputError where weights cannot lie so, or which bits a column stores depends on the row
 */
function columnsOfBits(columns: number, bits: NonNullable<FaultScope['bits']>): number[] {
  const { positions, weightBits, columnMux } = bits;
  const wordBits = columns / columnMux;
  const what = `The scope has weights of ${weightBits} bits and column mux ${columnMux}, but rows have ${columns} data columns`;
  if (!Number.isInteger(wordBits)) {
    throw new InputError(`${what}, which is no multiple of ${columnMux}.`);
  }
  const usedBits = Math.floor(wordBits / weightBits) * weightBits;
  const wordsPerWeight = usedBits > 0 ? 1 : weightBits / wordBits;
  if (!Number.isInteger(wordsPerWeight)) {
    throw new InputError(
      `${what}: words of ${wordBits} bits, which hold no whole weight and do not divide one.`,
    );
  }
  if (columnMux % wordsPerWeight !== 0) {
    throw new InputError(
      `${what}: a weight takes ${wordsPerWeight} words of ${wordBits} bits in several rows, so no column stores one bit of weights.`,
    );
  }
  const wanted = new Set(positions);
  const isWanted = (column: number) => {
    const bit = Math.floor(column / columnMux);
    if (wordsPerWeight > 1) return wanted.has((column % wordsPerWeight) * wordBits + bit);
    return bit < usedBits && wanted.has(bit % weightBits);
  };
  return Array.from({ length: columns }, (_, column) => column).filter(isWanted);
}

/**
 * The data cells of a scope, in ascending order of its banks, rows and columns.
 *
 * @throws InputError when the memory has no such bank, or as `columnsOfBits` does.
 */
export function selectionOfScope(geometry: CellGeometry, scope: FaultScope): CellSelection {
  const { banks, rows, columns } = dataGeometry(geometry);
  requireMemory((banks + columns) * BYTES_PER_LINE, `A scope in ${formatGeometry(geometry)}`);
  const chosen =
    scope.banks?.toSorted((a, b) => a - b) ?? Array.from({ length: banks }, (_, bank) => bank);
  const missing = chosen.find((bank) => bank >= banks);
  if (missing !== undefined) {
    throw new InputError(
      `The scope names bank ${missing}, but the memory has the banks 0 to ${banks - 1}.`,
    );
  }
  const lines =
    scope.bits === undefined
      ? Array.from({ length: columns }, (_, column) => column)
      : columnsOfBits(columns, scope.bits);
  const isBank = new Set(chosen);
  const isColumn = new Set(lines);
  return {
    name: 'scope',
    count: chosen.length * rows * lines.length,
    at(position) {
      const line = Math.floor(position / lines.length);
      const column = lines[position - line * lines.length];
      const bank = Math.floor(line / rows);
      return (chosen[bank] * rows + (line - bank * rows)) * columns + column;
    },
    has(cell) {
      const line = Math.floor(cell / columns);
      return isBank.has(Math.floor(line / rows)) && isColumn.has(cell - line * columns);
    },
  };
}

/** The cells that are in both selections. The second one is walked, so it is the smaller one at best. */
export function intersectSelections(a: CellSelection, b: CellSelection): CellSelection {
  const cells: number[] = [];
  for (let position = 0; position < b.count; position += 1) {
    const cell = b.at(position);
    if (a.has(cell)) cells.push(cell);
  }
  return {
    name: b.name,
    count: cells.length,
    at: (position) => cells[position],
    has: (cell) => a.has(cell) && b.has(cell),
  };
}
