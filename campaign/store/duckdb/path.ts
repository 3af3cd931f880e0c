import { existsSync, linkSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileProblem, InputError, isRunning } from '../../../core/index.js';
import { logsOf } from './log.js';

/** A file under a name that DuckDB takes for a path. */
export interface DatabasePath {
  /** The file itself: absolute, without symbolic links, because the log has to lie beside it. */
  readonly file: string;
  /** What DuckDB is given. */
  readonly path: string;
  /** Whether a log would not lie beside the file, so that nothing may stay in it. */
  readonly withoutLog: boolean;
  /** Take back what was made for it. */
  release(): void;
}

/** Absolute: letters and a colon in front of a path would name an extension or a service (`md:`). */
export function absolutePath(file: string): string {
  const path = existsSync(file) ? realpathSync(file) : resolve(file);
  if (path.includes('\uFFFD')) {
    throw new InputError(
      `${file}: the name of a folder on its path is not UTF-8: choose another folder`,
    );
  }
  return path;
}

/**
 * The path of a file for DuckDB. After a question mark DuckDB reads parameters, and looks for the log in a folder of
 * another name; so such a file gets a hard link in a folder of its own, as near as can be.
 *
 * @throws InputError when that folder cannot be made, or a log lies beside the file, which DuckDB would not see
 */
export function databasePath(file: string): DatabasePath {
  const absolute = absolutePath(file);
  if (!absolute.includes('?')) {
    return { file: absolute, path: absolute, withoutLog: false, release: () => {} };
  }
  const log = logsOf(absolute).find((name) => existsSync(name));
  if (log !== undefined) {
    throw new InputError(
      `${log} cannot be read in a folder with a question mark in its name: give the folder another name`,
    );
  }
  const folder = linkFolder(absolute);
  const path = join(folder, basename(absolute));
  const release = () => rmSync(folder, { recursive: true, force: true });
  try {
    if (existsSync(absolute)) linkSync(absolute, path);
  } catch (error) {
    release();
    throw unusable(file, error);
  }
  return { file: absolute, path, withoutLog: true, release };
}

const LINK_FOLDER = /^\.bitcell-(\d+)-/;

/** A new folder in the first folder above a file that has no question mark in its path. */
function linkFolder(file: string): string {
  const parent = file.slice(0, file.lastIndexOf('/', file.indexOf('?')) + 1);
  try {
    for (const name of readdirSync(parent)) {
      const [, owner] = LINK_FOLDER.exec(name) ?? [];
      if (owner && !isRunning(Number(owner))) rmSync(join(parent, name), { recursive: true });
    }
    return mkdtempSync(join(parent, `.bitcell-${process.pid}-`));
  } catch (error) {
    throw unusable(file, error);
  }
}

function unusable(file: string, error: unknown): InputError {
  return new InputError(
    `${dirname(file)} has a question mark in its name, for which the folder above it must be writable (${fileProblem(error)}): choose another folder`,
    { cause: error },
  );
}
