import { z } from 'zod';
import { firstIssue, InputError, valueAndProblem } from '../../core/index.js';
import type { Repairs } from '../../mitigation/index.js';
import type { DieRow } from '../points/dies/die-row.js';
import type { StudyPoint } from '../points/point.js';
import { DIE_VERDICTS, type PairedImages } from '../statistics/index.js';
import { COLUMN_SCHEMAS, keyFromColumns, type PointKey, rowText } from '../study/columns.js';
import { decodeImageSet } from '../trial/sample-set.js';
import type { Outcome, TrialResult } from '../trial/trial.js';

const count = z.int().min(0);
/** A 64-bit integer, as DuckDB gives it as JSON. */
const longCount = z.string().regex(/^\d{1,16}$/);
/** Sums of floating-point numbers may pass the ends by a rounding error. */
const share = z
  .number()
  .min(-1e-9)
  .max(1 + 1e-9);
const images = rowText.regex(/^[0-9a-f]*$/).nullable();

const key = { condition: count, ...COLUMN_SCHEMAS };

/** A row of the table `trial` as DuckDB gives it as JSON. */
export const trialRecordSchema = z
  .object({
    ...key,
    seed: longCount,
    pilot: z.boolean(),
    map: count,
    images: z.int().min(1),
    requested: z.number().min(0),
    injected: longCount,
    effective: longCount.nullable(),
    first_layer: rowText.nullable(),
    clean_correct: count,
    correct: count,
    sdc: count,
    non_finite: count,
    correct_images: images,
    sdc_images: images,
    seconds: z.number().min(0),
  })
  .refine(
    (row) =>
      Math.max(row.clean_correct, row.correct, row.sdc, row.non_finite) <= row.images &&
      isSetOf(row.correct_images, row.correct, row.images) &&
      isSetOf(row.sdc_images, row.sdc, row.images),
    'counts more images than there are',
  );

export type TrialRecord = z.infer<typeof trialRecordSchema>;

/** A row of the table `point` as DuckDB gives it as JSON. */
export const pointRecordSchema = z.object({
  ...key,
  maps: z.int().min(1),
  images: z.int().min(1),
  accuracy_mean: share,
  accuracy_low: share,
  accuracy_high: share,
  map_worst: share,
  map_lower_quartile: share,
  map_median: share,
  map_upper_quartile: share,
  map_best: share,
  difference_mean: z.number().nullable(),
  difference_low: z.number().nullable(),
  difference_high: z.number().nullable(),
  yield_within: share,
  yield_share: share,
  yield_low: share,
  yield_high: share,
  yield_images_needed: longCount,
  sdc_share: share,
  sdc_low: share,
  sdc_high: share,
  non_finite: z.number().min(0),
  requested: z.number().min(0),
  injected: z.number().min(0),
  effective: z.number().min(0).nullable(),
  complete: z.boolean(),
});

export type PointRecord = z.infer<typeof pointRecordSchema>;

/** A row of the table `die`. */
export const dieRecordSchema = z
  .object({
    ...key,
    map: count,
    die: rowText.nullable(),
    lot: rowText.nullable(),
    wafer: rowText.nullable(),
    x: z.number().nullable(),
    y: z.number().nullable(),
    file: rowText,
    faults: longCount,
    effective: longCount,
    images: z.int().min(1),
    lost: count,
    gained: count,
    accuracy_mean: share,
    accuracy_low: share,
    accuracy_high: share,
    difference_mean: z.number(),
    difference_low: z.number(),
    difference_high: z.number(),
    verdict: z.enum(DIE_VERDICTS),
  })
  .refine((row) => row.lost + row.gained <= row.images, 'counts more images than there are');

export type DieRecord = z.infer<typeof dieRecordSchema>;

/** The die of a row; inverse of `dieCells`. */
export function dieOfRecord(row: DieRecord): DieRow {
  const { model, format, accelerator, mitigation } = keyOfRecord(row);
  const { die, lot, wafer, x, y, voltage, file, images, verdict } = row;
  return {
    ...{ die, lot, wafer, x, y, voltage, file },
    faults: Number(row.faults),
    ...{ model, format, accelerator, mitigation },
    effective: Number(row.effective),
    images,
    accuracy: { mean: row.accuracy_mean, low: row.accuracy_low, high: row.accuracy_high },
    difference: { mean: row.difference_mean, low: row.difference_low, high: row.difference_high },
    verdict,
  };
}

/** A row of the table `plan`. */
export const planRecordSchema = z.object({ ...key, maps: z.int().min(1) });

export type PlanRecord = z.infer<typeof planRecordSchema>;

