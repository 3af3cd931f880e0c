import { existsSync, linkSync, readdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import {
  BitcellError,
  fileProblem,
  InputError,
  isRunning,
  makeFolders,
} from '../../../core/index.js';
import type { CellValue } from '../tables.js';
import { openError, readError, writeError } from './errors.js';
import { logsOf, requireOwnLogs } from './log.js';
import { absolutePath, type DatabasePath, databasePath } from './path.js';

/** An open DuckDB file. */
export interface Database {
  readonly file: string;
  readonly connection: DuckDBConnection;
  /**
   * Rows of a query, as DuckDB gives them as JSON: 64-bit integers are strings.
   *
   * @throws InputError when the file is damaged
   */
  read(query: string, values?: readonly CellValue[]): Promise<QueryRows>;
  /**
   * Run `work` in a transaction: all of it is kept, on the disk, or nothing.
   *
   * @param inFile whether it is moved from the log into the file, too
   * @throws BitcellError when it cannot be written, or the file is no longer in its place
   */
  transaction(
    work: (connection: DuckDBConnection) => Promise<void>,
    inFile?: boolean,
  ): Promise<void>;
  /** @throws BitcellError when the file is no longer the one that was opened */
  requireThere(): void;
  close(): void;
}

export interface QueryRows {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
  readonly objects: readonly Readonly<Record<string, unknown>>[];
}

export type AccessMode = 'READ_WRITE' | 'READ_ONLY';

const SETTINGS = {
  // The worker threads need the processors; 512 MB hold the tables of millions of trials.
  threads: '1',
  memory_limit: '512MB',
  // A file from elsewhere must neither reach other files or the network, nor bring code along.
  autoload_known_extensions: 'false',
  autoinstall_known_extensions: 'false',
  allow_community_extensions: 'false',
  allow_persistent_secrets: 'false',
  // DuckDB 1.4 is the first whose logs name the file that they belong to.
  storage_compatibility_version: 'v1.4.0',
};

/**
 * Open a DuckDB file that exists.
 *
 * @param writable the one other file that queries may write
 * @throws InputError when another process has it open, it is no DuckDB file or damaged, or its log is of another file
 */
export async function openDatabase(
  file: string,
  mode: AccessMode,
  writable?: string,
): Promise<Database> {
  const absolute = absolutePath(file);
  // Without this DuckDB would make the file anew when somebody removed it just now.
  const found = statSync(absolute, { throwIfNoEntry: false });
  if (!found) throw new InputError(`Cannot open ${file}: no such file or folder`);
  if (!found.isFile()) throw new InputError(`${file} is not a regular file: choose another folder`);
  requireOwnLogs(absolute);
  return connect(file, databasePath(file), mode, writable);
}

/** Open a file, which is made when it is not there. */
async function connect(
  file: string,
  place: DatabasePath,
  mode: AccessMode,
  writable?: string,
): Promise<Database> {
  const { instance, connection } = await openInstance(place.path, mode, writable).catch(
    (error: unknown) => {
      place.release();
      throw openError(error, file);
    },
  );
  const opened = statSync(place.path, { throwIfNoEntry: false });

  const requireThere = () => {
    const found = statSync(place.file, { throwIfNoEntry: false });
    if (found && found.dev === opened?.dev && found.ino === opened.ino) return;
    throw new BitcellError(
      `${file} was removed or replaced while it was written: the trials in it are lost; run the study again into a folder that stays`,
    );
  };
  return {
    file,
    connection,
    requireThere,
    async read(query, values = []) {
      try {
        const reader = await connection.runAndReadAll(query, [...values]);
        return {
          columns: reader.columnNames(),
          rows: reader.getRowsJson(),
          objects: reader.getRowObjectsJson(),
        };
      } catch (error) {
        throw readError(error, file);
      }
    },
    async transaction(work, inFile = false) {
      try {
        await connection.run('BEGIN');
        await work(connection);
        await connection.run('COMMIT');
        // Somebody may have removed the log alone: the next crash would lose what only that holds.
        const [log] = logsOf(place.file);
        if (inFile || place.withoutLog || !existsSync(log)) {
          await connection.run('CHECKPOINT');
        }
      } catch (error) {
        // After a failed write DuckDB refuses everything, this too; the first error is the one to report.
        await connection.run('ROLLBACK').catch(() => undefined);
        requireThere();
        throw writeError(error, file);
      }
      requireThere();
    },
    close() {
      connection.closeSync();
      instance.closeSync();
      place.release();
    },
  };
}

async function openInstance(
  path: string,
  mode: AccessMode,
  writable: string | undefined,
): Promise<{ instance: DuckDBInstance; connection: DuckDBConnection }> {
  // Loaded here because it costs a fifth of a second, which commands without a store should not pay.
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const locked = { enable_external_access: 'false', lock_configuration: 'true' };
  const instance = await DuckDBInstance.create(path, {
    ...SETTINGS,
    access_mode: mode,
    ...(writable === undefined && locked),
  });
  try {
    const connection = await instance.connect();
    if (writable !== undefined) await allowOnly(connection, writable);
    return { instance, connection };
  } catch (error) {
    instance.closeSync();
    throw error;
  }
}

/** Paths can be allowed only while DuckDB runs and everything still is. */
async function allowOnly(connection: DuckDBConnection, file: string): Promise<void> {
  await connection.run(`SET allowed_paths = [${quoted(file)}]`);
  await connection.run('SET enable_external_access = false');
  await connection.run('SET lock_configuration = true');
}

/** A text as SQL has it. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/**
 * Create a DuckDB file with its first content, so that it is there with all of that or not at all.
 *
 * @returns false when another process created the file in the meantime; it is left alone
 */
export async function createDatabase(
  file: string,
  fill: (connection: DuckDBConnection) => Promise<void>,
): Promise<boolean> {
  const folder = dirname(file);
  // Before anything is made.
  absolutePath(file);
  try {
    makeFolders(folder);
  } catch (error) {
    throw new InputError(`Cannot write ${file}: ${fileProblem(error)}.`, { cause: error });
  }
  removeLeftOvers(file);
  const temporary = join(folder, `${temporaryPrefix(file)}${process.pid}`);
  const place = databasePath(temporary);
  try {
    const database = await connect(temporary, { ...place, file: place.path }, 'READ_WRITE');
    try {
      await database.transaction(fill);
      // Moves the log into the file. Closing would do so, too, but not say when it fails.
      await database.connection.run('CHECKPOINT');
      // Unlike a renaming, a link never replaces a file.
      linkSync(place.path, file);
    } finally {
      database.close();
    }
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error instanceof BitcellError ? error : writeError(error, file);
  } finally {
    for (const name of [temporary, `${temporary}.wal`]) rmSync(name, { force: true });
  }
}

function temporaryPrefix(file: string): string {
  return `.${basename(file)}.`;
}

/** Whether a name is that of a file that `createDatabase` works on, or left behind when it was killed. */
export function isTemporary(name: string, file: string): boolean {
  return (
    /^\d+(\.wal)?$/.test(name.slice(temporaryPrefix(file).length)) &&
    name.startsWith(temporaryPrefix(file))
  );
}

function removeLeftOvers(file: string): void {
  const folder = dirname(file);
  for (const name of readdirSync(folder).filter((found) => isTemporary(found, file))) {
    const owner = Number.parseInt(name.slice(temporaryPrefix(file).length), 10);
    // A number of this process on an old file is one that was given out again.
    if (owner === process.pid || !isRunning(owner)) rmSync(join(folder, name), { force: true });
  }
}
