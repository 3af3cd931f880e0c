import type { PointRow } from '../execute/collector.js';
import type { DieRow } from '../points/dies/die-row.js';
import { isPilotMap } from '../points/pilot.js';
import { columnValues, POINT_COLUMNS, type PointKey, pointKey } from '../study/columns.js';
import type { Condition } from '../study/conditions.js';
import type { TrialResult } from '../trial/trial.js';

export type TableName =
  | 'trial'
  | 'point'
  | 'repair'
  | 'die'
  | 'plan'
  | 'remark'
  | 'configuration'
  | 'version';

const KEY = [
  '"condition" INTEGER NOT NULL',
  ...POINT_COLUMNS.map(
    ({ name, type, nullable }) => `${name} ${type}${nullable ? '' : ' NOT NULL'}`,
  ),
].join(',\n  ');

/** A table of a store. */
export interface TableDefinition {
  readonly name: TableName;
  /** Columns and constraints in SQL. */
  readonly columns: string;
}

const NAMED_VALUES = 'name VARCHAR PRIMARY KEY, value VARCHAR NOT NULL';

/**
 * One row a trial and mitigation; one row a point that has a trial; one row a trial under a mitigation with spare lines;
 * one row a die at a voltage under a mitigation;
 * one row a point that is planned; what is to be remarked on its points; the configuration and the versions as name and
 * JSON value.
 */
export const TABLES: readonly TableDefinition[] = [
  {
    name: 'trial',
    columns: `${KEY},
  seed BIGINT NOT NULL,
  pilot BOOLEAN NOT NULL,
  map INTEGER NOT NULL,
  images INTEGER NOT NULL,
  requested DOUBLE NOT NULL,
  injected BIGINT NOT NULL,
  effective BIGINT,
  first_layer VARCHAR,
  clean_correct INTEGER NOT NULL,
  correct INTEGER NOT NULL,
  sdc INTEGER NOT NULL,
  non_finite INTEGER NOT NULL,
  correct_images VARCHAR,
  sdc_images VARCHAR,
  seconds DOUBLE NOT NULL,
  PRIMARY KEY ("condition", map, mitigation)`,
  },
  {
    name: 'point',
    columns: `${KEY},
  maps INTEGER NOT NULL,
  images INTEGER NOT NULL,
  accuracy_mean DOUBLE NOT NULL,
  accuracy_low DOUBLE NOT NULL,
  accuracy_high DOUBLE NOT NULL,
  map_worst DOUBLE NOT NULL,
  map_lower_quartile DOUBLE NOT NULL,
  map_median DOUBLE NOT NULL,
  map_upper_quartile DOUBLE NOT NULL,
  map_best DOUBLE NOT NULL,
  difference_mean DOUBLE,
  difference_low DOUBLE,
  difference_high DOUBLE,
  yield_within DOUBLE NOT NULL,
  yield_share DOUBLE NOT NULL,
  yield_low DOUBLE NOT NULL,
  yield_high DOUBLE NOT NULL,
  yield_images_needed BIGINT NOT NULL,
  sdc_share DOUBLE NOT NULL,
  sdc_low DOUBLE NOT NULL,
  sdc_high DOUBLE NOT NULL,
  non_finite DOUBLE NOT NULL,
  requested DOUBLE NOT NULL,
  injected DOUBLE NOT NULL,
  effective DOUBLE,
  complete BOOLEAN NOT NULL,
  PRIMARY KEY ("condition", mitigation)`,
  },
  {
    name: 'repair',
    columns: `"condition" INTEGER NOT NULL,
  mitigation VARCHAR NOT NULL,
  pilot BOOLEAN NOT NULL,
  map INTEGER NOT NULL,
  banks BIGINT NOT NULL,
  repaired BIGINT NOT NULL,
  not_proved_optimal BIGINT NOT NULL,
  uncovered_cells BIGINT NOT NULL,
  PRIMARY KEY ("condition", map, mitigation)`,
  },
  {
    name: 'die',
    columns: `${KEY},
  map INTEGER NOT NULL,
  die VARCHAR,
  lot VARCHAR,
  wafer VARCHAR,
  x DOUBLE,
  y DOUBLE,
  file VARCHAR NOT NULL,
  faults BIGINT NOT NULL,
  effective BIGINT NOT NULL,
  images INTEGER NOT NULL,
  lost INTEGER NOT NULL,
  gained INTEGER NOT NULL,
  accuracy_mean DOUBLE NOT NULL,
  accuracy_low DOUBLE NOT NULL,
  accuracy_high DOUBLE NOT NULL,
  difference_mean DOUBLE NOT NULL,
  difference_low DOUBLE NOT NULL,
  difference_high DOUBLE NOT NULL,
  verdict VARCHAR NOT NULL,
  PRIMARY KEY ("condition", map, mitigation)`,
  },
  {
    name: 'plan',
    columns: `${KEY},
  maps INTEGER NOT NULL`,
  },
  {
    name: 'remark',
    columns: `"condition" INTEGER NOT NULL,
  mitigation VARCHAR NOT NULL,
  remark VARCHAR NOT NULL`,
  },
  { name: 'configuration', columns: NAMED_VALUES },
  { name: 'version', columns: NAMED_VALUES },
];

