import type { Mitigation } from '../../mitigation/index.js';
import type { WordFormat } from '../../models/index.js';
import type { PointRow } from '../collector.js';
import { isPilotMap } from '../pilot.js';
import { type Condition, type PointKey, pointKey } from '../plan.js';
import type { StudyPoint } from '../point.js';
import type { Outcome, TrialResult } from '../trial.js';

/** Version of the tables; a file of another version is refused. */
export const STORE_VERSION = 3;

const KEY = `
  "condition" INTEGER NOT NULL,
  model VARCHAR NOT NULL,
  format VARCHAR NOT NULL,
  accelerator VARCHAR NOT NULL,
  fault_model VARCHAR NOT NULL,
  scope VARCHAR NOT NULL,
  mitigation VARCHAR NOT NULL,
  rate DOUBLE NOT NULL,
  voltage DOUBLE`;

/** One row a trial and mitigation; one row a point; the configuration and the versions as name and JSON value. */
export const CREATE_TABLES = [
  `CREATE TABLE trial (${KEY},
  seed BIGINT NOT NULL,
  pilot BOOLEAN NOT NULL,
  map INTEGER NOT NULL,
  images INTEGER NOT NULL,
  requested DOUBLE NOT NULL,
  injected BIGINT NOT NULL,
  effective BIGINT NOT NULL,
  first_layer VARCHAR,
  clean_correct INTEGER NOT NULL,
  correct INTEGER NOT NULL,
  sdc INTEGER NOT NULL,
  non_finite INTEGER NOT NULL,
  correct_images VARCHAR,
  sdc_images VARCHAR,
  seconds DOUBLE NOT NULL,
  PRIMARY KEY ("condition", map, mitigation))`,
  `CREATE TABLE point (${KEY},
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
  effective DOUBLE NOT NULL,
  complete BOOLEAN NOT NULL,
  PRIMARY KEY ("condition", mitigation))`,
  'CREATE TABLE configuration (name VARCHAR PRIMARY KEY, value VARCHAR NOT NULL)',
  'CREATE TABLE version (name VARCHAR PRIMARY KEY, value VARCHAR NOT NULL)',
];

/** A value of a row, as DuckDB takes it. */
export type CellValue = string | number | boolean | null;

function keyCells(condition: number, key: PointKey): CellValue[] {
  const { model, format, accelerator, faultModel, scope, mitigation, rate, voltage = null } = key;
  return [condition, model, format, accelerator, faultModel, scope, mitigation, rate, voltage];
}

/** The rows of a trial in the order of the columns, one a mitigation. */
export function trialRows(condition: Condition, result: TrialResult, seed: number): CellValue[][] {
  const { trial, requested, injected, effective, firstLayer, cleanCorrect, outcomes } = result;
  return outcomes.map(({ mitigation, correct, sdc, nonFinite, fixed, seconds }) => [
    ...keyCells(condition.index, pointKey(condition, mitigation)),
    ...[seed, isPilotMap(trial.map), trial.map, trial.images],
    ...[requested, injected, effective, firstLayer],
    ...[cleanCorrect, correct, sdc, nonFinite],
    ...[fixed?.correct ?? null, fixed?.sdc ?? null, seconds],
  ]);
}

/** A row of the table `trial` as DuckDB gives it as JSON: 64-bit integers are strings. */
export interface TrialRecord {
  readonly condition: number;
  readonly mitigation: Mitigation;
  readonly map: number;
  readonly images: number;
  readonly requested: number;
  readonly injected: string;
  readonly effective: string;
  readonly first_layer: string | null;
  readonly clean_correct: number;
  readonly correct: number;
  readonly sdc: number;
  readonly non_finite: number;
  readonly correct_images: string | null;
  readonly sdc_images: string | null;
  readonly seconds: number;
}

