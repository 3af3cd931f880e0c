import { requireMemory } from '../../core/index.js';
import type { FaultList } from '../fault-list.js';

/** Two reports of one cell that contradict each other. */
export interface Contradiction {
  readonly cell: number;
  readonly firstKind: number;
  readonly secondKind: number;
  /** How many reports came before each of them. */
  readonly firstReport: number;
  readonly secondReport: number;
}

/** The distinct faults of a log. */
export interface MergedLog {
  readonly faults: FaultList;
  /** Lines that report faults, all of them reported on earlier lines already. */
  readonly repeatedLines: number;
}

/** What becomes of a cell that is reported with two kinds: an error, or a fault of a third kind. */
export type KindConflict = 'contradiction' | { readonly becomes: number };

/** Faults as a log reports them, line by line; a cell may be reported any number of times. */
export interface FaultLog {
  /** The reports that follow are of another line. */
  startLine(): void;
  /** Adds a fault, its kind an index into FAULT_KINDS. */
  add(cell: number, kind: number): void;
  /** Number of reports so far. */
  readonly count: () => number;
  /** The distinct faults, ascending, or the contradiction that is read first. */
  merge(): MergedLog | Contradiction;
}

const FIRST_OF_LINE = 0x80;
const NO_KIND = 0xff;
const BYTES_PER_FAULT = 9;

/**
 * An empty log; its memory is in proportion to the reports.
 *
 * @param room reports for which there is room at first
 */
export function createFaultLog(
  file: string,
  conflict: KindConflict = 'contradiction',
  room = 1024,
): FaultLog {
  let cells = new Float64Array(room);
  let kinds = new Uint8Array(room);
  let count = 0;
  let isNewLine = true;

  function grow(): void {
    const size = 2 * cells.length;
    requireMemory(3 * BYTES_PER_FAULT * cells.length, `${file}: more than ${count} faults`);
    const [moreCells, moreKinds] = [new Float64Array(size), new Uint8Array(size)];
    moreCells.set(cells);
    moreKinds.set(kinds);
    [cells, kinds] = [moreCells, moreKinds];
  }

  function isAscending(): boolean {
    for (let report = 1; report < count; report += 1) {
      if (!(cells[report - 1] < cells[report])) return false;
    }
    return true;
  }

  function mergeUnsorted(): MergedLog | Contradiction {
    const distinct = distinctCells(cells.subarray(0, count));
    const merged = new Uint8Array(distinct.length).fill(NO_KIND);
    let [lines, linesWithNews, hasNews] = [0, 0, false];
    for (let report = 0; report < count; report += 1) {
      const kind = kinds[report] & ~FIRST_OF_LINE;
      if (kinds[report] & FIRST_OF_LINE) {
        lines += 1;
        hasNews = false;
      }
      const rank = rankOf(distinct, cells[report]);
      const before = merged[rank];
      if (before === NO_KIND) {
        merged[rank] = kind;
        if (!hasNews) linesWithNews += 1;
        hasNews = true;
      } else if (before !== kind) {
        if (conflict === 'contradiction') {
          const cell = cells[report];
          const firstReport = cells.indexOf(cell);
          const [firstKind, secondKind] = [before, kind];
          return { cell, firstKind, secondKind, firstReport, secondReport: report };
        }
        merged[rank] = conflict.becomes;
      }
    }
    return { faults: { cells: distinct, kinds: merged }, repeatedLines: lines - linesWithNews };
  }

  return {
    startLine() {
      isNewLine = true;
    },
    add(cell, kind) {
      if (count === cells.length) grow();
      cells[count] = cell;
      kinds[count] = isNewLine ? kind | FIRST_OF_LINE : kind;
      isNewLine = false;
      count += 1;
    },
    count: () => count,
    merge() {
      if (!isAscending()) return mergeUnsorted();
      const faults = {
        cells: cells.slice(0, count),
        kinds: kinds.slice(0, count).map((kind) => kind & ~FIRST_OF_LINE),
      };
      return { faults, repeatedLines: 0 };
    },
  };
}

/** The cells, ascending and each once. */
function distinctCells(cells: Float64Array): Float64Array {
  const sorted = cells.slice().sort();
  let length = 0;
  for (let rank = 0; rank < sorted.length; rank += 1) {
    if (rank > 0 && sorted[rank] === sorted[rank - 1]) continue;
    sorted[length] = sorted[rank];
    length += 1;
  }
  return length === sorted.length ? sorted : sorted.slice(0, length);
}

/** The place of a cell in an ascending list that has it. */
function rankOf(cells: Float64Array, cell: number): number {
  let low = 0;
  for (let high = cells.length - 1; low < high; ) {
    const middle = (low + high) >>> 1;
    if (cells[middle] < cell) low = middle + 1;
    else high = middle;
  }
  return low;
}
