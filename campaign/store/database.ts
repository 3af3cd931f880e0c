import { linkSync, readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { BitcellError, fileProblem, InputError, makeFolders } from '../../core/index.js';

/** An open DuckDB file. */
export interface Database {
  readonly file: string;
  readonly connection: DuckDBConnection;
  /** Run `work` in a transaction: all of it is kept, on the disk, or nothing. */
  transaction(work: (connection: DuckDBConnection) => Promise<void>): Promise<void>;
  close(): void;
}

/** The worker threads need the processors; 512 MB hold the tables of millions of trials. */
const SETTINGS = { threads: '1', memory_limit: '512MB' };

/**
 * Open a DuckDB file that exists.
 *
 * @throws InputError when another process has it open, or it is no DuckDB file
 */
export async function openDatabase(
  file: string,
  mode: 'READ_WRITE' | 'READ_ONLY',
): Promise<Database> {
  // Loaded here because it costs a fifth of a second, which commands without a store should not pay.
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(file, { ...SETTINGS, access_mode: mode }).catch(
    (error: unknown) => {
      throw openError(error, file);
    },
  );
  const connection = await instance.connect();
  return {
    file,
    connection,
    async transaction(work) {
      try {
        await connection.run('BEGIN');
        await work(connection);
        await connection.run('COMMIT');
      } catch (error) {
        // After a failed write DuckDB refuses everything, this too; the first error is the one to report.
        await connection.run('ROLLBACK').catch(() => undefined);
        throw writeError(error, file);
      }
    },
    close() {
      connection.closeSync();
      instance.closeSync();
    },
  };
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
  try {
    makeFolders(folder);
  } catch (error) {
    throw new InputError(`Cannot write ${file}: ${fileProblem(error)}.`, { cause: error });
  }
  removeLeftOvers(file);
  const temporary = join(folder, `${temporaryPrefix(file)}${process.pid}`);
  try {
    const database = await openDatabase(temporary, 'READ_WRITE');
    try {
      await database.transaction(fill);
      // Moves the log into the file. Closing would do so, too, but not say when it fails.
      await database.connection.run('CHECKPOINT');
    } finally {
      database.close();
    }
    // Unlike a renaming, a link never replaces a file.
    linkSync(temporary, file);
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

function isRunning(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    // Processes of other users run, too.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function openError(error: unknown, file: string): BitcellError {
  const message = messageOf(error);
  const [, holder] = /Conflicting lock is held in .*\(PID (\d+)\)/.exec(message) ?? [];
  if (holder !== undefined) {
    return new InputError(
      `${file} is in use by process ${holder}: wait until that has ended, or choose another folder`,
      { cause: error },
    );
  }
  if (/not a valid DuckDB database file/i.test(message)) {
    return new InputError(`${file} is not a study of Bitcell: choose another folder`, {
      cause: error,
    });
  }
  return new InputError(`Cannot open ${file}: ${firstLine(message)}`, { cause: error });
}

function writeError(error: unknown, file: string): BitcellError {
  const message = messageOf(error);
  const problem = /no space left/i.test(message)
    ? 'no space left on the device'
    : firstLine(message);
  return new BitcellError(
    `Cannot write ${file}: ${problem}; what was saved before is kept, and --resume continues it`,
    undefined,
    { cause: error },
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function firstLine(message: string): string {
  return message.split('\n')[0].replace(/\.$/, '');
}
