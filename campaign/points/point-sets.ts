import {
  highestRateWithYield,
  lowestVoltageWithYield,
  type YieldLimit,
} from '../statistics/index.js';
import { keyFromColumns, type PointKey } from '../study/columns.js';
import type { Study } from '../study/study.js';
import { pointYield, type StudyPoint, type YieldCounts } from './point.js';

/** Whether a point's accuracy is known to ±`precision` percentage points; if not, its maps were used up. */
export function precisionReached({ accuracy }: StudyPoint, precision: number): boolean {
  // The stopping rule compares the same numbers.
  return accuracy.high - accuracy.low <= 2 * (precision / 100);
}

/** The precision to which the points of a study are run: that of dies is of each die, and ends it. */
export function precisionOfPoints({
  precision,
  dies,
}: Pick<Study, 'precision' | 'dies'>): number | undefined {
  return dies ? undefined : precision;
}

/** Points that say whether they reached the precision of their study, if it has one. */
export function withPrecision(
  points: readonly StudyPoint[],
  precision: number | undefined,
): readonly (StudyPoint & { readonly precisionReached?: boolean })[] {
  if (precision === undefined) return points;
  return points.map((point) => ({
    ...point,
    precisionReached: precisionReached(point, precision),
  }));
}

/**
 * Points whose good maps are those that lose at most `within`.
 *
 * @param counts of the same points, in the same order
 * @param within a fraction above 0
 */
export function withYieldWithin(
  points: readonly StudyPoint[],
  counts: readonly YieldCounts[],
  within: number,
): StudyPoint[] {
  return points.map((point, at) => ({ ...point, yield: pointYield(counts[at], within) }));
}

/** The harshest rate or voltage of one mitigation that meets a wanted yield. */
export interface YieldLimitRow extends YieldLimit, Omit<PointKey, 'rate' | 'voltage'> {
  readonly wanted: number;
  readonly by: 'rate' | 'voltage';
}

/** Yield limits of points, one for each mitigation and place on the other axes but rate and voltage. */
export function yieldLimits(points: readonly StudyPoint[], wanted: number): YieldLimitRow[] {
  const groups = new Map<string, StudyPoint[]>();
  for (const point of points) {
    const key = JSON.stringify(placeOf(point));
    groups.set(key, [...(groups.get(key) ?? []), point]);
  }
  return [...groups.values()].map((group) => {
    const byVoltage = group.flatMap(({ voltage, yield: yielded }) =>
      voltage === undefined ? [] : [{ voltage, yield: yielded }],
    );
    const isVoltage = byVoltage.length === group.length;
    const limit = isVoltage
      ? lowestVoltageWithYield(byVoltage, wanted)
      : highestRateWithYield(group, wanted);
    const by = isVoltage ? 'voltage' : 'rate';
    return { ...placeOf(group[0]), wanted, by, ...limit };
  });
}

function placeOf(point: StudyPoint) {
  const { rate: _, voltage: __, ...place } = keyFromColumns(({ field }) => point[field] ?? null);
  return place;
}
