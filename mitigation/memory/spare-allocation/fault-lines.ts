/**
 * The faulty cells of a bank as a bipartite graph: its lines are the rows and columns that hold one, a fault is where
 * two of them cross. Lines 0 … rows − 1 are rows, the others columns, each in the order of the bank.
 */
export interface FaultLines {
  readonly rows: number;
  readonly count: number;
  readonly faults: number;
  /** Of each line, the row or column of the bank. */
  readonly address: Uint32Array;
  /** The lines that line l crosses at a fault: `crossing` from `first[l]` to before `first[l + 1]`. */
  readonly first: Uint32Array;
  readonly crossing: Uint32Array;
  /** How many faults each line has. */
  readonly faultsOf: Uint32Array;
}

/**
 * Lines of the faults at (rows[i], columns[i]), none of them twice. Takes memory for as many rows and columns as the last
 * of them have before them.
 */
export function faultLines(rows: ArrayLike<number>, columns: ArrayLike<number>): FaultLines {
  const faults = rows.length;
  const inRow = faultsByAddress(rows);
  const inColumn = faultsByAddress(columns);
  const rowCount = occupied(inRow);
  const count = rowCount + occupied(inColumn);
  const address = new Uint32Array(count);
  const first = new Uint32Array(count + 1);
  const rowLine = numberLines(inRow, 0, address, first);
  const columnLine = numberLines(inColumn, rowCount, address, first);
  const next = first.slice();
  const crossing = new Uint32Array(2 * faults);
  for (let fault = 0; fault < faults; fault += 1) {
    const row = rowLine[rows[fault]];
    const column = columnLine[columns[fault]];
    crossing[next[row]++] = column;
    crossing[next[column]++] = row;
  }
  const faultsOf = new Uint32Array(count);
  for (let line = 0; line < count; line += 1) faultsOf[line] = first[line + 1] - first[line];
  return { rows: rowCount, count, faults, address, first, crossing, faultsOf };
}

/** How many faults each row or each column of the bank has. */
function faultsByAddress(addresses: ArrayLike<number>): Uint32Array {
  let last = -1;
  for (let fault = 0; fault < addresses.length; fault += 1) last = Math.max(last, addresses[fault]);
  const found = new Uint32Array(last + 1);
  for (let fault = 0; fault < addresses.length; fault += 1) found[addresses[fault]] += 1;
  return found;
}

function occupied(found: Uint32Array): number {
  let lines = 0;
  for (const faults of found) if (faults > 0) lines += 1;
  return lines;
}

/**
 * Number the rows or columns with a fault, and put down where each starts among the crossings.
 *
 * @returns the line of each row or column that has a fault
 */
function numberLines(
  found: Uint32Array,
  firstLine: number,
  address: Uint32Array,
  first: Uint32Array,
): Uint32Array {
  const lineOf = new Uint32Array(found.length);
  let line = firstLine;
  for (let place = 0; place < found.length; place += 1) {
    if (found[place] === 0) continue;
    lineOf[place] = line;
    address[line] = place;
    first[line + 1] = first[line] + found[place];
    line += 1;
  }
  return lineOf;
}

/** Lines that spare lines have replaced, in the course of a search. */
export interface Replaced {
  readonly taken: Uint8Array;
  /** Faults of each line that were not covered by others: of a taken line, when it was taken. */
  readonly uncoveredOf: Uint32Array;
  uncovered: number;
}

export function noneReplaced({ count, faults, faultsOf }: FaultLines): Replaced {
  return { taken: new Uint8Array(count), uncoveredOf: faultsOf.slice(), uncovered: faults };
}

/** Replace a line that is not yet replaced. */
export function take({ first, crossing }: FaultLines, replaced: Replaced, line: number): void {
  const { taken, uncoveredOf } = replaced;
  taken[line] = 1;
  replaced.uncovered -= uncoveredOf[line];
  for (let at = first[line]; at < first[line + 1]; at += 1) {
    if (taken[crossing[at]] === 0) uncoveredOf[crossing[at]] -= 1;
  }
}

/** Undo the last `take` that is not undone. */
export function release({ first, crossing }: FaultLines, replaced: Replaced, line: number): void {
  const { taken, uncoveredOf } = replaced;
  taken[line] = 0;
  replaced.uncovered += uncoveredOf[line];
  for (let at = first[line]; at < first[line + 1]; at += 1) {
    if (taken[crossing[at]] === 0) uncoveredOf[crossing[at]] += 1;
  }
}
