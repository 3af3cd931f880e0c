import { type AxisColumn, STUDY_AXES } from '../study/axes.js';
import type { PointKey } from '../study/columns.js';
import { DEFAULT_RATES } from '../study/study.js';
import type { StoreContents } from './contents.js';
import { keyOfRecord } from './records.js';

/** A point that asks for more maps. */
export interface UnfinishedPoint extends PointKey {
  readonly maps: {
    /** Maps whose trials are saved. */
    readonly saved: number;
    /** The most that it may take; with a precision fewer may be enough. */
    readonly planned: number;
  };
}

/** How much of a study is there. */
export interface StudyRemainder {
  readonly points: {
    /** Points that ask for no more maps. */
    readonly complete: number;
    /** All points of the study; of a store without a plan the least that they can be. */
    readonly planned: number;
  };
  /** Points that ask for more maps, in the order of the study; of a store without a plan those that have a trial. */
  readonly missing: readonly UnfinishedPoint[];
}

/** What a study still has to run. */
export function remainderOf(contents: StoreContents): StudyRemainder {
  const { configuration, points, plan } = contents;
  const saved = new Map(points.map((point) => [`${point.condition} ${point.mitigation}`, point]));
  const most = typeof configuration.maps === 'number' ? configuration.maps : 1;
  const planned = plan ?? points.map((point) => ({ ...point, maps: most }));
  const missing = planned.flatMap((row) => {
    const point = saved.get(`${row.condition} ${row.mitigation}`);
    if (point?.complete) return [];
    return [{ ...keyOfRecord(row), maps: { saved: point?.maps ?? 0, planned: row.maps } }];
  });
  return {
    points: {
      complete: points.filter(({ complete }) => complete).length,
      planned: plan ? plan.length : Math.max(points.length, leastPoints(configuration)),
    },
    missing,
  };
}

/** A word format may have rates of its own. */
const COUNTED_BY_FORMAT: readonly AxisColumn[] = ['format', 'rate', 'voltage'];

/** The least points that a study can have by its axes: a scope with `*` stands for one scope at least. */
function leastPoints(configuration: Readonly<Record<string, unknown>>): number {
  const length = (name: string) => {
    const axis = configuration[name];
    return Array.isArray(axis) ? axis.length : undefined;
  };
  const { formats } = configuration;
  if (!Array.isArray(configuration.models) || !Array.isArray(formats)) return 0;
  const given = length('faultMaps');
  const rates = length('rates') ?? length('faultCounts');
  const levels = formats.map((format) => {
    if (given !== undefined || length('voltages') !== undefined) return 1;
    // A model with voltages or a state of its own has other levels than the default rates.
    const isPlain = (configuration.faults as unknown[] | undefined)?.every((name) =>
      ['flip', 'stuck-at', 'stuck-at-0', 'stuck-at-1'].includes(String(name)),
    );
    if (!isPlain) return 1;
    return rates ?? DEFAULT_RATES[format === 'int8' ? 'int8' : 'float32'].length;
  });
  const others = new Map<AxisColumn, number>();
  for (const { name, column } of STUDY_AXES) {
    if (COUNTED_BY_FORMAT.includes(column)) continue;
    others.set(column, length(name) ?? others.get(column) ?? 1);
  }
  return [...others.values()].reduce(
    (product, count) => product * count,
    levels.reduce((sum, level) => sum + level, 0),
  );
}