/** The names of a table's columns, in their order. */
export function columnNames({ columns }: TableDefinition): string[] {
  return Array.from(
    columns.matchAll(/"?(\w+)"? (?:VARCHAR|DOUBLE|INTEGER|BIGINT|BOOLEAN)/g),
    ([, name]) => name,
  );
}

/** A value of a row, as DuckDB takes it. */
export type CellValue = string | number | boolean | null;

/** The cells that say which point a row is of, in the order of the columns. */
export function keyCells(condition: number, key: PointKey): CellValue[] {
  return [condition, ...columnValues(key)];
}

/** The rows of a trial in the order of the columns, one a mitigation. */
export function trialRows(condition: Condition, result: TrialResult, seed: number): CellValue[][] {
  const { trial, requested, injected, cleanCorrect, outcomes } = result;
  return outcomes.map(
    ({ mitigation, correct, sdc, nonFinite, effective, firstLayer, fixed, seconds }) => [
      ...keyCells(condition.index, pointKey(condition, mitigation)),
      ...[seed, isPilotMap(trial.map), trial.map, trial.images],
      ...[requested, injected, effective, firstLayer],
      ...[cleanCorrect, correct, sdc, nonFinite],
      ...[fixed?.correct ?? null, fixed?.sdc ?? null, seconds],
    ],
  );
}

/** What spare lines made of a trial's map, in the order of the columns: a row for each mitigation that has some. */
export function repairRows({ trial, outcomes }: TrialResult): CellValue[][] {
  return outcomes.flatMap(({ mitigation, repairs }) => {
    if (!repairs) return [];
    const { banks, repaired, notProvedOptimal, uncoveredCells } = repairs;
    const of = [trial.condition, mitigation, isPilotMap(trial.map), trial.map];
    return [[...of, banks, repaired, notProvedOptimal, uncoveredCells]];
  });
}

/** The dies of a trial in the order of the columns, one under each mitigation. */
export function dieCells(
  condition: Condition,
  { trial, outcomes }: TrialResult,
  rows: readonly DieRow[],
): CellValue[][] {
  return rows.map((row, at) => {
    const { die, lot, wafer, x, y, file, faults, effective, images } = row;
    const { accuracy, difference, verdict } = row;
    const { paired } = outcomes[at];
    return [
      ...keyCells(condition.index, pointKey(condition, row.mitigation)),
      ...[trial.map, die, lot, wafer, x, y, file, faults, effective, images],
      ...[paired?.lost ?? 0, paired?.gained ?? 0],
      ...[accuracy.mean, accuracy.low, accuracy.high],
      ...[difference.mean, difference.low, difference.high, verdict],
    ];
  });
}

/** A point of the study before it has a trial. */
export interface PlannedPoint {
  readonly condition: number;
  readonly key: PointKey;
  /** The most fault maps that it may take. */
  readonly maps: number;
  readonly remarks: readonly string[];
}

/** The row of a planned point in the order of the columns. */
export function planCells({ condition, key, maps }: PlannedPoint): CellValue[] {
  return [...keyCells(condition, key), maps];
}

/** The rows of what is to be remarked on a planned point, in the order of the columns. */
export function remarkRows({ condition, key, remarks }: PlannedPoint): CellValue[][] {
  return remarks.map((remark) => [condition, key.mitigation, remark]);
}

/** The row of a point in the order of the columns. */
export function pointCells({ condition, point, complete }: PointRow): CellValue[] {
  const { maps, images, accuracy, perMap, difference, sdc, nonFinite, faults } = point;
  return [
    ...keyCells(condition, point),
    ...[maps, images, accuracy.mean, accuracy.low, accuracy.high],
    ...[perMap.worst, perMap.lowerQuartile, perMap.median, perMap.upperQuartile, perMap.best],
    ...[difference?.mean ?? null, difference?.low ?? null, difference?.high ?? null],
    ...[point.yield.within, point.yield.share, point.yield.low, point.yield.high],
    point.yield.imagesNeeded,
    ...[sdc.share, sdc.low, sdc.high, nonFinite],
    ...[faults.requested, faults.injected, faults.effective, complete],
  ];
}