/** The results of rows that are in the order of condition and map; inverse of `trialRows`. */
export function resultsOfRows(rows: readonly TrialRecord[]): TrialResult[] {
  const results: TrialResult[] = [];
  let start = 0;
  while (start < rows.length) {
    const { condition, map } = rows[start];
    let end = start;
    while (end < rows.length && rows[end].condition === condition && rows[end].map === map)
      end += 1;
    results.push(resultOf(rows.slice(start, end)));
    start = end;
  }
  return results;
}

function resultOf(rows: readonly TrialRecord[]): TrialResult {
  const [{ condition, map, images, requested, injected, effective, first_layer, clean_correct }] =
    rows;
  return {
    trial: { condition, map, images, mitigations: rows.map(({ mitigation }) => mitigation) },
    requested,
    injected: Number(injected),
    effective: Number(effective),
    firstLayer: first_layer,
    cleanCorrect: clean_correct,
    outcomes: rows.map(outcomeOf),
  };
}

function outcomeOf(row: TrialRecord): Outcome {
  const { mitigation, correct, sdc, non_finite, correct_images, sdc_images, seconds } = row;
  const fixed =
    correct_images === null || sdc_images === null
      ? undefined
      : { correct: correct_images, sdc: sdc_images };
  return { mitigation, correct, sdc, nonFinite: non_finite, ...(fixed && { fixed }), seconds };
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

/** A row of the table `point` as DuckDB gives it as JSON. */
export interface PointRecord {
  readonly condition: number;
  readonly model: string;
  readonly format: WordFormat;
  readonly accelerator: string;
  readonly fault_model: string;
  readonly scope: string;
  readonly mitigation: Mitigation;
  readonly rate: number;
  readonly voltage: number | null;
  readonly maps: number;
  readonly images: number;
  readonly accuracy_mean: number;
  readonly accuracy_low: number;
  readonly accuracy_high: number;
  readonly map_worst: number;
  readonly map_lower_quartile: number;
  readonly map_median: number;
  readonly map_upper_quartile: number;
  readonly map_best: number;
  readonly difference_mean: number | null;
  readonly difference_low: number | null;
  readonly difference_high: number | null;
  readonly yield_within: number;
  readonly yield_share: number;
  readonly yield_low: number;
  readonly yield_high: number;
  readonly yield_images_needed: string;
  readonly sdc_share: number;
  readonly sdc_low: number;
  readonly sdc_high: number;
  readonly non_finite: number;
  readonly requested: number;
  readonly injected: number;
  readonly effective: number;
  readonly complete: boolean;
}

/** The point of a row; inverse of `pointCells`. */
export function pointOfRecord(row: PointRecord): StudyPoint {
  const { model, format, accelerator, scope, mitigation, rate, maps, images } = row;
  return {
    ...{ model, format, accelerator, faultModel: row.fault_model, scope, mitigation, rate },
    ...(row.voltage !== null && { voltage: row.voltage }),
    ...{ maps, images },
    accuracy: { mean: row.accuracy_mean, low: row.accuracy_low, high: row.accuracy_high },
    perMap: {
      worst: row.map_worst,
      lowerQuartile: row.map_lower_quartile,
      median: row.map_median,
      upperQuartile: row.map_upper_quartile,
      best: row.map_best,
    },
    ...differenceOf(row),
    yield: {
      within: row.yield_within,
      share: row.yield_share,
      low: row.yield_low,
      high: row.yield_high,
      imagesNeeded: Number(row.yield_images_needed),
    },
    sdc: { share: row.sdc_share, low: row.sdc_low, high: row.sdc_high },
    nonFinite: row.non_finite,
    faults: { requested: row.requested, injected: row.injected, effective: row.effective },
  };
}

function differenceOf(row: PointRecord): Pick<StudyPoint, 'difference'> {
  const { difference_mean: mean, difference_low: low, difference_high: high } = row;
  return mean === null || low === null || high === null ? {} : { difference: { mean, low, high } };
}
