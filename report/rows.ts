import type { ConditionDecision, DieRow, StudyPoint } from '../campaign/index.js';

/** As in campaign/, whose face would load all of it for a word. */
const WEIGHTS_ALONE: StudyPoint['storage'] = 'weights';

/** What a chart of accuracies needs of a point of a study. */
export type AccuracyRow = Pick<
  StudyPoint,
  'model' | 'format' | 'faultModel' | 'scope' | 'mitigation' | 'rate' | 'accuracy'
> &
  StorageOfRow;

/** What is broken; default: weights. */
export type StorageOfRow = Partial<Pick<StudyPoint, 'storage'>>;

/** A point with the spread of its maps. */
export interface MapSpreadRow extends AccuracyRow {
  readonly perMap: StudyPoint['perMap'];
}

/** What a chart of dies needs of a die at a voltage. */
export type DieChartRow = Pick<
  DieRow,
  | 'model'
  | 'format'
  | 'accelerator'
  | 'mitigation'
  | 'lot'
  | 'wafer'
  | 'die'
  | 'x'
  | 'y'
  | 'voltage'
  | 'verdict'
>;

/** What a chart of prices needs of a decision. */
export type PriceAndLossRow = Pick<
  ConditionDecision,
  | 'model'
  | 'format'
  | 'accelerator'
  | 'faultModel'
  | 'scope'
  | 'rate'
  | 'voltage'
  | 'priceUnit'
  | 'front'
> &
  StorageOfRow;

/** Activations of one layer at one fault rate, counted by powers of two. */
export interface ActivationRow {
  /** Fault rate; 0: no faults. */
  readonly rate: number;
  readonly layer: string;
  /** Positive values from 2^exponent up to twice that. */
  readonly octaves: readonly { readonly exponent: number; readonly count: number }[];
  /** All values: also those that are 0 or negative, NaN or infinite. */
  readonly values: number;
  readonly nonFinite: number;
}

/** Areas under accuracy against fault rate for some clip thresholds of one layer. */
export interface ThresholdRow {
  readonly layer: string;
  /** Largest fault-free activation. */
  readonly actMax: number;
  readonly points: readonly { readonly threshold: number; readonly area: number }[];
}

/** Distinct values in the order in which they first come. */
export function distinct<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}

/** Rows by a text, in the order in which the texts first come. */
export function groupBy<T>(rows: readonly T[], text: (row: T) => string): [string, T[]][] {
  const groups = new Map<string, T[]>();
  for (const row of rows) {
    const group = groups.get(text(row));
    if (group) group.push(row);
    else groups.set(text(row), [row]);
  }
  return [...groups];
}

/** Network, word format, storages other than weights, and fault model of a row: the title of the panel that shows it. */
export function conditionTitle(row: AccuracyRow): string {
  return [...networkTexts(row), row.faultModel].join(', ');
}

/** Network, word format, and storages other than weights of a row. */
export function networkTexts({
  model,
  format,
  storage = WEIGHTS_ALONE,
}: Pick<AccuracyRow, 'model' | 'format' | 'storage'>): string[] {
  return [model, `${format} words`, ...(storage === WEIGHTS_ALONE ? [] : [storage])];
}

/** A share in percent, to a hundredth. */
export function percentage(share: number): number {
  return Math.round(share * 10_000) / 100;
}
