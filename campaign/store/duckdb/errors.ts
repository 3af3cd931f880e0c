import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { BitcellError, InputError, isRunning } from '../../../core/index.js';

/** What DuckDB said when a file was opened, as an error of Bitcell's. */
export function openError(error: unknown, file: string): BitcellError {
  const message = messageOf(error);
  const [, holder] = /Conflicting lock is held in .*\(PID (\d+)\)/.exec(message) ?? [];
  if (holder !== undefined) {
    // A lock on a network drive may be held on another machine, where the number is that of another process.
    const where = isRunning(Number(holder)) ? hostname() : 'another machine';
    return new InputError(
      `${file} is in use by process ${holder} on ${where}: wait until that has ended, or choose another folder`,
      { cause: error },
    );
  }
  if (/not a valid DuckDB database file/i.test(message)) {
    return new InputError(`${file} is not a study of Bitcell: choose another folder`, {
      cause: error,
    });
  }
  if (/WAL does not match database file|WAL checkpoint iteration does not match/.test(message)) {
    return foreignLog(file, `${file}.wal`, error);
  }
  return readError(error, file);
}

/** The log beside a store holds changes of another file. */
export function foreignLog(file: string, log: string, cause?: unknown): InputError {
  return new InputError(
    `${log} is not the log of ${file}, but of another study or another copy of this one: move it away, or put the two files back that belong together`,
    { cause },
  );
}

/** Something of a store cannot be read, or is not as it was written. */
export function damaged(file: string, what: string, cause?: unknown): InputError {
  return new InputError(
    `${file} is damaged: ${what}; "bitcell results ${dirname(file)} --salvage" reads what can be read, a copy or a new folder takes its place`,
    { cause },
  );
}

/** What DuckDB said when a store was read, as an error of Bitcell's. */
export function readError(error: unknown, file: string): BitcellError {
  if (error instanceof BitcellError) return error;
  const message = messageOf(error);
  if (/^Out of Memory Error/.test(message)) {
    return new BitcellError(`Cannot read ${file}: ${firstLine(message)}`, undefined, {
      cause: error,
    });
  }
  if (/No such file|Permission denied|File too large|No space left/i.test(message)) {
    return new InputError(`Cannot open ${file}: ${firstLine(message)}`, { cause: error });
  }
  return damaged(file, firstLine(message), error);
}

/** What DuckDB said when a store was written, as an error of Bitcell's. */
export function writeError(error: unknown, file: string): BitcellError {
  const message = messageOf(error);
  if (/^IO Error: Corrupt/.test(message)) return damaged(file, firstLine(message), error);
  const problem = /no space left/i.test(message)
    ? 'no space left on the device'
    : firstLine(message);
  return new BitcellError(
    `Cannot write ${file}: ${problem}; what was saved before is kept, and --resume continues it`,
    undefined,
    { cause: error },
  );
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function firstLine(message: string): string {
  return message.split('\n')[0].replace(/\.$/, '');
}
