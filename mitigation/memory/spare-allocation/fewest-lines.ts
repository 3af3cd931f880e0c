import { type FaultLines, noneReplaced, type Replaced, release, take } from './fault-lines.js';
import { type SpareLines, takeMustRepair } from './must-repair.js';
import type { NodeBudget } from './node-budget.js';

/**
 * The fewest lines that cover all faults, by branch and bound: after must-repair, the line with most uncovered faults is
 * either replaced itself, or all the lines are that it crosses.
 *
 * @param budget is used up by the nodes of the search, which ends where none is left
 * @returns the fewest lines found, undefined if none were
 */
export function fewestLines(
  lines: FaultLines,
  spares: SpareLines,
  budget: NodeBudget,
): readonly number[] | undefined {
  const replaced = noneReplaced(lines);
  const order: number[] = [];
  const matched = new Uint8Array(lines.count);
  let best: readonly number[] | undefined;

  const undoTo = (length: number) => {
    while (order.length > length) release(lines, replaced, order.pop()!);
  };

  const visit = (left: SpareLines): void => {
    if (!budget.use()) return;
    const before = order.length;
    const after = takeMustRepair(lines, replaced, left, order);
    if (after !== undefined) branch(after);
    undoTo(before);
  };

  const branch = (left: SpareLines): void => {
    if (replaced.uncovered === 0) {
      if (best === undefined || order.length < best.length) best = [...order];
      return;
    }
    const most = mostUncovered(lines, replaced);
    const coverable =
      left.rows * replaced.uncoveredOf[most.row] + left.columns * replaced.uncoveredOf[most.column];
    if (coverable < replaced.uncovered) return;
    const needed = matchingSize(lines, replaced, matched);
    if (needed > left.rows + left.columns) return;
    if (best !== undefined && order.length + needed >= best.length) return;
    const byRow = replaced.uncoveredOf[most.row] >= replaced.uncoveredOf[most.column];
    const line = byRow ? most.row : most.column;
    if (replaced.uncoveredOf[line] === 1) {
      best = [...order, ...isolatedFaults(lines, replaced, left.rows)];
      return;
    }
    const before = order.length;
    if ((byRow ? left.rows : left.columns) > 0) {
      take(lines, replaced, line);
      order.push(line);
      visit(byRow ? { ...left, rows: left.rows - 1 } : { ...left, columns: left.columns - 1 });
      undoTo(before);
    }
    for (let at = lines.first[line]; at < lines.first[line + 1]; at += 1) {
      const other = lines.crossing[at];
      if (replaced.taken[other] === 1) continue;
      take(lines, replaced, other);
      order.push(other);
    }
    const used = order.length - before;
    // Must-repair has left no line with more faults than there are spare lines for those that it crosses.
    visit(byRow ? { ...left, columns: left.columns - used } : { ...left, rows: left.rows - used });
    undoTo(before);
  };

  visit(spares);
  return best;
}

/** The row and the column with most uncovered faults. */
function mostUncovered({ rows, count }: FaultLines, { taken, uncoveredOf }: Replaced) {
  let row = -1;
  let column = -1;
  for (let line = 0; line < count; line += 1) {
    if (taken[line] === 1) continue;
    if (line < rows) {
      if (row < 0 || uncoveredOf[line] > uncoveredOf[row]) row = line;
    } else if (column < 0 || uncoveredOf[line] > uncoveredOf[column]) {
      column = line;
    }
  }
  return { row, column };
}

/** Faults no two of which share a line: each takes a spare line of its own (found one after another, not the most). */
function matchingSize(lines: FaultLines, { taken }: Replaced, matched: Uint8Array): number {
  matched.set(taken);
  let size = 0;
  for (let row = 0; row < lines.rows; row += 1) {
    if (matched[row] === 1) continue;
    for (let at = lines.first[row]; at < lines.first[row + 1]; at += 1) {
      const column = lines.crossing[at];
      if (matched[column] === 1) continue;
      matched[column] = 1;
      size += 1;
      break;
    }
  }
  return size;
}

/** A line for each fault where no line has two: rows as far as there are spare ones, then columns. */
function isolatedFaults(lines: FaultLines, { taken, uncoveredOf }: Replaced, spareRows: number) {
  const chosen: number[] = [];
  for (let row = 0; row < lines.rows; row += 1) {
    if (taken[row] === 1 || uncoveredOf[row] === 0) continue;
    const crossings = lines.crossing.subarray(lines.first[row], lines.first[row + 1]);
    chosen.push(chosen.length < spareRows ? row : crossings.find((column) => taken[column] === 0)!);
  }
  return chosen;
}
