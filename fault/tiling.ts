import { InputError, requireMemory } from '../core/index.js';
import { sortFaults } from './fault-list.js';
import type { FaultMap, MapPlacement, Tiling } from './fault-map.js';
import { type CellGeometry, cellAt, cellCount, checkGeometry, formatGeometry } from './geometry.js';

/** How a map lies in a larger memory. */
export interface TilingOptions {
  /** `once`: at the offset; `repeat`: again and again; `macros`: each bank of the map as a macro. */
  readonly tile: Tiling;
  /** Bank, row and column; default: 0, 0, 0. */
  readonly offset?: readonly [bank: number, row: number, column: number] | undefined;
}

/** A map in a larger memory. */
export interface PlacedFaultMap {
  readonly map: FaultMap;
  /** Cells of the memory that the measured map says something of. */
  readonly coveredCells: number;
}

/** Banks, rows and columns. */
type Sizes = readonly [number, number, number];

const AXES = ['bank', 'row', 'column'] as const;

function sizesOf({ banks, rows, columns }: CellGeometry): Sizes {
  return [banks, rows, columns];
}

/**
 * A measured map on a larger memory. `once`: the cell (bank, row, column) of the map is the cell at the offset plus
 * it. `repeat`: a cell of the memory is the cell of the map at its own place less the offset, modulo the sizes of the
 * map. `macros`: each bank of the map is a macro; macros fill a bank of the memory from left to right, then
 * downwards, then the next bank; after the last macro comes the first again. Macros that do not fit whole are cut
 * off, as copies of `repeat` are.
 *
 * @throws InputError when the map does not fit, or one of the memories has spare or check cells
 */
export function placeFaultMap(
  map: FaultMap,
  onto: CellGeometry,
  { tile, offset = [0, 0, 0] }: TilingOptions,
): PlacedFaultMap {
  checkGeometry(onto, 'the memory to place the map on');
  requireDataAlone(map.geometry, 'the map');
  requireDataAlone(onto, 'the memory to place it on');
  requireOffset(map.geometry, onto, tile, offset);
  const copies = copiesOf(map.geometry, onto, tile, offset);
  const most = map.cells.length * copies.perCell;
  requireMemory(27 * most, `the map placed on a memory of ${formatGeometry(onto)}`);
  const cells: number[] = [];
  const kinds: number[] = [];
  map.cells.forEach((cell, fault) => {
    copies.forEach(cell, (target) => {
      cells.push(target);
      kinds.push(map.kinds[fault]);
    });
  });
  const faults = sortFaults({ cells: Float64Array.from(cells), kinds: Uint8Array.from(kinds) });
  const { banks, rows, columns } = map.geometry;
  const placed: MapPlacement = { tile, banks, rows, columns, offset };
  const { provenance } = map;
  return {
    map: {
      geometry: onto,
      ...faults,
      provenance: provenance.source === 'file' ? { ...provenance, placed } : provenance,
    },
    coveredCells: tile === 'once' ? cellCount(map.geometry) : cellCount(onto),
  };
}

function requireDataAlone(geometry: CellGeometry, what: string): void {
  const { spareRows = 0, checkColumns = 0, spareColumns = 0 } = geometry;
  if (spareRows + checkColumns + spareColumns === 0) return;
  throw new InputError(
    `${what} has ${formatGeometry(geometry)}; a map is placed on memories without spare and check cells only.`,
  );
}

function requireOffset(from: CellGeometry, onto: CellGeometry, tile: Tiling, offset: Sizes): void {
  if (tile === 'macros' && offset.some((part) => part !== 0)) {
    throw new InputError('macros fill a memory from its first cell; leave --offset away');
  }
  const [sizes, limits] = [sizesOf(from), sizesOf(onto)];
  AXES.forEach((axis, index) => {
    const start = offset[index];
    if (tile === 'once' && start + sizes[index] > limits[index]) {
      throw new InputError(
        `the map does not fit: with the offset ${offset.join(',')} it has ${axis}s ${start} to ${start + sizes[index] - 1}, but the memory has ${limits[index]} ${axis}s`,
      );
    }
  });
}

/** The cells of the memory that a cell of the map stands for. */
interface Copies {
  /** At most so many for one cell. */
  readonly perCell: number;
  forEach(cell: number, visit: (target: number) => void): void;
}

function copiesOf(from: CellGeometry, onto: CellGeometry, tile: Tiling, offset: Sizes): Copies {
  const [sizes, limits] = [sizesOf(from), sizesOf(onto)];
  const cellOf = (bank: number, row: number, column: number) =>
    (bank * onto.rows + row) * onto.columns + column;
  if (tile === 'once') {
    return {
      perCell: 1,
      forEach(cell, visit) {
        const { bank, row, column } = cellAt(from, cell);
        visit(cellOf(bank + offset[0], row + offset[1], column + offset[2]));
      },
    };
  }
  if (tile === 'repeat') {
    const firsts = (axis: number, place: number) => (place + offset[axis]) % sizes[axis];
    return {
      perCell: limits.reduce((product, limit, axis) => product * Math.ceil(limit / sizes[axis]), 1),
      forEach(cell, visit) {
        const { bank, row, column } = cellAt(from, cell);
        for (let b = firsts(0, bank); b < limits[0]; b += sizes[0]) {
          for (let r = firsts(1, row); r < limits[1]; r += sizes[1]) {
            for (let c = firsts(2, column); c < limits[2]; c += sizes[2]) visit(cellOf(b, r, c));
          }
        }
      },
    };
  }
  const [across, down] = [Math.ceil(onto.columns / from.columns), Math.ceil(onto.rows / from.rows)];
  const macros = across * down * onto.banks;
  return {
    perCell: Math.ceil(macros / from.banks),
    forEach(cell, visit) {
      const { bank, row, column } = cellAt(from, cell);
      for (let macro = bank; macro < macros; macro += from.banks) {
        const line = Math.floor(macro / across);
        const targetRow = (line % down) * from.rows + row;
        const targetColumn = (macro % across) * from.columns + column;
        if (targetRow < onto.rows && targetColumn < onto.columns) {
          visit(cellOf(Math.floor(line / down), targetRow, targetColumn));
        }
      }
    },
  };
}
