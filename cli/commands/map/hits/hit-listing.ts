import type { FaultyCells } from '../../../../sim/index.js';
import { type CsvValue, csvCell } from '../../../print/csv.js';
import { grouped } from '../../../print/table.js';

/** The hits of a map, listed one by one; all of them are counted once the last one has been asked for. */
export interface HitListing {
  readonly cells: FaultyCells;
  /** The first hits as JSON has them; given once, here, in `csvLines` or in `table`. */
  rows(): Iterable<object>;
  /** The same as CSV, with a line of column names. */
  csvLines(): Iterable<string>;
  /** The same as a table. */
  table(): string;
  /** Counts, in sentences and tables. */
  summary(): string;
  /** Counts, as JSON has them after the hits. */
  totals(): object;
  /** What JSON lists besides. */
  readonly lists?: Readonly<Record<string, Iterable<object>>> | undefined;
  /** What stands below the summary. */
  readonly remark?: string | undefined;
}

/** Rows as lines of CSV, with a line of column names. */
export function* csvLinesOf<Row>(
  columns: readonly string[],
  rows: Iterable<Row>,
  valuesOf: (row: Row) => readonly CsvValue[],
): Generator<string, void, undefined> {
  yield `${columns.join()}\n`;
  for (const row of rows) yield `${valuesOf(row).map(csvCell).join()}\n`;
}

/** The faulty cells of a map in a sentence. */
export function cellsText(
  { used, unused, check, spare }: FaultyCells,
  faults: number,
  whatUsed: string,
): string {
  const kinds = [
    `${grouped(used)} ${whatUsed}`,
    `${grouped(unused)} are unused`,
    ...(check > 0 ? [`${grouped(check)} hold check bits`] : []),
    ...(spare > 0 ? [`${grouped(spare)} are spare`] : []),
  ].join(', ');
  return `${grouped(faults)} faulty cells: ${kinds}.`;
}
