import { type FaultLines, noneReplaced, type Replaced, release, take } from './fault-lines.js';
import type { SpareLines } from './must-repair.js';
import type { NodeBudget } from './node-budget.js';

/**
 * The lines that cover most faults where not all can be covered. Once the lines of one direction are chosen, the best
 * ones of the other are those with most faults left, so that branch and bound chooses among those of one alone; it
 * starts from a greedy choice.
 *
 * @param budget is used up by the nodes of the search, which ends where none is left
 * @returns the best choice found
 */
export function mostCovered(
  lines: FaultLines,
  spares: SpareLines,
  budget: NodeBudget,
): readonly number[] {
  const rows = { from: 0, to: lines.rows, spares: spares.rows };
  const columns = { from: lines.rows, to: lines.count, spares: spares.columns };
  const rowsFirst = rows.spares < columns.spares;
  const [chosen, others] = rowsFirst ? [rows, columns] : [columns, rows];
  const start = alternate(lines, chosen, others);
  return searchLines(lines, chosen, others, start, budget);
}

/** The lines of one direction, and how many of them spare lines can replace. */
interface Direction {
  readonly from: number;
  readonly to: number;
  readonly spares: number;
}

/**
 * The lines of a direction with most uncovered faults, as many as there are spares, in rising order; of equal ones the
 * first. Those without a fault are left out.
 */
function richest({ uncoveredOf }: Replaced, { from, to, spares }: Direction): number[] {
  let most = 0;
  for (let line = from; line < to; line += 1) most = Math.max(most, uncoveredOf[line]);
  const tally = new Uint32Array(most + 1);
  for (let line = from; line < to; line += 1) tally[uncoveredOf[line]] += 1;
  // Lines with more faults than `least` are all taken, of those with as many the first.
  let left = spares;
  let least = most;
  while (least > 0 && tally[least] <= left) left -= tally[least--];
  const lines: number[] = [];
  for (let line = from; line < to; line += 1) {
    if (uncoveredOf[line] < least || uncoveredOf[line] === 0) continue;
    if (uncoveredOf[line] === least && left-- <= 0) continue;
    lines.push(line);
  }
  return lines;
}

/** Faults that are covered by lines. */
function coveredBy(lines: FaultLines, chosen: readonly number[]): number {
  const replaced = noneReplaced(lines);
  for (const line of chosen) take(lines, replaced, line);
  return lines.faults - replaced.uncovered;
}

/** Greedily: the richest lines of one direction, those of the other for what is left, and again until nothing is gained. */
function alternate(lines: FaultLines, chosen: Direction, others: Direction): readonly number[] {
  let best: readonly number[] = [];
  let covered = -1;
  for (let start = richest(noneReplaced(lines), chosen); ; ) {
    const other = bestBeside(lines, start, others);
    start = bestBeside(lines, other, chosen);
    const both = [...start, ...other];
    const now = coveredBy(lines, both);
    if (now <= covered) return best;
    best = both;
    covered = now;
  }
}

/** The best lines of a direction beside chosen ones of the other. */
function bestBeside(lines: FaultLines, chosen: readonly number[], direction: Direction): number[] {
  const replaced = noneReplaced(lines);
  for (const line of chosen) take(lines, replaced, line);
  return richest(replaced, direction);
}

function searchLines(
  lines: FaultLines,
  chosen: Direction,
  others: Direction,
  start: readonly number[],
  budget: NodeBudget,
): readonly number[] {
  const replaced = noneReplaced(lines);
  const { uncoveredOf } = replaced;
  const candidates = sortedCandidates(lines, replaced, chosen);
  /** Faults of the first candidates, added up. */
  const sums = new Uint32Array(candidates.length + 1);
  for (const [place, line] of candidates.entries())
    sums[place + 1] = sums[place] + uncoveredOf[line];
  /** How many of the other lines have so many uncovered faults. */
  const tally = new Uint32Array(1 + chosen.to - chosen.from);
  for (let line = others.from; line < others.to; line += 1) tally[uncoveredOf[line]] += 1;

  const retally = (line: number, by: 1 | -1) => {
    for (let at = lines.first[line]; at < lines.first[line + 1]; at += 1) {
      const faults = uncoveredOf[lines.crossing[at]];
      tally[faults] += 1;
      tally[faults + by] -= 1;
    }
  };
  const richestOthers = () => {
    let left = others.spares;
    let covered = 0;
    for (let faults = tally.length - 1; faults > 0 && left > 0; faults -= 1) {
      const taken = Math.min(left, tally[faults]);
      covered += taken * faults;
      left -= taken;
    }
    return covered;
  };

  let best = coveredBy(lines, start);
  let bestChosen: readonly number[] | undefined;
  const order: number[] = [];
  const visit = (from: number): void => {
    if (!budget.use()) return;
    const covered = lines.faults - replaced.uncovered + richestOthers();
    if (covered > best) {
      best = covered;
      bestChosen = [...order];
    }
    const left = chosen.spares - order.length;
    for (let place = from; place < candidates.length && left > 0; place += 1) {
      const end = Math.min(candidates.length, place + left);
      if (covered + sums[end] - sums[place] <= best) return;
      const line = candidates[place];
      take(lines, replaced, line);
      retally(line, 1);
      order.push(line);
      visit(place + 1);
      order.pop();
      release(lines, replaced, line);
      retally(line, -1);
      if (budget.exhausted()) return;
    }
  };
  visit(0);
  return bestChosen === undefined
    ? start
    : [...bestChosen, ...bestBeside(lines, bestChosen, others)];
}

/** Lines with a fault: those with most first, of equal ones that whose faults lie in lines with fewer. */
function sortedCandidates(
  { first, crossing }: FaultLines,
  { uncoveredOf }: Replaced,
  { from, to }: Direction,
): number[] {
  const candidates = Array.from({ length: to - from }, (_, index) => from + index);
  const beside = new Uint32Array(to - from);
  for (let line = from; line < to; line += 1) {
    for (let at = first[line]; at < first[line + 1]; at += 1) {
      beside[line - from] += uncoveredOf[crossing[at]];
    }
  }
  return candidates.sort(
    (a, b) => uncoveredOf[b] - uncoveredOf[a] || beside[a - from] - beside[b - from] || a - b,
  );
}
