import { createScratch } from '../../core/index.js';
import { type CellGeometry, type FaultMap, requireGeometry } from '../../fault/index.js';
import { isReliable } from './check-cells.js';
import { hardenedCellTest } from './hardened-cells.js';
import { type MemoryPart, mechanismOf } from './mechanisms.js';
import { memoryNeeds } from './memory-needs.js';
import { createFaultMover, LEFT_OUT } from './moved-faults.js';
import { fillsOf, type Placed, placedStages } from './place.js';
import type { SpareLines } from './spare-allocation/must-repair.js';
import { type BankFaults, repairBank } from './spare-allocation/repair-bank.js';
import type { PlacedWeights, Repairs } from './stages.js';

/** Spare lines in the place of faulty ones, bank by bank. */
export interface LineRepair {
  /** Choose the lines for the faulty cells that a test found; for the map that it was last done for, they stay. */
  choose(known: FaultMap): void;
  /**
   * The faults of a map where they then strike: not in the lines that are replaced, but in their places those of the
   * spare lines.
   *
   * @param number tells apart maps that are in use at once, below 5
   */
  repaired(map: FaultMap, number: number): FaultMap;
  /** Add what became of the banks of a map. */
  count(map: FaultMap, repaired: FaultMap, repairs: Repairs): void;
}

/** What replaces what in a bank: line i of those that are replaced is spare line i. */
interface ReplacedLines {
  readonly rows: Uint32Array;
  readonly spareRows: readonly number[];
  readonly columns: Uint32Array;
  readonly spareColumns: readonly number[];
  readonly provedOptimal: boolean;
  /** Faulty cells that the test found, and those of them in none of the lines. */
  readonly faulty: number;
  readonly uncovered: number;
}

/**
 * The repair of lines. Spare cells that the memory does not have are taken as sound; of those that it has the first
 * without a known faulty cell are used.
 *
 * @returns undefined where no part has spare lines
 */
export function lineRepairOf(
  parts: readonly MemoryPart[],
  placed: PlacedWeights,
): LineRepair | undefined {
  const [spares] = placedStages(parts, placed, (part) =>
    mechanismOf(part).spareLines?.(part, placed),
  );
  if (!spares) return undefined;
  const { geometry } = placed.placement;
  const testBank = bankTestOf(parts, placed, spares);
  const testBanks = bankTester(geometry, testBank);
  const lineMover = lineMoverOf(parts, placed);
  const chosen = new Map<number, ReplacedLines>();
  let latest: FaultMap | undefined;
  return {
    choose(known) {
      if (known === latest) return;
      latest = undefined;
      chosen.clear();
      testBanks(known, (bank, faults) => {
        const repair = repairBank(faults);
        chosen.set(bank, {
          ...repair,
          spareRows: soundLines(repair.rows.length, faults.faultySpareRows),
          spareColumns: soundLines(repair.columns.length, faults.faultySpareColumns),
          faulty: faults.faultRows.length,
        });
      });
      latest = known;
    },
    repaired: (map, number) => lineMover(map, chosen, number),
    count(map, repaired, repairs) {
      if (map === latest) {
        // Nothing is left but what the test found.
        for (const { faulty, uncovered, provedOptimal } of chosen.values()) {
          if (faulty > 0) addBank(repairs, uncovered, provedOptimal);
        }
        return;
      }
      const [before, after] = [map, repaired].map((one) => {
        const cells = new Map<number, number>();
        testBanks(one, (bank, { faultRows }) => {
          if (faultRows.length > 0) cells.set(bank, faultRows.length);
        });
        return cells;
      });
      for (const bank of new Set([...before.keys(), ...after.keys()])) {
        addBank(repairs, after.get(bank) ?? 0, chosen.get(bank)?.provedOptimal ?? true);
      }
    },
  };
}

function addBank(repairs: Repairs, uncovered: number, provedOptimal: boolean): void {
  repairs.banks += 1;
  repairs.repaired += uncovered === 0 ? 1 : 0;
  repairs.notProvedOptimal += provedOptimal ? 0 : 1;
  repairs.uncoveredCells += uncovered;
}

