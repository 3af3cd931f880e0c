import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { BitcellError, fileError } from './errors.js';

let temporaryFiles = 0;

/** A name beside `path` that no other process, thread or call uses at the same time. */
function temporaryBeside(path: string): string {
  temporaryFiles += 1;
  const unique = `${process.pid}-${threadId}-${temporaryFiles}`;
  return join(dirname(path), `.${basename(path)}.${unique}.tmp`);
}

/** What went wrong with a file, in words; the system's own message where it is not a common case. */
export function fileProblem(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'ENOENT':
      return 'no such file or folder';
    case 'EISDIR':
      return 'it is a folder';
    case 'ENOTDIR':
    case 'EEXIST':
      return 'a part of the path is a file, not a folder';
    case 'EACCES':
    case 'EPERM':
      return 'permission denied';
    case 'EROFS':
      return 'the file system is read-only';
    case 'ENOSPC':
      return 'no space left on the device';
    default:
      return error instanceof Error ? error.message : String(error);
  }
}

/**
 * Writes a file so that readers see the old content or the new, never a part: the data go to a
 * temporary file in the same folder, which then replaces `path`. Missing parent folders are created.
 *
 * @throws `fileError` naming the path when it cannot be written; the temporary file is removed.
 */
export function writeFileAtomic(path: string, data: string | Uint8Array): void {
  replaceFile(path, (temporary) => writeFileSync(temporary, data));
}

/**
 * `writeFileAtomic` for text too long to hold, written part by part.
 *
 * @throws InputError as `writeFileAtomic` does, and whatever making a part throws.
 */
export function writePartsAtomic(path: string, parts: Iterable<string>): void {
  replaceFile(path, (temporary) => {
    const file = openSync(temporary, 'w');
    try {
      for (const chunk of inChunks(parts)) writeFileSync(file, chunk);
    } finally {
      closeSync(file);
    }
  });
}

/** Length at which parts are passed on together. */
const CHUNK_LENGTH = 1 << 16;

/** The same text in fewer, longer parts, because each write costs about the same. */
export function* inChunks(parts: Iterable<string>): Generator<string, void, undefined> {
  let chunk = '';
  for (const part of parts) {
    chunk += part;
    if (chunk.length < CHUNK_LENGTH) continue;
    yield chunk;
    chunk = '';
  }
  if (chunk !== '') yield chunk;
}

function replaceFile(path: string, write: (temporary: string) => void): void {
  const temporary = temporaryBeside(path);
  try {
    mkdirSync(dirname(path), { recursive: true });
    write(temporary);
    renameSync(temporary, path);
  } catch (error) {
    // Removal also fails where a parent of the path is a file; the first error is the one to report.
    try {
      rmSync(temporary, { force: true });
    } catch {}
    if (error instanceof BitcellError) throw error;
    throw fileError(`Cannot write ${path}: ${fileProblem(error)}.`, error);
  }
}

/**
 * Reads a whole file.
 *
 * @throws `fileError` naming the file when it is missing, a folder or unreadable.
 */
export function readFileChecked(path: string): Uint8Array<ArrayBuffer> {
  try {
    return readFileSync(path);
  } catch (error) {
    throw fileError(`Cannot read ${path}: ${fileProblem(error)}.`, error);
  }
}
