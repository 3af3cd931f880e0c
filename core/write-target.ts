import {
  accessSync,
  constants,
  lstatSync,
  readlinkSync,
  realpathSync,
  type Stats,
  statSync,
} from 'node:fs';
import { dirname, isAbsolute } from 'node:path';
import { InputError } from './errors.js';

/** Where the content of an output goes. */
export type WriteTarget =
  /** A file that is there or not yet; symbolic links at the end of the path are followed. */
  | { readonly kind: 'file'; readonly file: string; readonly replaced: Stats | undefined }
  /** A FIFO or character device, which is written to and stays what it is. */
  | { readonly kind: 'stream'; readonly file: string }
  /** An open file of this process (`/dev/stdout`, `/dev/fd/3`). */
  | { readonly kind: 'descriptor'; readonly descriptor: number };

const DESCRIPTORS: Readonly<Record<string, number>> = { '/dev/stdout': 1, '/dev/stderr': 2 };

/** Linux follows so many symbolic links. */
const MOST_LINKS = 40;

/**
 * Where writing to a path leads.
 *
 * @throws InputError when the path names a folder, a block device, a socket or a read-only file (for root, too)
 * @throws the system's error when the path cannot be looked at
 */
export function writeTarget(path: string): WriteTarget {
  if (path === '') throw new InputError('Cannot write a file without a name.');
  const descriptor = descriptorOf(path);
  if (descriptor !== undefined) return { kind: 'descriptor', descriptor };
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) {
    if (/[/\\]\.{0,2}$/.test(path)) throw refusal(path, 'it names a folder');
    return { kind: 'file', file: danglingTarget(path), replaced: undefined };
  }
  if (found.isFIFO() || found.isCharacterDevice()) return { kind: 'stream', file: path };
  if (found.isDirectory()) throw refusal(path, 'it is a folder');
  if (!found.isFile()) throw refusal(path, 'it is a block device or a socket');
  if ((found.mode & 0o222) === 0) throw refusal(path, 'it is read-only');
  accessSync(path, constants.W_OK);
  return { kind: 'file', file: realpathSync.native(path), replaced: found };
}

function descriptorOf(path: string): number | undefined {
  if (Object.hasOwn(DESCRIPTORS, path)) return DESCRIPTORS[path];
  const [, number] = /^\/(?:dev|proc\/self)\/fd\/(\d{1,9})$/.exec(path) ?? [];
  return number === undefined ? undefined : Number(number);
}

/** The file that writing to a missing one makes: where a symbolic link to nothing points, or the path itself. */
function danglingTarget(path: string): string {
  let file = path;
  for (let links = 0; links < MOST_LINKS; links += 1) {
    if (!lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink()) return file;
    const next = readlinkSync(file);
    // Joined as text: taking out ".." before links are followed would lead to another folder.
    file = isAbsolute(next) ? next : `${realpathSync.native(dirname(file))}/${next}`;
  }
  throw refusal(path, 'too many symbolic links follow one another');
}

function refusal(path: string, problem: string): InputError {
  return new InputError(`Cannot write ${path}: ${problem}.`);
}
