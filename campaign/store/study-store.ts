import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { InputError } from '../../core/index.js';
import type { PointRow } from '../execute/collector.js';
import type { DieRow } from '../points/dies/die-row.js';
import { type PointKey, pointKey } from '../study/columns.js';
import type { Condition } from '../study/conditions.js';
import { DEFAULT_REQUIREMENT } from '../study/study.js';
import type { TrialResult } from '../trial/trial.js';
import { type KnownVersions, readContents } from './contents.js';
import { readPaired, readRepairs } from './counts.js';
import { describeDifferences } from './differences.js';
import { append } from './duckdb/append.js';
import { createDatabase, type Database, isTemporary, openDatabase } from './duckdb/database.js';
import { checkRecords, keyOfRecord, resultsOfRows, trialRecordSchema } from './records.js';
import {
  dieCells,
  keyCells,
  type PlannedPoint,
  planCells,
  pointCells,
  remarkRows,
  repairRows,
  TABLES,
  trialRows,
} from './tables.js';
import {
  migrateTables,
  type PlannedRows,
  presentRows,
  STORE_VERSION,
  type StoreVersion,
} from './versions/index.js';

/** The file of a study's folder. */
export const STORE_FILE = 'study.duckdb';

/** The files in which a folder holds a study, there or not: the store and its log. */
export function storeFiles(folder: string): string[] {
  const file = join(folder, STORE_FILE);
  return [file, `${file}.wal`];
}

/** What a store is opened for. */
export interface StoreOptions {
  /** Everything the result of the study depends on but the code, by name: values that JSON can hold. */
  readonly configuration: Readonly<Record<string, unknown>>;
  /** Versions of what runs the study: kept, not compared. */
  readonly versions: Readonly<Record<string, string>>;
  /** Checksum of the code that runs the study; the store lists those that did. */
  readonly code: string;
  /** What computes the islands of the study's networks; undefined: they have none. The store lists those that did. */
  readonly islands?: string | undefined;
  /**
   * Is given the saved trials when something else has saved them, before the store is changed; rejects when they are not
   * repeated now.
   */
  readonly repeat: (saved: readonly TrialResult[], by: OtherSaver) => Promise<void>;
  readonly conditions: readonly Condition[];
  readonly mitigations: readonly string[];
  /** What is to be remarked on the points of a mitigation. */
  readonly remarksOf?:
    | ((condition: Condition, mitigation: string) => readonly string[])
    | undefined;
  /** The most fault maps of a condition's points. */
  readonly mapsOf: (condition: Condition) => number;
  /** The dies of a trial, one under each mitigation; default: a study has none. */
  readonly diesOf?: ((result: TrialResult) => readonly DieRow[]) | undefined;
  readonly seed: number;
  /** Continue what the folder holds; otherwise it must not hold results. */
  readonly resume: boolean;
}

/** What saved trials, and is not what runs now: other code, or islands computed by something else. */
export type OtherSaver = { readonly kind: 'code' } | OtherIslands;

