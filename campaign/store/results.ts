import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { z } from 'zod';
import { BitcellError, InputError, requireSafeOutputs, writeFileAtomic } from '../../core/index.js';
import type { DieRow } from '../points/dies/die-row.js';
import type { StudyPoint } from '../points/point.js';
import { type ColumnName, POINT_COLUMNS } from '../study/columns.js';
import { readContents, storedMitigationNames } from './contents.js';
import { countsOfTrials, dieRecords, type PointCounts, readPointNotes } from './counts.js';
import { type Database, openDatabase, quoted } from './duckdb/database.js';
import { messageOf } from './duckdb/errors.js';
import { hasTable, requireOwnObjects } from './duckdb/objects.js';
import {
  checkRecords,
  dieOfRecord,
  dieRecordSchema,
  type PointRecord,
  pointOfRecord,
  pointRecordSchema,
  trialRecordSchema,
} from './records.js';
import { remainderOf, type StudyRemainder } from './remaining.js';
import { STORE_FILE, storeFiles } from './study-store.js';
import type { CellValue } from './tables.js';
import { presentRows, type StoreVersion, tablesOf } from './versions/index.js';

/** Tables of a store that hold results. */
export const RESULT_TABLES = ['point', 'trial', 'die'] as const;

export type ResultTable = (typeof RESULT_TABLES)[number];

/** Rows to choose: those with one of the values in every column that is named. */
export type ResultFilter = Readonly<Partial<Record<ColumnName, readonly (string | number)[]>>>;

/** A table as columns and rows. */
export interface ResultRows {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly CellValue[])[];
}

/** Columns that the rows of points get beside those that are saved. */
export interface AddedColumns {
  /** The columns of points whose values choose the row that goes with a point. */
  readonly key: readonly ColumnName[];
  readonly columns: readonly { readonly name: string; readonly type: 'DOUBLE' | 'VARCHAR' }[];
  /** The values of the key, each combination once, then those of the columns. */
  readonly rows: readonly CellValue[][];
}

/** What is taken of a table. */
interface Selection {
  /** Of the store. */
  readonly version: StoreVersion;
  readonly table: ResultTable;
  readonly filter: ResultFilter;
  readonly added?: AddedColumns | undefined;
}

/** The saved results of a study. */
export interface StoredResults {
  /** The resolved configuration of the study, and checksums of its inputs and code. */
  readonly configuration: Readonly<Record<string, unknown>>;
  /** Versions of what ran it first. */
  readonly versions: Readonly<Record<string, unknown>>;
  /** What the study still has to run. */
  readonly remainder: StudyRemainder;
  /** The points that have a trial, in the order of the study. */
  points(filter: ResultFilter): StudyPoint[];
  /**
   * What the trials of those points counted, in the same order.
   *
   * @throws InputError when trials are damaged
   */
  counts(filter: ResultFilter): Promise<PointCounts[]>;
  /** The dies at their voltages under their mitigations, in the order of the study; none of a study without. */
  dies(filter: ResultFilter): DieRow[];
  /**
   * Rows of a table in the order of the study: equal studies give equal rows, times aside.
   *
   * @param added to rows of points
   * @throws InputError when they are damaged
   */
  rows(table: ResultTable, filter: ResultFilter, added?: AddedColumns): Promise<ResultRows>;
  /** Write rows of a table, in the order of the study, as a Parquet file. */
  writeParquet(
    table: ResultTable,
    filter: ResultFilter,
    file: string,
    added?: AddedColumns,
  ): Promise<void>;
  close(): void;
}

const ORDER: Readonly<Record<ResultTable, string>> = {
  point: '"condition", position',
  trial: '"condition", pilot DESC, map, position',
  die: '"condition", map, position',
};

const RECORDS: Readonly<Record<ResultTable, z.ZodType>> = {
  point: pointRecordSchema,
  trial: trialRecordSchema,
  die: dieRecordSchema,
};

/**
 * Open the results that a study saved in a folder.
 *
 * @throws InputError when there are none, they are damaged or not as Bitcell writes them, or a running study has them
 *   open
 */
export async function openResults(folder: string): Promise<StoredResults> {
  const file = join(folder, STORE_FILE);
  if (!existsSync(file)) throw new InputError(`${folder} holds no results of a study`);
  const database = await openDatabase(file, 'READ_ONLY');
  try {
    const contents = await readContents(database);
    const { version, configuration, versions } = contents;
    const mitigations = storedMitigationNames(configuration);
    await orderMitigations(database, mitigations);
    const notesOf = await readPointNotes(database);
    const points = contents.points
      .map((record) => ({ record, point: { ...pointOfRecord(record), ...notesOf(record) } }))
      .sort(
        ({ record: a }, { record: b }) =>
          a.condition - b.condition ||
          mitigations.indexOf(a.mitigation) - mitigations.indexOf(b.mitigation),
      );
    const dies = (await dieRecords(database, version)).sort(
      (a, b) =>
        a.condition - b.condition ||
        a.map - b.map ||
        mitigations.indexOf(a.mitigation) - mitigations.indexOf(b.mitigation),
    );
    return {
      configuration,
      versions,
      remainder: remainderOf(contents),
      points: (filter) =>
        points.filter(({ record }) => matches(record, filter)).map(({ point }) => point),
      dies: (filter) => dies.filter((record) => matches(record, filter)).map(dieOfRecord),
      counts: (filter) => readCounts(database, { version, table: 'trial', filter }),
      rows: (table, filter, added) => readRows(database, { version, table, filter, added }),
      async writeParquet(table, filter, target, added) {
        requireSafeOutputs([['--parquet', target]], storeFiles(folder));
        writeFileAtomic(
          target,
          await parquetOf(file, mitigations, { version, table, filter, added }),
        );
      },
      close: () => database.close(),
    };
  } catch (error) {
    database.close();
    throw error;
  }
}

