import { type FaultLines, faultLines, noneReplaced, take } from './fault-lines.js';
import { fewestLines } from './fewest-lines.js';
import { mostCovered } from './most-covered.js';
import { type SpareLines, takeMustRepair } from './must-repair.js';
import { nodeBudget } from './node-budget.js';

/** The faulty cells of one bank, of data and of check bits, and its spare lines. */
export interface BankFaults {
  /** Faulty cell i is at (faultRows[i], faultColumns[i]); no cell stands twice, spare cells are not among them. */
  readonly faultRows: Uint32Array | Uint16Array;
  readonly faultColumns: Uint32Array | Uint16Array;
  readonly spareRows: number;
  readonly spareColumns: number;
  /** Of the spare rows 0 … spareRows − 1 those with a faulty cell: they are not used. In any order, also repeated. */
  readonly faultySpareRows?: ArrayLike<number>;
  readonly faultySpareColumns?: ArrayLike<number>;
}

/** What spare lines replace in a bank. */
export interface BankRepair {
  /** Rows and columns of the bank that spare lines replace, in rising order. */
  readonly rows: Uint32Array;
  readonly columns: Uint32Array;
  /** Faulty cells in none of them; 0: the bank is repaired. */
  readonly uncovered: number;
  /** Whether no choice leaves fewer faulty cells, and, where none is left, no smaller one repairs the bank. */
  readonly provedOptimal: boolean;
}

/** Nodes of a bank's search tree. */
const MOST_NODES = 100_000;

/**
 * Spare rows and columns for the faulty lines of a bank: must-repair, then branch and bound with early screening as of
 * S.-Y. Kuo, W. K. Fuchs, "Efficient Spare Allocation for Reconfigurable Arrays" (read: its abstract), ended
 * after 10⁵ nodes, when the best choice so far stands; the first choice is greedy. Where a bank cannot be repaired,
 * the fewest faulty cells found are left uncovered.
 */
export function repairBank(bank: BankFaults): BankRepair {
  const lines = faultLines(bank.faultRows, bank.faultColumns);
  const spares = usableSpares(bank);
  const budget = nodeBudget(MOST_NODES);
  const chosen = fewestLines(lines, spares, budget) ?? mostCovered(lines, spares, budget);
  const replaced = noneReplaced(lines);
  for (const line of chosen) take(lines, replaced, line);
  return {
    ...addresses(lines, chosen),
    uncovered: replaced.uncovered,
    provedOptimal: !budget.exhausted(),
  };
}

/** What must-repair alone decides of a bank. */
export interface MustRepair {
  /** Rows and columns that have to be replaced, in rising order. */
  readonly rows: Uint32Array;
  readonly columns: Uint32Array;
  /** Faulty cells that they leave uncovered. */
  readonly left: number;
}

/**
 * The lines that every repair replaces: a row with more faulty cells, not yet covered, than spare columns are left, a
 * column likewise, until there is none. Undefined where the spare lines do not suffice for them.
 */
export function mustRepair(bank: BankFaults): MustRepair | undefined {
  const lines = faultLines(bank.faultRows, bank.faultColumns);
  const replaced = noneReplaced(lines);
  const order: number[] = [];
  if (takeMustRepair(lines, replaced, usableSpares(bank), order) === undefined) return undefined;
  return { ...addresses(lines, order), left: replaced.uncovered };
}

function usableSpares(bank: BankFaults): SpareLines {
  const { faultySpareRows = [], faultySpareColumns = [] } = bank;
  return {
    rows: bank.spareRows - new Set(Array.from(faultySpareRows)).size,
    columns: bank.spareColumns - new Set(Array.from(faultySpareColumns)).size,
  };
}

/** Lines of a bank as its rows and columns, in rising order. */
function addresses({ rows, address }: FaultLines, chosen: readonly number[]) {
  const of = (isChosen: (line: number) => boolean) =>
    Uint32Array.from(chosen.filter(isChosen), (line) => address[line]).sort();
  return { rows: of((line) => line < rows), columns: of((line) => line >= rows) };
}