/** The first so many lines that are not faulty. */
function soundLines(count: number, faulty: ArrayLike<number> = []): number[] {
  const unused = new Set(Array.from(faulty));
  const lines: number[] = [];
  for (let line = 0; lines.length < count; line++) if (!unused.has(line)) lines.push(line);
  return lines;
}

/** A function that moves the faults of a map by the lines that are replaced in each bank. */
function lineMoverOf(parts: readonly MemoryPart[], { placement }: PlacedWeights) {
  const { geometry, memory } = placement;
  const firstSpareColumn = geometry.columns - (memory.spareColumns ?? 0);
  const areReliable = parts.some((part) => mechanismOf(part).spareLines && isReliable(part));
  const move = createFaultMover();
  const rowOf = Int32Array.from({ length: geometry.rows }, (_, row) => row);
  const columnOf = Int32Array.from({ length: geometry.columns }, (_, column) => column);
  return (map: FaultMap, chosen: ReadonlyMap<number, ReplacedLines>, number: number): FaultMap => {
    const { rows, columns } = geometry;
    let [lineStart, lineEnd, row, bank] = [0, 0, 0, -1];
    let undo = () => {};
    const cellOf = (cell: number) => {
      if (cell >= lineEnd) {
        const line = Math.floor(cell / columns);
        lineStart = line * columns;
        lineEnd = lineStart + columns;
        const its = Math.floor(line / rows);
        row = line - its * rows;
        if (its !== bank) {
          undo();
          bank = its;
          undo = replaceLines(chosen.get(bank));
        }
      }
      const toRow = rowOf[row];
      const toColumn = columnOf[cell - lineStart];
      if (toRow === LEFT_OUT || toColumn === LEFT_OUT) return LEFT_OUT;
      return (bank * rows + toRow) * columns + toColumn;
    };
    const moved = move(map, cellOf, number);
    undo();
    return moved;
  };

  /** Enter the lines of a bank; the result takes them out. */
  function replaceLines(lines: ReplacedLines | undefined): () => void {
    if (!lines) return () => {};
    const ofRows = replace(rowOf, lines.rows, lines.spareRows, memory.rows);
    const ofColumns = replace(columnOf, lines.columns, lines.spareColumns, firstSpareColumn);
    return () => {
      for (const row of ofRows) rowOf[row] = row;
      for (const column of ofColumns) columnOf[column] = column;
    };
  }

  /** @returns the lines whose places have changed */
  function replace(
    places: Int32Array,
    replaced: Uint32Array,
    spares: readonly number[],
    firstSpare: number,
  ): number[] {
    const lines: number[] = [];
    for (const [index, line] of replaced.entries()) {
      const spare = firstSpare + spares[index];
      places[line] = LEFT_OUT;
      lines.push(line);
      if (spare >= places.length) continue;
      places[spare] = areReliable ? LEFT_OUT : line;
      lines.push(spare);
    }
    return lines;
  }
}

/** A function that visits what a test finds in each bank with a faulty cell. */
function bankTester(
  geometry: CellGeometry,
  testBank: (faults: CellLines, bank: number) => BankFaults,
) {
  const linesOfCells = createScratch((length) => new Uint32Array(length));
  return (map: FaultMap, visit: (bank: number, faults: BankFaults) => void): void => {
    requireGeometry(map, geometry, 'The fault map');
    const { cells } = map;
    const cellsOfBank = geometry.rows * geometry.columns;
    for (let from = 0; from < cells.length; ) {
      const bank = Math.floor(cells[from] / cellsOfBank);
      const end = (bank + 1) * cellsOfBank;
      let to = from;
      while (to < cells.length && cells[to] < end) to++;
      const places = linesOfCells(2 * (to - from));
      visit(bank, testBank(linesOfBank(cells.subarray(from, to), bank, geometry, places), bank));
      from = to;
    }
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
