import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beginReplacement, InputError, requireSafeOutputs, writeError } from '../../core/index.js';
import type { StudyPoint } from '../point.js';
import { type Database, openDatabase } from './database.js';
import { readConfiguration, requireVersion, STORE_FILE } from './study-store.js';
import { type CellValue, type PointRecord, pointOfRecord } from './tables.js';

/** Tables of a store that hold results. */
export const RESULT_TABLES = ['point', 'trial'] as const;

export type ResultTable = (typeof RESULT_TABLES)[number];

/** Columns that say which point a row belongs to. */
export const FILTER_COLUMNS = [
  'model',
  'format',
  'accelerator',
  'fault_model',
  'scope',
  'mitigation',
  'rate',
  'voltage',
] as const;

/** Rows to choose: those with one of the values in every column that is named. */
export type ResultFilter = Readonly<
  Partial<Record<(typeof FILTER_COLUMNS)[number], readonly (string | number)[]>>
>;

/** A table as columns and rows. */
export interface ResultRows {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly CellValue[])[];
}

/** The saved results of a study. */
export interface StoredResults {
  /** The resolved configuration of the study, and checksums of its inputs and code. */
  readonly configuration: Readonly<Record<string, unknown>>;
  /** Versions of what ran it first. */
  readonly versions: Readonly<Record<string, unknown>>;
  /** The points that have a trial, in the order of the study; `complete`: the study asks for no more. */
  points(
    filter: ResultFilter,
  ): Promise<{ readonly point: StudyPoint; readonly complete: boolean }[]>;
  /** Rows of a table in the order of the study: equal studies give equal rows, times aside. */
  rows(table: ResultTable, filter: ResultFilter): Promise<ResultRows>;
  /** Write rows of a table, in the order of the study, as a Parquet file. */
  writeParquet(table: ResultTable, filter: ResultFilter, file: string): Promise<void>;
  close(): void;
}

const ORDER: Readonly<Record<ResultTable, string>> = {
  point: '"condition", position',
  trial: '"condition", pilot DESC, map, position',
};

/**
 * Open the results that a study saved in a folder.
 *
 * @throws InputError when there are none, or a running study has them open
 */
export async function openResults(folder: string): Promise<StoredResults> {
  const file = join(folder, STORE_FILE);
  if (!existsSync(file)) throw new InputError(`${folder} holds no results of a study`);
  const database = await openDatabase(file, 'READ_ONLY');
  try {
    await requireVersion(database);
    const configuration = await readConfiguration(database);
    await orderMitigations(database, configuration);
    return {
      configuration,
      versions: await readVersions(database),
      async points(filter) {
        const { where, values } = whereClause(filter);
        const reader = await database.connection.runAndReadAll(
          `SELECT point.* FROM point JOIN mitigation_order USING (mitigation) ${where} ORDER BY ${ORDER.point}`,
          values,
        );
        const records = reader.getRowObjectsJson() as unknown as PointRecord[];
        return records.map((record) => ({
          point: pointOfRecord(record),
          complete: record.complete,
        }));
      },
      rows: (table, filter) => readRows(database, table, filter),
      writeParquet: (table, filter, target) => writeParquet(database, table, filter, target),
      close: () => database.close(),
    };
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Mitigations have the order in which the study names them. */
async function orderMitigations(
  { connection }: Database,
  configuration: Readonly<Record<string, unknown>>,
): Promise<void> {
  const mitigations = Array.isArray(configuration.mitigations) ? configuration.mitigations : [];
  await connection.run('CREATE TEMP TABLE mitigation_order (mitigation VARCHAR, position INTEGER)');
  for (const [position, mitigation] of mitigations.entries()) {
    await connection.run('INSERT INTO mitigation_order VALUES (?, ?)', [
      String(mitigation),
      position,
    ]);
  }
}

async function readVersions({ connection }: Database): Promise<Record<string, unknown>> {
  const reader = await connection.runAndReadAll('SELECT name, value FROM version ORDER BY name');
  return Object.fromEntries(
    reader.getRowObjectsJson().map(({ name, value }) => [name, JSON.parse(String(value))]),
  );
}

/** The condition and its values; column names come from this file, values are bound. */
function whereClause(filter: ResultFilter): { where: string; values: (string | number)[] } {
  const terms: string[] = [];
  const values: (string | number)[] = [];
  for (const column of FILTER_COLUMNS) {
    const wanted = filter[column];
    if (!wanted) continue;
    terms.push(`${column} IN (${wanted.map(() => '?').join(', ')})`);
    values.push(...wanted);
  }
  return { where: terms.length === 0 ? '' : `WHERE ${terms.join(' AND ')}`, values };
}

async function readRows(
  { connection }: Database,
  table: ResultTable,
  filter: ResultFilter,
): Promise<ResultRows> {
  const { where, values } = whereClause(filter);
  const reader = await connection.runAndReadAll(
    `SELECT ${table}.* FROM ${table} JOIN mitigation_order USING (mitigation) ${where} ORDER BY ${ORDER[table]}`,
    values,
  );
  return { columns: reader.columnNames(), rows: reader.getRowsJson() as CellValue[][] };
}

async function writeParquet(
  { file: store, connection }: Database,
  table: ResultTable,
  filter: ResultFilter,
  file: string,
): Promise<void> {
  requireSafeOutputs([['--parquet', file]], [store, `${store}.wal`]);
  const { where, values } = whereClause(filter);
  const { temporary, commit, discard } = beginReplacement(file);
  try {
    await connection.run(
      `CREATE OR REPLACE TEMP TABLE selection AS SELECT ${table}.* FROM ${table} JOIN mitigation_order USING (mitigation) ${where} ORDER BY ${ORDER[table]}`,
      values,
    );
    await connection.run(`COPY selection TO ${quoted(temporary)} (FORMAT parquet)`);
  } catch (error) {
    discard();
    throw writeError(error, file);
  }
  commit();
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
