import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { InputError } from '../../core/index.js';
import type { Mitigation } from '../../mitigation/index.js';
import type { PointRow } from '../execute/collector.js';
import { type Condition, type PointKey, pointKey } from '../study/conditions.js';
import type { TrialResult } from '../trial/trial.js';
import { readContents } from './contents.js';
import { describeDifferences } from './differences.js';
import { append } from './duckdb/append.js';
import { createDatabase, type Database, isTemporary, openDatabase } from './duckdb/database.js';
import { migrate, STORE_VERSION, type StoreVersion } from './migrations.js';
import { checkRecords, keyOfRecord, resultsOfRows, trialRecordSchema } from './records.js';
import { type PlannedPoint, planCells, pointCells, TABLES, trialRows } from './tables.js';

/** The file of a study's folder. */
export const STORE_FILE = 'study.duckdb';

/** What a store is opened for. */
export interface StoreOptions {
  /** Everything the result of the study depends on, by name: values that JSON can hold. */
  readonly configuration: Readonly<Record<string, unknown>>;
  /** Versions of what runs the study: kept, not compared. */
  readonly versions: Readonly<Record<string, string>>;
  readonly conditions: readonly Condition[];
  readonly mitigations: readonly Mitigation[];
  /** The most fault maps a point. */
  readonly maps: number;
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
  /** @throws BitcellError when the file is no longer where it was opened: what was saved is lost */
  close(): void;
}

/**
 * Open the folder of a study: a DuckDB file with the tables of `TABLES`. One of an older version is made one of this
 * version.
 *
 * @throws InputError when the folder holds results and `resume` is false, those of another study, or other files;
 * when another process has it open
 */
export async function openStore(folder: string, options: StoreOptions): Promise<StudyStore> {
  const file = join(folder, STORE_FILE);
  requireUsable(folder, file);
  const created =
    !existsSync(file) && (await createDatabase(file, (connection) => fill(connection, options)));
  const found = created ? STORE_VERSION : await requireContinuable(folder, options);
  const database = await openDatabase(file, 'READ_WRITE');
  try {
    if (found !== STORE_VERSION) await bringUpToDate(database, options);
    const finished = await readTrials(database, options);
    return {
      finished,
      write: (results, points) => write(database, options, results, points),
      close() {
        database.close();
        database.requireThere();
      },
    };
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * Check that a folder holds the same study and may be continued. For that the file is opened to read alone: closing a
 * file that was opened to write moves its log into it, also where that turns out to be of another study.
 *
 * @returns the version of its tables
 */
async function requireContinuable(
  folder: string,
  { configuration, resume }: StoreOptions,
): Promise<StoreVersion> {
  // Not even opened: another process that has just made it is about to.
  if (!resume) {
    throw new InputError(`${folder} already holds results: choose another folder or add --resume`);
  }
  const database = await openDatabase(join(folder, STORE_FILE), 'READ_ONLY');
  try {
    const { version, configuration: stored } = await readContents(database);
    const differences = describeDifferences(stored, JSON.parse(JSON.stringify(configuration)));
    if (differences.length > 0) {
      throw new InputError(`${database.file} is of another study: ${differences.join('; ')}`);
    }
    return version;
  } finally {
    database.close();
  }
}

/** Make a store of an older version one of this version: wholly, or not at all. */
async function bringUpToDate(database: Database, options: StoreOptions): Promise<void> {
  const { version } = await readContents(database);
  if (version === STORE_VERSION) return;
  const plan = plannedPoints(options).map(planCells);
  await database.transaction((connection) => migrate(connection, version, plan));
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

async function fill(connection: DuckDBConnection, options: StoreOptions): Promise<void> {
  for (const { name, columns } of TABLES) await connection.run(`CREATE TABLE ${name} (${columns})`);
  const named = {
    version: { store: STORE_VERSION, ...options.versions },
    configuration: options.configuration,
  };
  for (const [table, values] of Object.entries(named)) {
    for (const [name, value] of Object.entries(values)) {
      await connection.run(`INSERT INTO ${table} VALUES (?, ?)`, [name, JSON.stringify(value)]);
    }
  }
  await append(connection, 'plan', plannedPoints(options).map(planCells));
}

/** The points of a study, in its order. */
function plannedPoints({ conditions, mitigations, maps }: StoreOptions): PlannedPoint[] {
  return conditions.flatMap((condition) =>
    mitigations.map((mitigation) => ({
      condition: condition.index,
      key: pointKey(condition, mitigation),
      maps,
    })),
  );
}

/** @throws InputError when there are trials of other points than the study's */
async function readTrials(
  database: Database,
  options: StoreOptions,
): Promise<readonly TrialResult[]> {
  const { objects } = await database.read(
    'SELECT * FROM trial ORDER BY "condition", pilot DESC, map, rowid',
  );
  const { file } = database;
  const records = checkRecords(trialRecordSchema, objects, { file, table: 'trial' });
  const planned = new Set(plannedPoints(options).map(({ condition, key }) => idOf(condition, key)));
  const other = records.find((record) => !planned.has(idOf(record.condition, keyOfRecord(record))));
  if (other) {
    throw new InputError(
      `${file} holds trials of condition ${other.condition}, mitigation ${other.mitigation}, which this study does not have: choose another folder`,
    );
  }
  return resultsOfRows(records);
}

function idOf(condition: number, key: PointKey): string {
  const { model, format, accelerator, faultModel, scope, mitigation, rate, voltage } = key;
  return JSON.stringify([
    ...[condition, model, format, accelerator, faultModel, scope, mitigation, rate, voltage],
  ]);
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

async function replacePoint(connection: DuckDBConnection, row: PointRow): Promise<void> {
  const cells = pointCells(row);
  await connection.run(
    `INSERT OR REPLACE INTO point VALUES (${cells.map(() => '?').join(', ')})`,
    cells,
  );
}
