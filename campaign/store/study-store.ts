import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { InputError } from '../../core/index.js';
import type { PointRow } from '../collector.js';
import type { Condition } from '../plan.js';
import type { TrialResult } from '../trial.js';
import { createDatabase, type Database, isTemporary, openDatabase } from './database.js';
import { describeDifferences } from './differences.js';
import {
  type CellValue,
  CREATE_TABLES,
  pointCells,
  resultsOfRows,
  STORE_VERSION,
  type TrialRecord,
  trialRows,
} from './tables.js';

/** The file of a study's folder. */
export const STORE_FILE = 'study.duckdb';

/** What a store is opened for. */
export interface StoreOptions {
  /** Everything the result of the study depends on, by name: values that JSON can hold. */
  readonly configuration: Readonly<Record<string, unknown>>;
  /** Versions of what runs the study: kept, not compared. */
  readonly versions: Readonly<Record<string, string>>;
  readonly conditions: readonly Condition[];
  readonly seed: number;
  /** Continue what the folder holds; otherwise it must not hold results. */
  readonly resume: boolean;
}

/** The store of a study while it runs. */
export interface StudyStore {
  /** Trials that earlier runs of the same study saved, in the order of conditions and maps, those of a pilot first. */
  readonly finished: readonly TrialResult[];
  /** Save trials, and the points as they are with them; when it resolves, they outlast a crash. */
  write(results: readonly TrialResult[], points: readonly PointRow[]): Promise<void>;
  close(): void;
}

/**
 * Open the folder of a study: a DuckDB file with the tables `trial`, `point`, `configuration` and `version`.
 *
 * @throws InputError when the folder holds results and `resume` is false, those of another study, or other files;
 * when another process has it open
 */
export async function openStore(folder: string, options: StoreOptions): Promise<StudyStore> {
  const file = join(folder, STORE_FILE);
  requireUsable(folder, file);
  const created =
    !existsSync(file) && (await createDatabase(file, (connection) => fill(connection, options)));
  const database = await openDatabase(file, 'READ_WRITE');
  try {
    await requireVersion(database);
    if (!created) {
      await requireSameStudy(database, options.configuration);
      if (!options.resume) {
        throw new InputError(
          `${folder} already holds results: choose another folder or add --resume`,
        );
      }
    }
    const finished = await readTrials(database);
    return {
      finished,
      write: (results, points) => write(database, options, results, points),
      close: () => database.close(),
    };
  } catch (error) {
    database.close();
    throw error;
  }
}

function requireUsable(folder: string, file: string): void {
  if (!existsSync(folder)) return;
  if (!statSync(folder).isDirectory()) {
    throw new InputError(`${folder} is a file: choose a folder for the results`);
  }
  const others = readdirSync(folder).filter((name) => !isTemporary(name, file));
  if (others.length > 0 && !existsSync(file)) {
    throw new InputError(`${folder} is not empty and holds no study: choose another folder`);
  }
}

async function fill(
  connection: DuckDBConnection,
  { configuration, versions }: StoreOptions,
): Promise<void> {
  for (const statement of CREATE_TABLES) await connection.run(statement);
  for (const [name, value] of Object.entries({ store: STORE_VERSION, ...versions })) {
    await connection.run('INSERT INTO version VALUES (?, ?)', [name, JSON.stringify(value)]);
  }
  for (const [name, value] of Object.entries(configuration)) {
    await connection.run('INSERT INTO configuration VALUES (?, ?)', [name, JSON.stringify(value)]);
  }
}

/** @throws InputError when a file was not written by this version of Bitcell's stores */
export async function requireVersion({ connection, file }: Database): Promise<void> {
  const rows = await connection
    .runAndReadAll(`SELECT value FROM version WHERE name = 'store'`)
    .then((reader) => reader.getRowObjectsJson())
    .catch(() => []);
  if (rows[0]?.value !== JSON.stringify(STORE_VERSION)) {
    throw new InputError(`${file} is not a study of this version of Bitcell`);
  }
}

/** The rows of `configuration`, by name. */
export async function readConfiguration({
  connection,
}: Database): Promise<Record<string, unknown>> {
  const reader = await connection.runAndReadAll('SELECT name, value FROM configuration');
  const rows = reader.getRowObjectsJson();
  return Object.fromEntries(
    rows.map(({ name, value }) => [String(name), JSON.parse(String(value))]),
  );
}

async function requireSameStudy(
  database: Database,
  configuration: Readonly<Record<string, unknown>>,
): Promise<void> {
  const stored = await readConfiguration(database);
  const differences = describeDifferences(stored, JSON.parse(JSON.stringify(configuration)));
  if (differences.length > 0) {
    throw new InputError(`${database.file} is of another study: ${differences.join('; ')}`);
  }
}

async function readTrials({ connection }: Database): Promise<TrialResult[]> {
  const reader = await connection.runAndReadAll(
    'SELECT * FROM trial ORDER BY "condition", pilot DESC, map, rowid',
  );
  return resultsOfRows(reader.getRowObjectsJson() as unknown as TrialRecord[]);
}

async function write(
  database: Database,
  { conditions, seed }: StoreOptions,
  results: readonly TrialResult[],
  points: readonly PointRow[],
): Promise<void> {
  const trials = results.flatMap((result) =>
    trialRows(conditions[result.trial.condition], result, seed),
  );
  await database.transaction(async (connection) => {
    await append(connection, 'trial', trials);
    for (const row of points) await replacePoint(connection, row);
  });
}

/** Add rows to a table, many times faster than by statements. */
async function append(
  connection: DuckDBConnection,
  table: string,
  rows: readonly CellValue[][],
): Promise<void> {
  const appender = await connection.createAppender(table);
  for (const row of rows) {
    for (const [column, value] of row.entries()) {
      const type = appender.columnType(column);
      // 64-bit columns take only big integers.
      const isBig = type.alias === undefined && String(type) === 'BIGINT' && value !== null;
      appender.appendValue(isBig ? BigInt(Number(value)) : value, type);
    }
    appender.endRow();
  }
  appender.closeSync();
}

async function replacePoint(connection: DuckDBConnection, row: PointRow): Promise<void> {
  const cells = pointCells(row);
  await connection.run(
    `INSERT OR REPLACE INTO point VALUES (${cells.map(() => '?').join(', ')})`,
    cells,
  );
}
