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
}

/** Lines of the faults at (rows[i], columns[i]), none of them twice. */
export function faultLines(rows: ArrayLike<number>, columns: ArrayLike<number>): FaultLines {
  const rowAddresses = Uint32Array.from(new Set(Array.from(rows))).sort();
  const columnAddresses = Uint32Array.from(new Set(Array.from(columns))).sort();
  const rowLine = new Map(Array.from(rowAddresses, (address, line) => [address, line]));
  const columnLine = new Map(
    Array.from(columnAddresses, (address, line) => [address, rowAddresses.length + line]),
  );
  const count = rowAddresses.length + columnAddresses.length;
  const ends = Array.from(rows, (row, fault) => [
    rowLine.get(row)!,
    columnLine.get(columns[fault])!,
  ]);
  const first = new Uint32Array(count + 1);
  for (const line of ends.flat()) first[line + 1] += 1;
  for (let line = 0; line < count; line += 1) first[line + 1] += first[line];
  const next = first.slice();
  const crossing = new Uint32Array(2 * rows.length);
  for (const [row, column] of ends) {
    crossing[next[row]++] = column;
    crossing[next[column]++] = row;
  }
  const address = new Uint32Array(count);
  address.set(rowAddresses);
  address.set(columnAddresses, rowAddresses.length);
  return { rows: rowAddresses.length, count, faults: rows.length, address, first, crossing };
}

/** Lines that spare lines have replaced, in the course of a search. */
export interface Replaced {
  readonly taken: Uint8Array;
  /** Faults of each line that were not covered by others: of a taken line, when it was taken. */
  readonly uncoveredOf: Uint32Array;
  uncovered: number;
}

export function noneReplaced({ first, count, faults }: FaultLines): Replaced {
  return {
    taken: new Uint8Array(count),
    uncoveredOf: Uint32Array.from({ length: count }, (_, line) => first[line + 1] - first[line]),
    uncovered: faults,
  };
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
