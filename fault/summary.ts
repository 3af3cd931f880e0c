import {
  type CellGeometry,
  cellCount,
  FAULT_KINDS,
  type FaultKind,
  type FaultMap,
} from './fault-map.js';

/** How the faults of a map lie on its banks, rows or columns. */
export interface LineSummary<Line> {
  /** Number of lines with at least one fault. */
  readonly faulty: number;
  /** The line with the most faults, the first of equals; undefined when there are none. */
  readonly worst: (Line & { readonly faults: number }) | undefined;
}

/** What a fault map holds, in totals. */
export interface FaultMapSummary {
  readonly geometry: CellGeometry;
  readonly cells: number;
  readonly faults: number;
  /** Share of the cells that are faulty. */
  readonly rate: number;
  readonly kinds: Readonly<Record<FaultKind, number>>;
  readonly banks: LineSummary<{ readonly bank: number }>;
  /** A row (word line) of one bank. */
  readonly rows: LineSummary<{ readonly bank: number; readonly row: number }>;
  /** A column (bit line) of one bank. */
  readonly columns: LineSummary<{ readonly bank: number; readonly column: number }>;
}

/** Counts runs of equal numbers in an ascending list of line numbers. */
function summarizeLines<Line>(
  lines: Float64Array,
  describe: (line: number) => Line,
): LineSummary<Line> {
  let faulty = 0;
  let worst = -1;
  let faults = 0;
  let start = 0;
  for (let end = 1; end <= lines.length; end += 1) {
    if (lines[end] === lines[start]) continue;
    faulty += 1;
    if (end - start > faults) {
      worst = lines[start];
      faults = end - start;
    }
    start = end;
  }
  return { faulty, worst: faulty === 0 ? undefined : { ...describe(worst), faults } };
}

/** Totals of a fault map: per kind, and by bank, row and column. */
export function summarizeFaultMap(map: FaultMap): FaultMapSummary {
  const { geometry } = map;
  const { rows, columns } = geometry;
  const kinds = { 'stuck-at-0': 0, 'stuck-at-1': 0, flip: 0 };
  for (const kind of map.kinds) kinds[FAULT_KINDS[kind]] += 1;
  const rowLines = map.cells.map((cell) => Math.floor(cell / columns));
  const bankLines = rowLines.map((line) => Math.floor(line / rows));
  const columnLines = map.cells
    .map((cell, fault) => bankLines[fault] * columns + (cell % columns))
    .sort();
  const cells = cellCount(geometry);
  return {
    geometry,
    cells,
    faults: map.cells.length,
    rate: map.cells.length / cells,
    kinds,
    banks: summarizeLines(bankLines, (bank) => ({ bank })),
    rows: summarizeLines(rowLines, (line) => ({
      bank: Math.floor(line / rows),
      row: line % rows,
    })),
    columns: summarizeLines(columnLines, (line) => ({
      bank: Math.floor(line / columns),
      column: line % columns,
    })),
  };
}