export interface OtherIslands {
  readonly kind: 'islands';
  readonly before: readonly string[];
  readonly now: string;
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
 * when another process has it open; what `repeat` throws
 */
export async function openStore(folder: string, options: StoreOptions): Promise<StudyStore> {
  const file = join(folder, STORE_FILE);
  requireUsable(folder, file);
  const created =
    !existsSync(file) && (await createDatabase(file, (connection) => fill(connection, options)));
  const isUpToDate = created || (await requireContinuable(folder, options));
  const database = await openDatabase(file, 'READ_WRITE');
  try {
    if (!isUpToDate) await bringUpToDate(database, options);
    const finished = await readTrials(database, STORE_VERSION, options);
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
 * @returns whether it is of the present version and names the present code
 */
async function requireContinuable(folder: string, options: StoreOptions): Promise<boolean> {
  // Not even opened: another process that has just made it is about to.
  if (!options.resume) {
    throw new InputError(`${folder} already holds results: choose another folder or add --resume`);
  }
  const database = await openDatabase(join(folder, STORE_FILE), 'READ_ONLY');
  let saved: readonly TrialResult[];
  let by: OtherSaver;
  try {
    const { version, configuration, versions } = await readContents(database);
    const wanted = JSON.parse(JSON.stringify(options.configuration));
    // Stores of before a study had a requirement do not say it, and were made for the default.
    const differences = describeDifferences(
      { ...DEFAULT_REQUIREMENT, ...configuration },
      { ...DEFAULT_REQUIREMENT, ...wanted },
    );
    if (differences.length > 0) {
      throw new InputError(`${database.file} is of another study: ${differences.join('; ')}`);
    }
    const other = otherSaver(versions, options);
    if (other === undefined) return version === STORE_VERSION;
    by = other;
    saved = await readTrials(database, version, options);
  } finally {
    database.close();
  }
  await options.repeat(saved, by);
  return false;
}

function otherSaver(
  { code, islands = [] }: KnownVersions,
  options: StoreOptions,
): OtherSaver | undefined {
  if (!code.includes(options.code)) return { kind: 'code' };
  if (options.islands === undefined || islands.includes(options.islands)) return undefined;
  return { kind: 'islands', before: islands, now: options.islands };
}

/** Make a store one of the present version that names what runs now: wholly, or not at all. */
async function bringUpToDate(database: Database, options: StoreOptions): Promise<void> {
  const { version, configuration, versions } = await readContents(database);
  const code = [...new Set([...versions.code, options.code])];
  const { islands } = options;
  const ran = islands === undefined ? [] : [...new Set([...(versions.islands ?? []), islands])];
  await database.transaction(async (connection) => {
    await migrateTables(connection, version, plannedRows(options));
    await writeValues(connection, 'configuration', configuration);
    await writeValues(connection, 'version', {
      ...{ ...versions, store: STORE_VERSION, code },
      ...(ran.length > 0 && { islands: ran }),
    });
    // A log that makes whole tables anew would make those of any store of an older version its own.
  }, version !== STORE_VERSION);
}

/** Replace the rows of a table of named values. */
async function writeValues(
  connection: DuckDBConnection,
  table: 'configuration' | 'version',
  values: Readonly<Record<string, unknown>>,
): Promise<void> {
  await connection.run(`DELETE FROM ${table}`);
  for (const [name, value] of Object.entries(values)) {
    await connection.run(`INSERT INTO ${table} VALUES (?, ?)`, [name, JSON.stringify(value)]);
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

async function fill(connection: DuckDBConnection, options: StoreOptions): Promise<void> {
  for (const { name, columns } of TABLES) await connection.run(`CREATE TABLE ${name} (${columns})`);
  await writeValues(connection, 'configuration', options.configuration);
  await writeValues(connection, 'version', {
    store: STORE_VERSION,
    ...options.versions,
    code: [options.code],
    ...(options.islands !== undefined && { islands: [options.islands] }),
  });
  const { plan, remark } = plannedRows(options);
  await append(connection, 'plan', plan);
  await append(connection, 'remark', remark);
}

function plannedRows(options: StoreOptions): PlannedRows {
  const points = plannedPoints(options);
  return { plan: points.map(planCells), remark: points.flatMap(remarkRows) };
}

/** The points of a study, in its order. */
function plannedPoints({
  conditions,
  mitigations,
  mapsOf,
  remarksOf,
}: StoreOptions): PlannedPoint[] {
  return conditions.flatMap((condition) =>
    mitigations.map((mitigation) => ({
      condition: condition.index,
      key: pointKey(condition, mitigation),
      maps: mapsOf(condition),
      remarks: remarksOf?.(condition, mitigation) ?? [],
    })),
  );
}

/** @throws InputError when there are trials of other points than the study's */
async function readTrials(
  database: Database,
  version: StoreVersion,
  options: StoreOptions,
): Promise<readonly TrialResult[]> {
  const { objects } = await database.read(
    `${presentRows(version, 'trial')} ORDER BY "condition", pilot DESC, map, rowid`,
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
  return resultsOfRows(records, {
    repairsOf: await readRepairs(database),
    pairedOf: await readPaired(database, version),
  });
}

function idOf(condition: number, key: PointKey): string {
  return JSON.stringify(keyCells(condition, key));
}

async function write(
  database: Database,
  { conditions, seed, diesOf }: StoreOptions,
  results: readonly TrialResult[],
  points: readonly PointRow[],
): Promise<void> {
  const trials = results.flatMap((result) =>
    trialRows(conditions[result.trial.condition], result, seed),
  );
  const dies = results.flatMap((result) =>
    dieCells(conditions[result.trial.condition], result, diesOf?.(result) ?? []),
  );
  await database.transaction(async (connection) => {
    await append(connection, 'trial', trials);
    await append(connection, 'repair', results.flatMap(repairRows));
    await append(connection, 'die', dies);
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
