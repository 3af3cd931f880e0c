import {
  type DieRow,
  POINT_COLUMNS,
  type PointColumn,
  type PointKey,
  precisionReached,
  type SampleSize,
  type StudyPoint,
  type StudyRemainder,
  WEIGHTS_ALONE,
  type YieldLimitRow,
} from '../../../campaign/index.js';
import { rateText } from '../../../core/index.js';
import type { Metric } from '../../../workload/index.js';
import { formatTable, grouped, percent } from '../table.js';

type Field = keyof PointKey;

/** What says which condition a row is of. */
type ConditionKey = Omit<PointKey, 'mitigation'>;

/** The columns that say which condition a row is of; the rate stands beside the faults that it makes. */
const CONDITION_COLUMNS = [
  ...columnsOf((field) => field !== 'mitigation' && field !== 'rate'),
  ...columnsOf((field) => field === 'rate'),
];

/** The columns of a yield limit, which is a rate or a voltage. */
const LIMIT_COLUMNS = columnsOf((field) => field !== 'rate' && field !== 'voltage');

/** Columns that are there even when all rows have the same in them. */
const ALWAYS: readonly Field[] = ['format', 'rate'];

function columnsOf(isWanted: (field: Field) => boolean): readonly PointColumn[] {
  return POINT_COLUMNS.filter(({ field }) => isWanted(field));
}

/** What a column says of a point. */
function cellOf({ field, text }: PointColumn, point: Partial<PointKey>): string {
  const value = point[field];
  return value === undefined ? '' : text(value);
}

/** The columns that tell points apart, and those that are always there. */
function columnsFor(points: readonly ConditionKey[]): readonly PointColumn[] {
  return CONDITION_COLUMNS.filter(
    (column) =>
      ALWAYS.includes(column.field) ||
      new Set(points.map((point) => cellOf(column, point))).size > 1,
  );
}

/** Mitigations that stand beside one another: more of them make lines that no terminal holds. */
const MOST_BESIDE = 4;

/** Points as a table: a row for each condition, a column for each mitigation; of many mitigations a row for each. */
export function formatPoints(points: readonly StudyPoint[], metric: Metric): string {
  const mitigations = [...new Set(points.map(({ mitigation }) => mitigation))];
  return mitigations.length > MOST_BESIDE
    ? formatPointRows(points, metric)
    : formatPointColumns(points, mitigations);
}

function formatPointRows(points: readonly StudyPoint[], metric: Metric): string {
  const columns = columnsFor(points);
  const rows = byCondition(points).flatMap((group) =>
    group.map((point) => [
      ...columns.map((column) => cellOf(column, point)),
      grouped(point.faults.injected),
      effectiveText(point),
      point.mitigation,
      accuracyText(point),
      differenceText(point),
    ]),
  );
  return formatTable(
    [
      ...columns.map(({ title }) => title),
      ...['faults', 'effective', 'mitigation', `${metric} [95 %]`, 'gain [95 %]'],
    ],
    rows,
  );
}

function formatPointColumns(points: readonly StudyPoint[], mitigations: readonly string[]): string {
  const compared = mitigations.filter((name) =>
    points.some(({ mitigation, difference }) => mitigation === name && difference),
  );
  const columns = columnsFor(points);
  const rows = byCondition(points).map((group) => [
    ...columns.map((column) => cellOf(column, group[0])),
    grouped(group[0].faults.injected),
    effectiveText(group[0]),
    ...mitigations.flatMap((mitigation) => {
      const point = group.find((candidate) => candidate.mitigation === mitigation);
      return compared.includes(mitigation)
        ? [accuracyText(point), differenceText(point)]
        : [accuracyText(point)];
    }),
  ]);
  const titles = [...columns.map(({ title }) => title), 'faults', 'effective'];
  const titlesOfMitigations = mitigations.flatMap((name) =>
    compared.includes(name) ? [`${name} [95 %]`, 'gain [95 %]'] : [`${name} [95 %]`],
  );
  return formatTable([...titles, ...titlesOfMitigations], rows);
}

