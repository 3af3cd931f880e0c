import {
  constants,
  copyFileSync,
  existsSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  truncateSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { z } from 'zod';
import { BitcellError, fileProblem, InputError } from '../../core/index.js';
import { type Database, openDatabase } from './duckdb/database.js';
import { messageOf } from './duckdb/errors.js';
import { cutsOf, logsOf } from './duckdb/log.js';
import { haveDefinitions, requireOwnObjects } from './duckdb/objects.js';
import { dieRecordSchema, pointRecordSchema, trialRecordSchema } from './records.js';
import { STORE_FILE } from './study-store.js';
import type { CellValue } from './tables.js';
import {
  presentRows,
  STORE_VERSION,
  STORE_VERSIONS,
  type StoreVersion,
  tablesOf,
} from './versions/index.js';

/** What can be read of a damaged store. */
export interface SalvagedRows {
  readonly columns: readonly string[];
  /** Rows that can be read and hold what they may hold, in the order in which they were saved. */
  readonly rows: readonly (readonly CellValue[])[];
  /** What cannot be read, a sentence each; empty: nothing is lost. */
  readonly lost: readonly string[];
}

const RECORDS = {
  point: pointRecordSchema,
  trial: trialRecordSchema,
  die: dieRecordSchema,
} as const;

/** DuckDB keeps the values of so many rows together, and reads them together. */
const ROW_GROUP = 122_880;

/** Below so many rows a part that cannot be read is not divided: DuckDB hands out rows by this number. */
const LEAST_ROWS = 2048;

/**
 * Read what can be read of a store, damaged or not, from a copy: the store stays as it is. A log that is not its own,
 * or is damaged, is cut before the damage or left away; of a table the parts of rows that can be read are taken.
 *
 * @throws InputError when nothing can be read, or the store holds what Bitcell does not write
 */
export async function salvageRows(
  folder: string,
  table: keyof typeof RECORDS,
): Promise<SalvagedRows> {
  const file = join(folder, STORE_FILE);
  if (!existsSync(file)) throw new InputError(`${folder} holds no results of a study`);
  const temporary = mkdtempSync(join(realpathSync(tmpdir()), 'bitcell-'));
  const copy = join(temporary, STORE_FILE);
  const lost: string[] = [];
  try {
    copyStore(file, copy);
    const database = await openWithoutDamagedLog(copy, lost);
    const open = () => openDatabase(copy, 'READ_ONLY');
    let rows: string;
    try {
      const version = await versionOfTables(database);
      await requireOwnObjects(database, tablesOf(version), [table]);
      rows = presentRows(version, table);
    } finally {
      database.close();
    }
    return { ...(await readParts(open, table, rows, lost)), lost };
  } catch (error) {
    throw error instanceof BitcellError ? namedAs(error, copy, file) : error;
  } finally {
    rmSync(temporary, { recursive: true });
  }
}

/** What the table of versions says may be what cannot be read: the last version that has such tables. */
async function versionOfTables(database: Database): Promise<StoreVersion> {
  for (const version of STORE_VERSIONS.toReversed()) {
    if (await haveDefinitions(database, tablesOf(version))) return version;
  }
  return STORE_VERSION;
}

function copyStore(file: string, copy: string): void {
  const names = [file, ...logsOf(file)].filter((name) => existsSync(name));
  try {
    for (const name of names) {
      copyFileSync(name, copy + name.slice(file.length), constants.COPYFILE_FICLONE);
    }
  } catch (error) {
    throw new InputError(`Cannot copy ${file}: ${fileProblem(error)}`, { cause: error });
  }
}

/** The user knows the store, not its copy; a second advice to salvage is none. */
function namedAs(error: BitcellError, copy: string, file: string): InputError {
  const message = error.message.replaceAll(copy, file).replace(/; "bitcell results .*$/s, '');
  return new InputError(
    `nothing can be read of ${file}: ${message}; restore a copy, or run the study again into another folder`,
    { cause: error },
  );
}

/** Opens the copy; what of its log stands in the way is taken from it, and told in `lost`. */
async function openWithoutDamagedLog(copy: string, lost: string[]): Promise<Database> {
  const [log, ...others] = logsOf(copy);
  for (;;) {
    try {
      return await openDatabase(copy, 'READ_ONLY');
    } catch (error) {
      if (!existsSync(log) && !others.some((name) => existsSync(name))) throw error;
      const [, position] =
        /Corrupt WAL file: entry (?:at|size .* at) byte position (\d+)/.exec(messageOf(error)) ??
        [];
      const cut = cutsOf(log).findLast((end) => end <= Number(position));
      if (cut === undefined) {
        lost.push(`the log, and all that was saved since the last run ended: ${reason(error)}`);
        for (const name of [log, ...others]) rmSync(name, { force: true });
      } else {
        lost.push(`what the log holds from byte ${position} on: ${reason(error)}`);
        truncateSync(log, cut);
      }
    }
  }
}

/**
 * The rows of a table; a part that cannot be read is divided until what is lost is small.
 *
 * @param query of all of its rows
 */
async function readParts(
  open: () => Promise<Database>,
  table: keyof typeof RECORDS,
  query: string,
  lost: string[],
): Promise<Omit<SalvagedRows, 'lost'>> {
  const [{ rows }] = [
    await once(open, `SELECT count(*)::DOUBLE, max(rowid)::DOUBLE FROM ${table}`),
  ];
  const [[count, last]] = rows as [[number, number | null]];
  let columns: readonly string[] = [];
  const found: CellValue[][] = [];
  let unread = 0;
  let problem = '';
  const read = async (from: number, to: number): Promise<void> => {
    try {
      const part = await once(
        open,
        `${query} WHERE rowid >= ${from} AND rowid < ${to} ORDER BY rowid`,
      );
      columns = part.columns;
      const schema: z.ZodType = RECORDS[table];
      for (const [at, row] of part.rows.entries()) {
        if (schema.safeParse(part.objects[at]).success) found.push(row as CellValue[]);
        else problem ||= 'rows hold what they cannot hold';
      }
    } catch (error) {
      const middle = from + Math.ceil((to - from) / 2 / LEAST_ROWS) * LEAST_ROWS;
      if (middle < to) {
        await read(from, middle);
        await read(middle, to);
        return;
      }
      problem ||= reason(error);
      unread += to - from;
    }
  };
  for (let from = 0; from <= (last ?? -1); from += ROW_GROUP) {
    await read(from, Math.min(from + ROW_GROUP, (last ?? 0) + 1));
  }
  if (found.length < count) {
    lost.push(`${count - found.length} of ${count} rows of the table ${table}: ${problem}`);
  }
  if (found.length === 0 && unread > 0) {
    throw new InputError(`no row of the table ${table} can be read: ${problem}`);
  }
  return { columns, rows: found };
}

/** After some errors DuckDB gives no more answers, so each question is put to a file opened anew. */
async function once(open: () => Promise<Database>, query: string) {
  const database = await open();
  try {
    return await database.read(query);
  } finally {
    database.close();
  }
}

function reason(error: unknown): string {
  return messageOf(error)
    .replace(/^.* is damaged: /s, '')
    .replace(/; "bitcell results .*$/s, '');
}