function matches(record: Pick<PointRecord, ColumnName>, filter: ResultFilter): boolean {
  return POINT_COLUMNS.every(({ name }) => {
    const [wanted, value] = [filter[name], record[name]];
    return !wanted || (value !== null && wanted.includes(value));
  });
}

/** Mitigations have the order in which the study names them. */
async function orderMitigations(database: Database, mitigations: readonly string[]): Promise<void> {
  await database.read('CREATE TEMP TABLE mitigation_order (mitigation VARCHAR, position INTEGER)');
  for (const [position, mitigation] of mitigations.entries()) {
    await database.read('INSERT INTO mitigation_order VALUES (?, ?)', [mitigation, position]);
  }
}

/** The condition and its values; column names come from our table, values are bound. */
function whereClause(filter: ResultFilter): { where: string; values: (string | number)[] } {
  const terms: string[] = [];
  const values: (string | number)[] = [];
  for (const { name } of POINT_COLUMNS) {
    const wanted = filter[name];
    if (!wanted) continue;
    terms.push(`${name} IN (${wanted.map(() => '?').join(', ')})`);
    values.push(...wanted);
  }
  return { where: terms.length === 0 ? '' : `WHERE ${terms.join(' AND ')}`, values };
}

/** A table of this connection alone, for the rows of `AddedColumns`. */
const ADDED = 'added_columns';

async function addColumns(database: Database, { key, columns, rows }: AddedColumns): Promise<void> {
  const definitions = [
    ...key.map((name) => `${name} VARCHAR`),
    ...columns.map(({ name, type }) => `${name} ${type}`),
  ];
  await database.read(`CREATE OR REPLACE TEMP TABLE ${ADDED} (${definitions.join(', ')})`);
  // An appender takes no database that is read only, not even for its temporary tables.
  const places = definitions.map(() => '?').join(', ');
  for (const row of rows) await database.read(`INSERT INTO ${ADDED} VALUES (${places})`, row);
}

/** The query of a selection, whose added columns have to be there. */
function selectionQuery({ version, table, added }: Selection, where: string): string {
  const isAdded = added !== undefined && table === 'point';
  const columns = isAdded ? added.columns.map(({ name }) => `, ${ADDED}.${name}`).join('') : '';
  const join = isAdded ? `LEFT JOIN ${ADDED} USING (${added.key.join(', ')})` : '';
  return `SELECT ${table}.*${columns} FROM (${presentRows(version, table)}) AS ${table} JOIN mitigation_order USING (mitigation) ${join} ${where} ORDER BY ${ORDER[table]}`;
}

/** @throws InputError when a store of an older version does not have it */
async function requireTable(database: Database, table: ResultTable): Promise<void> {
  if (await hasTable(database, table)) return;
  throw new InputError(`${database.file} has no table ${table}: its study is not of measured dies`);
}

async function readRows(database: Database, selection: Selection): Promise<ResultRows> {
  const { table, filter, added } = selection;
  await requireTable(database, table);
  if (added) await addColumns(database, added);
  const { where, values } = whereClause(filter);
  const { columns, rows, objects } = await database.read(selectionQuery(selection, where), values);
  checkRecords(RECORDS[table], objects, { file: database.file, table });
  return { columns, rows: rows as CellValue[][] };
}

async function readCounts(database: Database, selection: Selection): Promise<PointCounts[]> {
  const { where, values } = whereClause(selection.filter);
  const { objects } = await database.read(selectionQuery(selection, where), values);
  const { file } = database;
  return countsOfTrials(checkRecords(trialRecordSchema, objects, { file, table: 'trial' }));
}

/** DuckDB writes to a folder of its own, and only there: whatever the user's path is, it never sees it. */
async function parquetOf(
  file: string,
  mitigations: readonly string[],
  selection: Selection,
): Promise<Uint8Array> {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'bitcell-'));
  const target = join(folder, 'rows.parquet');
  try {
    const database = await openDatabase(file, 'READ_ONLY', target);
    try {
      await requireTable(database, selection.table);
      await requireOwnObjects(database, tablesOf(selection.version), [selection.table]);
      await orderMitigations(database, mitigations);
      if (selection.added) await addColumns(database, selection.added);
      const { where, values } = whereClause(selection.filter);
      await database.read(
        `CREATE TEMP TABLE selection AS ${selectionQuery(selection, where)}`,
        values,
      );
      await database.connection
        .run(`COPY selection TO ${quoted(target)} (FORMAT parquet)`)
        .catch((error) => {
          throw new BitcellError(`Cannot write ${target}: ${messageOf(error)}`);
        });
    } finally {
      database.close();
    }
    return readFileSync(target);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