/** Faulty cells that change a weight; of other storages it depends on the image which do. */
function effectiveText({ faults: { effective } }: StudyPoint): string {
  return effective === null ? '-' : grouped(effective);
}

function byCondition(points: readonly StudyPoint[]): StudyPoint[][] {
  const groups = new Map<string, StudyPoint[]>();
  for (const point of points) {
    const key = JSON.stringify(CONDITION_COLUMNS.map((column) => cellOf(column, point)));
    groups.set(key, [...(groups.get(key) ?? []), point]);
  }
  return [...groups.values()];
}

/**
 * What the numbers of the table are.
 *
 * @param dies those of the points
 */
export function formatLegend(
  points: readonly StudyPoint[],
  metric: Metric,
  dies: readonly Pick<DieRow, 'images'>[] = [],
): string {
  const maps = rangeText(points.map((point) => point.maps));
  const images = rangeText([...points, ...dies].map((one) => one.images));
  const gain = points.some(({ difference }) => difference)
    ? ' Gain: percentage points over the first mitigation of the study, on the same maps and images.'
    : '';
  const [what, samples] = METRIC_TEXTS[metric];
  return `${what} in % with its 95 % interval: ${maps} fault map${maps === '1' ? '' : 's'} × ${images} ${samples} a row (faults: means per map).${gain}`;
}

export function rangeText(numbers: readonly number[]): string {
  const least = numbers.reduce((one, other) => Math.min(one, other));
  const most = numbers.reduce((one, other) => Math.max(one, other));
  return least === most ? `${most}` : `${least} to ${most}`;
}

const METRIC_TEXTS: Readonly<Record<Metric, readonly [what: string, samples: string]>> = {
  accuracy: ['Accuracy', 'test images'],
  agreement: ['Agreement with the fault-free network', 'samples'],
};

/** Which points of a study with a precision did not reach it. */
export function formatPrecision(
  points: readonly StudyPoint[],
  precision: number | undefined,
): string[] {
  if (precision === undefined) return [];
  const missed = points.filter((point) => !precisionReached(point, precision)).length;
  return [
    missed === 0
      ? `Every accuracy is known to ±${precision} points.`
      : `${missed} of ${counted(points.length, 'point')} used all maps allowed without reaching ±${precision} points: --maps allows more.`,
  ];
}

/** Points that a list of unfinished ones names. */
const MOST_NAMED = 10;

/** What a study still has to run, and the command that runs it. */
export function formatRemainder(
  { points, missing }: StudyRemainder,
  precision: number | undefined,
  command: string,
): string {
  const named = missing.slice(0, MOST_NAMED);
  const columns = columnsFor(missing);
  const rows = named.map((point) => [
    ...columns.map((column) => cellOf(column, point)),
    point.mitigation,
    `${grouped(point.maps.saved)} of ${precision === undefined ? '' : 'at most '}${grouped(point.maps.planned)}`,
  ]);
  const titles = [...columns.map(({ title }) => title), 'mitigation', 'maps saved'];
  const more = points.planned - points.complete - named.length;
  return [
    `The study is not finished: ${grouped(points.complete)} of ${counted(points.planned, 'point')} are complete. Missing:`,
    ...(named.length > 0 ? [formatTable(titles, rows)] : []),
    ...(more > 0
      ? [
          `${named.length > 0 ? 'and ' : ''}${counted(more, 'point')}${named.length > 0 ? ' more' : ''}`,
        ]
      : []),
    `Continue with: ${command}`,
  ].join('\n');
}

/** Conditions that a plan lists. */
const MOST_LISTED = 50;

/** The conditions of a study by their numbers, as `--only` takes them. */
export function formatConditions(conditions: readonly ConditionKey[]): string[] {
  const columns = columnsFor(conditions);
  const rows = conditions
    .slice(0, MOST_LISTED)
    .map((condition, index) => [
      String(index),
      ...columns.map((column) => cellOf(column, condition)),
    ]);
  const more = conditions.length - rows.length;
  return [
    formatTable(['condition', ...columns.map(({ title }) => title)], rows),
    ...(more > 0 ? [`and ${counted(more, 'condition')} more (--json lists all)`] : []),
  ];
}

