import type { FaultList } from '../fault-list.js';

/** Two reports of one cell that contradict each other. */
export interface Contradiction {
  readonly cell: number;
  readonly firstKind: number;
  readonly firstLine: number;
  readonly secondKind: number;
  readonly secondLine: number;
}

/** The distinct faults of a log. */
export interface MergedLog {
  readonly faults: FaultList;
  /** Lines that report faults, all of them reported on earlier lines already. */
  readonly repeatedLines: number;
}

/** Faults as a log reports them, line by line; a cell may be reported any number of times. */
export interface FaultLog {
  /** Adds a fault, its kind an index into FAULT_KINDS; lines never decrease. */
  add(cell: number, kind: number, line: number): void;
  /** The distinct faults, ascending, or the contradiction that is read first. */
  merge(): MergedLog | Contradiction;
}

/** How many different numbers there are; a Set would hold 2^24 at most. */
function countDistinct(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  return sorted.filter((value, index) => index === 0 || sorted[index - 1] !== value).length;
}

/** An empty log; its memory is in proportion to the reports. */
export function createFaultLog(): FaultLog {
  const cells: number[] = [];
  const kinds: number[] = [];
  const lines: number[] = [];

  function contradiction(order: Uint32Array): Contradiction | undefined {
    let found: Contradiction | undefined;
    let first = 0;
    for (let rank = 1; rank < order.length; rank += 1) {
      const [a, b] = [order[first], order[rank]];
      if (cells[a] !== cells[b]) first = rank;
      else if (
        kinds[a] !== kinds[b] &&
        lines[b] < (found?.secondLine ?? Number.POSITIVE_INFINITY)
      ) {
        found = {
          cell: cells[a],
          firstKind: kinds[a],
          firstLine: lines[a],
          secondKind: kinds[b],
          secondLine: lines[b],
        };
      }
    }
    return found;
  }

  return {
    add(cell, kind, line) {
      cells.push(cell);
      kinds.push(kind);
      lines.push(line);
    },
    merge() {
      // The sort is stable: of equal cells the earlier report comes first.
      const order = Uint32Array.from(cells.keys()).sort((a, b) => cells[a] - cells[b]);
      const wrong = contradiction(order);
      if (wrong !== undefined) return wrong;
      const distinct = order.filter(
        (report, rank) => rank === 0 || cells[order[rank - 1]] !== cells[report],
      );
      const linesWithNews = countDistinct(Array.from(distinct, (report) => lines[report]));
      const isNewLine = (line: number, report: number) =>
        report === 0 || lines[report - 1] !== line;
      return {
        faults: {
          cells: Float64Array.from(distinct, (report) => cells[report]),
          kinds: Uint8Array.from(distinct, (report) => kinds[report]),
        },
        repeatedLines: lines.filter(isNewLine).length - linesWithNews,
      };
    },
  };
}
