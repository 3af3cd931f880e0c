import { constants, realpathSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { codeOf, InputError } from './errors.js';
import { writeError } from './file-problem.js';
import { fileSystem } from './file-system.js';
import { removeLeftOvers, temporaryIn } from './temporary-files.js';
import { type WriteTarget, writeTarget } from './write-target.js';

/**
 * Writes a file so that readers see the old content or the new, never a part, even after a loss of power: the data go
 * to a temporary file in the same folder, which is synchronised with the disk and then replaces `path`. The file keeps
 * its mode and owner; a symbolic link stays and its target is replaced; a FIFO, a character device and `/dev/stdout`
 * are written to. Missing parent folders are created.
 *
 * @throws InputError naming the path when it is a folder, read-only (for root, too) or cannot be written
 * @throws BitcellError when the disk is full or fails; the temporary file is removed
 */
export function writeFileAtomic(path: string, data: string | Uint8Array): void {
  writePartsAtomic(path, [data]);
}

/**
 * `writeFileAtomic` for content too long to hold, written part by part.
 *
 * @throws as `writeFileAtomic` does, and whatever making a part throws
 */
export function writePartsAtomic(path: string, parts: Iterable<string | Uint8Array>): void {
  const target = targetOf(path);
  if (target.kind !== 'file') {
    writeThrough(target, parts, path);
    return;
  }
  const replacement = replacementOf(path, target);
  try {
    const descriptor = fileSystem.openSync(replacement.temporary, 'wx', modeOf(target.replaced));
    try {
      for (const chunk of inBytes(parts)) writeAll(descriptor, chunk);
    } finally {
      fileSystem.closeSync(descriptor);
    }
  } catch (error) {
    replacement.discard();
    throw writeFailure(error, path);
  }
  replacement.commit();
}

/** A file in the making, which replaces another one as a whole. */
export interface Replacement {
  /** Where to write it; the file is not there yet. */
  readonly temporary: string;
  /**
   * Put it in its place, synchronised with the disk.
   *
   * @throws as `writeFileAtomic` does; then the temporary file is removed
   */
  commit(): void;
  /** Remove it. */
  discard(): void;
}

/**
 * Begin to replace a file by one that something else writes, such as a database; otherwise as `writeFileAtomic`.
 *
 * @throws InputError as `writeFileAtomic` does, and when the path is no file but a FIFO or device
 */
export function beginReplacement(path: string): Replacement {
  const target = targetOf(path);
  if (target.kind === 'file') return replacementOf(path, target);
  throw new InputError(`Cannot write ${path}: this needs a file, not a pipe or device.`);
}

/**
 * Make a folder and those above it, unless they are there. (Node's own `recursive` never ends below `/proc`.)
 *
 * @throws the system's error
 */
export function makeFolders(folder: string): void {
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found?.isDirectory()) return;
  if (found) throw Object.assign(new Error(`${folder} is no folder`), { code: 'ENOTDIR' });
  const parent = dirname(folder);
  if (parent === folder) throw new Error(`there is no folder ${folder}`);
  makeFolders(parent);
  try {
    fileSystem.mkdirSync(folder);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT')
      throw new Error(`no folder can be made in ${parent}; choose another place`, { cause: error });
    // Another process may have made it in the meantime.
    if (code !== 'EEXIST' || !statSync(folder).isDirectory()) throw error;
  }
  synchronizeFolder(parent);
}

function targetOf(path: string): WriteTarget {
  try {
    return writeTarget(path);
  } catch (error) {
    throw writeError(error, path);
  }
}

function replacementOf(path: string, target: WriteTarget & { kind: 'file' }): Replacement {
  const { folder, file } = prepareFolder(path, target.file);
  const temporary = temporaryIn(folder);
  const discard = () => {
    // It may not be there; an error before this one is the one to report.
    try {
      fileSystem.unlinkSync(temporary);
    } catch {}
  };
  return {
    temporary,
    discard,
    commit() {
      try {
        finish(temporary, target.replaced);
        fileSystem.renameSync(temporary, file);
        synchronizeFolder(folder);
      } catch (error) {
        discard();
        throw writeError(error, path);
      }
    },
  };
}

