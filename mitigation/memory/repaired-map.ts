import { createScratch } from '../../core/index.js';
import { type CellGeometry, type FaultMap, requireGeometry } from '../../fault/index.js';
import { isReliable } from './check-cells.js';
import { hardenedCellTest } from './hardened-cells.js';
import { type MemoryPart, mechanismOf } from './mechanisms.js';
import { memoryNeeds } from './memory-needs.js';
import { fillsOf, type Placed, placedStages } from './place.js';
import type { SpareLines } from './spare-allocation/must-repair.js';
import { type BankFaults, repairBank } from './spare-allocation/repair-bank.js';
import type { PlacedWeights, Repairs } from './stages.js';

/**
 * A function that leaves out of a map the faults in lines that spare ones replace, bank by bank. Spare cells that the
 * memory does not have are taken as sound; of those that it has the first are used.
 *
 * @returns undefined where no part has spare lines
 */
export function repairerOf(
  parts: readonly MemoryPart[],
  placed: PlacedWeights,
): ((map: FaultMap, repairs?: Repairs) => FaultMap) | undefined {
  const [spares] = placedStages(parts, placed, (part) =>
    mechanismOf(part).spareLines?.(part, placed),
  );
  if (!spares) return undefined;
  const { geometry } = placed.placement;
  const testBank = bankTestOf(parts, placed, spares);
  const keptCells = createScratch((length) => new Float64Array(length));
  const keptKinds = createScratch((length) => new Uint8Array(length));
  const linesOfCells = createScratch((length) => new Uint32Array(length));
  const isRow = new Uint8Array(geometry.rows);
  const isColumn = new Uint8Array(geometry.columns);

  return (map, repairs) => {
    requireGeometry(map, geometry, 'The fault map');
    const { cells, kinds } = map;
    const kept = { cells: keptCells(cells.length), kinds: keptKinds(cells.length) };
    const cellsOfBank = geometry.rows * geometry.columns;
    let count = 0;
    for (let from = 0; from < cells.length; ) {
      const bank = Math.floor(cells[from] / cellsOfBank);
      const end = (bank + 1) * cellsOfBank;
      let to = from;
      while (to < cells.length && cells[to] < end) to++;
      const faults = linesOfBank(
        cells.subarray(from, to),
        bank,
        geometry,
        linesOfCells(2 * (to - from)),
      );
      const tested = testBank(faults, bank);
      const { rows, columns, uncovered, provedOptimal } = repairBank(tested);
      for (const row of rows) isRow[row] = 1;
      for (const column of columns) isColumn[column] = 1;
      for (let fault = from; fault < to; fault++) {
        if (isRow[faults.rows[fault - from]] | isColumn[faults.columns[fault - from]]) continue;
        kept.cells[count] = cells[fault];
        kept.kinds[count++] = kinds[fault];
      }
      for (const row of rows) isRow[row] = 0;
      for (const column of columns) isColumn[column] = 0;
      if (repairs && tested.faultRows.length > 0) {
        repairs.banks += 1;
        repairs.repaired += uncovered === 0 ? 1 : 0;
        repairs.notProvedOptimal += provedOptimal ? 0 : 1;
        repairs.uncoveredCells += uncovered;
      }
      from = to;
    }
    return { ...map, cells: kept.cells.subarray(0, count), kinds: kept.kinds.subarray(0, count) };
  };
}

/** Faulty cells of one bank, fault by fault. */
interface CellLines {
  readonly rows: Uint32Array;
  readonly columns: Uint32Array;
}

/** @param places where the lines are written, at least two for each cell */
function linesOfBank(
  cells: Float64Array,
  bank: number,
  geometry: CellGeometry,
  places: Uint32Array,
): CellLines {
  const first = bank * geometry.rows * geometry.columns;
  const rows = places.subarray(0, cells.length);
  const columns = places.subarray(cells.length, 2 * cells.length);
  let row = 0;
  let rowEnd = first + geometry.columns;
  for (let fault = 0; fault < cells.length; fault++) {
    for (; cells[fault] >= rowEnd; rowEnd += geometry.columns) row += 1;
    rows[fault] = row;
    columns[fault] = cells[fault] - (rowEnd - geometry.columns);
  }
  return { rows, columns };
}

/**
 * A function that says what a test finds in a bank: the faulty cells among its data and the check bits that the parts
 * use, in words where the spare lines stand, and the faulty spare lines. Hardened cells do not fail.
 */
function bankTestOf(
  parts: readonly MemoryPart[],
  placed: PlacedWeights,
  { stage: spares, isPlaced }: Placed<SpareLines>,
): (faults: CellLines, bank: number) => BankFaults {
  const { memory, geometry } = placed.placement;
  const { rows, columnMux, wordBits, checkBits = 0, spareColumns = 0 } = memory;
  const usedBits = wordBits + Math.min(checkBits, memoryNeeds(parts, placed).checkBits);
  const usedColumns = usedBits * columnMux;
  const firstSpareColumn = geometry.columns - spareColumns;
  const isHardened = hardenedCellTest(parts, placed);
  const areSparesReliable = parts.some((part) => mechanismOf(part).spareLines && isReliable(part));
  const fillsAt = fillsOf(placed.placement);
  const isTested = (address: number, bit: number) => {
    if (isHardened?.(address, bit)) return false;
    if (!isPlaced) return true;
    for (let fill = 0; fill < Math.max(1, fillsAt(address)); fill++) {
      if (isPlaced(address, fill)) return true;
    }
    return false;
  };

  const testsAll = !isHardened && !isPlaced;
  const muxShift = 31 - Math.clz32(columnMux);

  return (faults, bank) => {
    const faultRows = new Uint32Array(faults.rows.length);
    const faultColumns = new Uint32Array(faults.rows.length);
    const faultySpareRows: number[] = [];
    const faultySpareColumns: number[] = [];
    let count = 0;
    for (let fault = 0; fault < faults.rows.length; fault++) {
      const row = faults.rows[fault];
      const column = faults.columns[fault];
      const spareColumn = column - firstSpareColumn;
      const isUsedSpare = spareColumn >= 0 && spareColumn < spares.columns;
      if (column >= usedColumns && !isUsedSpare) continue;
      if (areSparesReliable && (row >= rows || isUsedSpare)) continue;
      const bit = column >>> muxShift;
      if (row >= rows && bit >= wordBits && isHardened?.(0, bit)) continue;
      if (row >= rows) {
        if (row - rows < spares.rows) faultySpareRows.push(row - rows);
      } else if (isUsedSpare) {
        faultySpareColumns.push(spareColumn);
      } else {
        const address = (bank * rows + row) * columnMux + (column & (columnMux - 1));
        if (!testsAll && !isTested(address, bit)) continue;
        faultRows[count] = row;
        faultColumns[count++] = column;
      }
    }
    return {
      faultRows: faultRows.subarray(0, count),
      faultColumns: faultColumns.subarray(0, count),
      spareRows: spares.rows,
      spareColumns: spares.columns,
      faultySpareRows,
      faultySpareColumns,
    };
  };
}
