import type { StudyPoint } from '../campaign/index.js';
import { formatTable, grouped, percent } from './table.js';

/** The columns that say which condition a row is of: title, and text of a point. */
const CONDITION_COLUMNS: readonly (readonly [string, (point: StudyPoint) => string])[] = [
  ['model', ({ model }) => model],
  ['words', ({ format }) => format],
  ['accelerator', ({ accelerator }) => accelerator],
  ['fault model', ({ faultModel }) => faultModel],
  ['scope', ({ scope }) => scope],
  ['fault rate', ({ rate }) => rateText(rate)],
];

/** Columns that are there even when all rows have the same in them. */
const ALWAYS: readonly string[] = ['words', 'fault rate'];

/** Points as a table: a row for each condition, a column for each mitigation. */
export function formatPoints(points: readonly StudyPoint[]): string {
  const mitigations = [...new Set(points.map(({ mitigation }) => mitigation))];
  const columns = CONDITION_COLUMNS.filter(
    ([title, text]) => ALWAYS.includes(title) || new Set(points.map(text)).size > 1,
  );
  const rows = byCondition(points).map((group) => [
    ...columns.map(([, text]) => text(group[0])),
    grouped(group[0].faults.injected),
    grouped(group[0].faults.effective),
    ...mitigations.map((mitigation) =>
      accuracyText(group.find((point) => point.mitigation === mitigation)),
    ),
  ]);
  const titles = [...columns.map(([title]) => title), 'faults', 'effective'];
  return formatTable([...titles, ...mitigations.map((name) => `${name} [95 %]`)], rows);
}

function byCondition(points: readonly StudyPoint[]): StudyPoint[][] {
  const groups = new Map<string, StudyPoint[]>();
  for (const point of points) {
    const key = JSON.stringify(CONDITION_COLUMNS.map(([, text]) => text(point)));
    groups.set(key, [...(groups.get(key) ?? []), point]);
  }
  return [...groups.values()];
}

/** What the numbers of the table are. */
export function formatLegend(points: readonly StudyPoint[]): string {
  const maps = points.map((point) => point.maps);
  const [least, most] = [Math.min(...maps), Math.max(...maps)];
  const count = least === most ? counted(most, 'fault map') : `${least} to ${most} fault maps`;
  return `Accuracy in % with its 95 % interval: ${count} × ${points[0]?.images} test images a row (faults: means per map).`;
}

/** A fault rate with at most three digits. */
export function rateText(rate: number): string {
  return rate === 0 ? '0' : Number(rate.toPrecision(3)).toExponential();
}

export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

export function accuracyText(point: StudyPoint | undefined): string {
  if (!point) return '';
  const { mean, low, high } = point.accuracy;
  return `${percent(mean)} [${percent(low)}, ${percent(high)}]`;
}
