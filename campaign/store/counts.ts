import type { PointKey } from '../study/columns.js';
import { keyOfRecord, type TrialRecord } from './records.js';

/** What the trials of a point counted: an entry a fault map, maps 0, 1, … in this order. */
export interface PointCounts extends PointKey {
  /** Number of the condition in its study. */
  readonly condition: number;
  /** Images of each map. */
  readonly images: number;
  /** Right images without faults, unprotected. */
  readonly cleanCorrect: readonly number[];
  /** Right images. */
  readonly correct: readonly number[];
  /** Images whose top-1 class is not the fault-free one. */
  readonly sdc: readonly number[];
}

/**
 * The counts of points, each where its first trial is; trials of pilots count for none.
 *
 * @param rows of each point in the order of the maps
 */
export function countsOfTrials(rows: readonly TrialRecord[]): PointCounts[] {
  const groups = new Map<string, TrialRecord[]>();
  for (const row of rows) {
    if (row.pilot) continue;
    const id = `${row.condition} ${row.mitigation}`;
    const group = groups.get(id);
    if (group) group.push(row);
    else groups.set(id, [row]);
  }
  return [...groups.values()].map((group) => ({
    ...keyOfRecord(group[0]),
    condition: group[0].condition,
    images: group[0].images,
    cleanCorrect: group.map((row) => row.clean_correct),
    correct: group.map((row) => row.correct),
    sdc: group.map((row) => row.sdc),
  }));
}