function prepareFolder(path: string, target: string): { folder: string; file: string } {
  try {
    makeFolders(dirname(target));
    const folder = realpathSync.native(dirname(target));
    removeLeftOvers(folder);
    return { folder, file: join(folder, basename(target)) };
  } catch (error) {
    throw writeError(error, path);
  }
}

/** Nobody may read the new content who may not read the old one. */
function modeOf(replaced: Stats | undefined): number {
  return replaced ? replaced.mode & 0o7777 : 0o666;
}

/** Owner and mode of what is replaced, and all of it on the disk. */
function finish(temporary: string, replaced: Stats | undefined): void {
  const descriptor = fileSystem.openSync(temporary, constants.O_WRONLY);
  try {
    if (replaced) {
      keepOwner(descriptor, replaced);
      fileSystem.fchmodSync(descriptor, modeOf(replaced));
    }
    fileSystem.fsyncSync(descriptor);
  } finally {
    fileSystem.closeSync(descriptor);
  }
}

/** Only root may give a file away; for others the new file is theirs. */
function keepOwner(descriptor: number, { uid, gid }: Stats): void {
  if (process.geteuid?.() === uid && process.getegid?.() === gid) return;
  try {
    fileSystem.fchownSync(descriptor, uid, gid);
  } catch (error) {
    if (codeOf(error) !== 'EPERM') throw error;
  }
}

/** Some file systems cannot synchronise a folder, and one that may only be written to cannot be opened. */
const CANNOT_SYNCHRONIZE: ReadonlySet<unknown> = new Set([
  'EINVAL',
  'EACCES',
  'EISDIR',
  'EPERM',
  'ENOTSUP',
]);

/** Makes the names in a folder last. */
function synchronizeFolder(folder: string): void {
  try {
    const descriptor = fileSystem.openSync(folder, 'r');
    try {
      fileSystem.fsyncSync(descriptor);
    } finally {
      fileSystem.closeSync(descriptor);
    }
  } catch (error) {
    if (!CANNOT_SYNCHRONIZE.has(codeOf(error))) throw error;
  }
}

function writeThrough(
  target: Exclude<WriteTarget, { kind: 'file' }>,
  parts: Iterable<string | Uint8Array>,
  path: string,
): void {
  try {
    const isOpen = target.kind === 'descriptor';
    const descriptor = isOpen ? target.descriptor : fileSystem.openSync(target.file, 'w');
    try {
      for (const chunk of inBytes(parts)) writeAll(descriptor, chunk);
    } finally {
      if (!isOpen) fileSystem.closeSync(descriptor);
    }
  } catch (error) {
    throw writeFailure(error, path);
  }
}

/** What making a part throws passes; what the system says becomes an error about the path. */
function writeFailure(error: unknown, path: string): unknown {
  return codeOf(error) === undefined ? error : writeError(error, path);
}

/** Bytes that one system call takes at most. */
const LARGEST_WRITE = 2 ** 30;

/** A full pipe that does not block is tried again after so many milliseconds. */
const RETRY_MS = 5;

/** Writes all bytes; the system may take them in parts. */
function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let offset = 0; offset < bytes.length; ) {
    const length = Math.min(LARGEST_WRITE, bytes.length - offset);
    try {
      offset += fileSystem.writeSync(descriptor, bytes, offset, length);
    } catch (error) {
      if (codeOf(error) !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
    }
  }
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

/** Text in UTF-8, short parts of it together; bytes as they are. */
function* inBytes(parts: Iterable<string | Uint8Array>): Generator<Uint8Array, void, undefined> {
  let text = '';
  for (const part of parts) {
    if (typeof part === 'string') text += part;
    if (text !== '' && (typeof part !== 'string' || text.length >= CHUNK_LENGTH)) {
      yield Buffer.from(text);
      text = '';
    }
    if (typeof part !== 'string') yield part;
  }
  if (text !== '') yield Buffer.from(text);
}