/** Trials of a point, or of its pilot, that say the same about what they are of. */
export const trialGroupSchema = z.object({
  ...key,
  pilot: z.boolean(),
  seed: longCount,
  images: z.int().min(1),
  fewest_images: z.int().min(1),
  other_images: count,
  trials: count,
  maps: count,
  first: count,
  last: count,
});

/** A row of `configuration` or `version`. */
export const namedValueSchema = z.object({
  name: z.string().regex(/^[a-zA-Z]{1,64}$/),
  value: z.string(),
});

/** The values of `version` that Bitcell itself goes by. */
export const versionsSchema = z.object({
  code: z.array(rowText).readonly(),
  /** Of studies whose networks have islands. */
  islands: z.array(rowText).readonly().exactOptional(),
});

/**
 * Rows that were checked one by one.
 *
 * @throws InputError naming the file, the table, the column and the value
 */
export function checkRecords<T>(
  schema: z.ZodType<T>,
  rows: readonly unknown[],
  { file, table }: { readonly file: string; readonly table: string },
): T[] {
  return rows.map((row) => {
    const result = schema.safeParse(row);
    if (result.success) return result.data;
    const problem = valueAndProblem(firstIssue(result.error, row));
    throw new InputError(
      `${file} is not as Bitcell writes a study: table ${table}: ${problem}; use a copy of the study that is untouched`,
    );
  });
}

function isSetOf(set: string | null, size: number, places: number): boolean {
  if (set === null) return true;
  const found = decodeImageSet(set);
  return found.length === size && (found.at(-1) ?? 0) < places;
}

/** A row of the table `repair`. */
export const repairRecordSchema = z.object({
  condition: count,
  mitigation: rowText,
  pilot: z.boolean(),
  map: count,
  banks: longCount,
  repaired: longCount,
  not_proved_optimal: longCount,
  uncovered_cells: longCount,
});

export type RepairRecord = z.infer<typeof repairRecordSchema>;

/** A row of the table `remark`. */
export const remarkRecordSchema = z.object({
  condition: count,
  mitigation: rowText,
  remark: rowText,
});

/** What spare lines made of the map of a trial, as far as the store tells. */
export type RepairsOf = (
  trial: Pick<TrialRecord, 'condition' | 'mitigation' | 'map'>,
) => Repairs | undefined;

/** The images on which the die of a trial differs from the fault-free network, if it is of one. */
export type PairedOf = (
  trial: Pick<TrialRecord, 'condition' | 'mitigation' | 'map'>,
) => PairedImages | undefined;

/** What other tables say of a trial under a mitigation. */
export interface TrialNotes {
  readonly repairsOf: RepairsOf;
  readonly pairedOf: PairedOf;
}

/** The results of rows that are in the order of condition and map; inverse of `trialRows`. */
export function resultsOfRows(rows: readonly TrialRecord[], notes: TrialNotes): TrialResult[] {
  const results: TrialResult[] = [];
  let start = 0;
  while (start < rows.length) {
    const { condition, map } = rows[start];
    let end = start;
    while (end < rows.length && rows[end].condition === condition && rows[end].map === map)
      end += 1;
    results.push(resultOf(rows.slice(start, end), notes));
    start = end;
  }
  return results;
}

function resultOf(rows: readonly TrialRecord[], notes: TrialNotes): TrialResult {
  const [{ condition, map, images, requested, injected, clean_correct }] = rows;
  return {
    trial: { condition, map, images, mitigations: rows.map(({ mitigation }) => mitigation) },
    requested,
    injected: Number(injected),
    cleanCorrect: clean_correct,
    outcomes: rows.map((row) => outcomeOf(row, notes)),
  };
}

function outcomeOf(row: TrialRecord, { repairsOf, pairedOf }: TrialNotes): Outcome {
  const [repairs, paired] = [repairsOf(row), pairedOf(row)];
  const { mitigation, correct, sdc, non_finite, correct_images, sdc_images, seconds } = row;
  const fixed =
    correct_images === null || sdc_images === null
      ? undefined
      : { correct: correct_images, sdc: sdc_images };
  return {
    ...{ mitigation, correct, sdc, nonFinite: non_finite },
    effective: row.effective === null ? null : Number(row.effective),
    firstLayer: row.first_layer,
    ...(fixed && { fixed }),
    ...(repairs && { repairs }),
    ...(paired && { paired }),
    seconds,
  };
}

/** What a row is of. */
export function keyOfRecord(row: Omit<PlanRecord, 'maps'>): PointKey {
  return keyFromColumns(({ name }) => row[name]);
}

/** The point of a row; inverse of `pointCells`. */
export function pointOfRecord(row: PointRecord): StudyPoint {
  const { maps, images } = row;
  return {
    ...keyOfRecord(row),
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
