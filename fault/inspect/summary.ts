import { requireMemory } from '../../core/index.js';
import { FAULT_KINDS, type FaultKind } from '../fault-kind.js';
import type { FaultMap } from '../fault-map.js';
import { type CellGeometry, cellCount } from '../geometry.js';
import { type CellRegion, regionOf } from '../regions.js';
import { type Dispersion, dispersionOf } from './dispersion.js';
import { type LineCounts, lineCountsOf, varianceToMean } from './line-counts.js';
import { type PairShare, pairShares } from './pair-share.js';
import { type RowParity, rowParityOf } from './row-parity.js';

/** How the faults of a map lie on its banks, rows or columns. */
export interface LineSummary<Line> {
  /** Number of lines with at least one fault. */
  readonly faulty: number;
  /** The lines with the most faults, of equals the first ones first; at most WORST_LINES. */
  readonly worst: readonly (Line & { readonly faults: number })[];
  /** Variance of the faults of all lines over their mean; see `varianceToMean`. */
  readonly varianceToMean: number | undefined;
  /**
   * Test against uniform faults, its p-value corrected for the tests of a summary (banks, rows and columns);
   * undefined where there is nothing to test.
   */
  readonly dispersion: Dispersion | undefined;
}

/** How many of the worst lines a summary names. */
export const WORST_LINES = 5;

/** What a fault map holds, in totals. */
export interface FaultMapSummary {
  readonly geometry: CellGeometry;
  readonly cells: number;
  readonly faults: number;
  /** Share of the cells that are faulty. */
  readonly rate: number;
  readonly kinds: Readonly<Record<FaultKind, number>>;
  /** Faults by what their cells are for. */
  readonly regions: Readonly<Record<CellRegion, number>>;
  readonly banks: LineSummary<{ readonly bank: number }>;
  /** A row (word line) of one bank. */
  readonly rows: LineSummary<{ readonly bank: number; readonly row: number }>;
  /** A column (bit line) of one bank. */
  readonly columns: LineSummary<{ readonly bank: number; readonly column: number }>;
  /** The distances in a word line at which most faults have a partner. */
  readonly pairs: readonly PairShare[];
  readonly rowParity: RowParity | undefined;
}

/** Positions of the largest values, of equals the first ones first. */
function largest(values: readonly number[], count: number): number[] {
  const chosen: number[] = [];
  values.forEach((value, position) => {
    const last = chosen.at(-1);
    if (chosen.length === count && last !== undefined && values[last] >= value) return;
    const rank = chosen.findIndex((other) => values[other] < value);
    chosen.splice(rank < 0 ? chosen.length : rank, 0, position);
    if (chosen.length > count) chosen.pop();
  });
  return chosen;
}

function summarizeLines<Line>(
  lineCounts: LineCounts,
  { cells, looks }: { readonly cells: number; readonly looks: number },
  describe: (line: number) => Line,
): LineSummary<Line> {
  const { all, lines, counts } = lineCounts;
  return {
    faulty: lines.length,
    worst: largest(counts, WORST_LINES).map((position) => ({
      ...describe(lines[position]),
      faults: counts[position],
    })),
    varianceToMean: varianceToMean(lineCounts),
    dispersion: dispersionOf(counts, all, cells, looks),
  };
}

/** A count, and a line of a listing. */
const BYTES_PER_BANK = 100;

/** Number of faults of each bank. */
export function faultsPerBank({ geometry, cells }: FaultMap): Float64Array {
  requireMemory(geometry.banks * BYTES_PER_BANK, `Counting the faults of ${geometry.banks} banks`);
  const counts = new Float64Array(geometry.banks);
  for (const cell of cells) counts[Math.floor(cell / (geometry.rows * geometry.columns))] += 1;
  return counts;
}

/** Totals of a fault map: per kind and region, by bank, row and column, and the pairs in word lines. */
export function summarizeFaultMap(map: FaultMap): FaultMapSummary {
  const { geometry } = map;
  const { rows, columns } = geometry;
  const kinds = { 'stuck-at-0': 0, 'stuck-at-1': 0, flip: 0 };
  for (const kind of map.kinds) kinds[FAULT_KINDS[kind]] += 1;
  const regions = { data: 0, check: 0, 'spare-column': 0, 'spare-row': 0 };
  for (const cell of map.cells) regions[regionOf(geometry, cell)] += 1;
  const counts = lineCountsOf(map);
  const cells = cellCount(geometry);
  const looks = Object.values(counts).filter(({ all }) => all > 1).length;
  const tests = { cells, looks };
  return {
    geometry,
    cells,
    faults: map.cells.length,
    rate: map.cells.length / cells,
    kinds,
    regions,
    banks: summarizeLines(counts.banks, tests, (bank) => ({ bank })),
    rows: summarizeLines(counts.rows, tests, (line) => ({
      bank: Math.floor(line / rows),
      row: line % rows,
    })),
    columns: summarizeLines(counts.columns, tests, (line) => ({
      bank: Math.floor(line / columns),
      column: line % columns,
    })),
    pairs: pairShares(map),
    rowParity: rowParityOf(map),
  };
}