/** The columns that tell conditions apart: their heads, and the cells of one of them. */
export function conditionTable(conditions: readonly ConditionKey[]): {
  readonly titles: readonly string[];
  cells(condition: ConditionKey): string[];
} {
  const columns = columnsFor(conditions);
  return {
    titles: columns.map(({ title }) => title),
    cells: (condition) => columns.map((column) => cellOf(column, condition)),
  };
}

/** A condition in a line. */
export function conditionText(condition: ConditionKey): string {
  const { model, format, accelerator, storage, faultModel, scope, rate, voltage } = condition;
  return [
    ...[
      `${model} with ${format} words on ${accelerator}`,
      ...(storage === WEIGHTS_ALONE ? [] : [`storage ${storage}`]),
      `faults ${faultModel}`,
      `scope ${scope}`,
    ],
    ...[voltage === undefined ? [] : `${voltage} V`, `fault rate ${rateText(rate)}`].flat(),
  ].join(', ');
}

/** How many single faults a campaign needs. */
export function formatSampleSizes(sizes: readonly SampleSize[]): string[] {
  return sizes.map(
    ({ model, format, storage, scope, faults, population, samples }) =>
      `Single faults (${faults}, ${scope}, ${storage === WEIGHTS_ALONE ? '' : `${storage}, `}${model} ${format}): ${samples.map(({ margin, size }) => `${grouped(size)} maps for ±${100 * margin} points`).join(', ')} at 95 % (Leveugle et al. 2009), of ${grouped(population)} possible faults.`,
  );
}

/** Yield limits as a table. */
export function formatYieldLimits(
  limits: readonly YieldLimitRow[],
  points: readonly StudyPoint[],
): string {
  const levelText = (level: number | undefined, by: YieldLimitRow['by']) => {
    const [column] = columnsOf((field) => field === by);
    return level === undefined ? 'none' : column.text(level);
  };
  const rows = limits.map((row) => [
    ...LIMIT_COLUMNS.map((column) => cellOf(column, row)),
    ...[levelText(row.estimated, row.by), levelText(row.assured, row.by)],
  ]);
  const wanted = percent(limits[0].wanted);
  const within = percent(points[0].yield.within);
  const short = points.filter((point) => point.images < point.yield.imagesNeeded);
  const needed = Math.max(...short.map((point) => point.yield.imagesNeeded));
  return [
    `Highest rate or lowest voltage at which ${wanted} % of the maps lose at most ${within} points:`,
    formatTable([...LIMIT_COLUMNS.map(({ title }) => title), 'estimated', 'assured (95 %)'], rows),
    ...(short.length > 0
      ? [
          `${rangeText(short.map(({ images }) => images))} images a map are too few to tell a loss of ${within} points from chance: up to ${grouped(needed)} are needed (--images).`,
        ]
      : []),
  ].join('\n');
}

export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

export function accuracyText(point: StudyPoint | undefined): string {
  if (!point) return '';
  const { mean, low, high } = point.accuracy;
  return `${percent(mean)} [${percent(low)}, ${percent(high)}]`;
}

function differenceText(point: StudyPoint | undefined): string {
  if (!point?.difference) return '';
  const signed = (share: number) => `${share > 0 ? '+' : ''}${percent(share)}`;
  const { mean, low, high } = point.difference;
  return `${signed(mean)} [${signed(low)}, ${signed(high)}]`;
}

/** What is to be said of points beside their numbers, each mitigation and remark once. */
export function formatPointNotes(points: readonly StudyPoint[]): string[] {
  const lines = points.flatMap(({ mitigation, repairs, remarks = [] }) => [
    ...(repairs && repairs.notProvedOptimal > 0
      ? [
          `${mitigation}: of some banks the choice of spare lines is not proved optimal (repairs in --json tells how many)`,
        ]
      : []),
    ...remarks.map((remark) => `${mitigation}: ${remark}`),
  ]);
  return [...new Set(lines)].map((line) => `Note: ${line}.`);
}
