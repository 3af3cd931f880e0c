import { existsSync, realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { InputError } from '../../core/index.js';

/**
 * The path of a file as DuckDB takes it for a path: absolute, because letters and a colon in front would name an
 * extension or a service (`md:`), and without symbolic links, because the log has to lie beside the file itself.
 *
 * @throws InputError when DuckDB cannot keep the file's log beside it
 */
export function databasePath(file: string): string {
  const path = existsSync(file) ? realpathSync(file) : resolve(file);
  // DuckDB takes what follows for parameters, and would look for the log in a folder of another name.
  if (path.includes('?')) {
    throw new InputError(
      `${file}: the database cannot keep a file in a folder with a question mark in its name: choose another folder`,
    );
  }
  if (path.includes('\uFFFD')) {
    throw new InputError(
      `${file}: the name of a folder on its path is not UTF-8: choose another folder`,
    );
  }
  return path;
}
