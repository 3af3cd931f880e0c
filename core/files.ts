import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { fileError, InputError } from './errors.js';
import { fileProblem } from './file-problem.js';

/** Bytes that one array of Node takes at most when a file is read into it. */
const LARGEST_FILE = 2 ** 31 - 1;

/** What comes through a pipe is held twice for a moment, and its length is not known before. */
const LARGEST_STREAM = 2 ** 28;

/**
 * Reads a whole file, or what comes through a pipe until it ends.
 *
 * @param limit bytes that it may have
 * @throws InputError naming the file when it is missing, a folder, a device, unreadable or larger; then little of it
 * has been read
 */
export function readFileChecked(path: string, limit = LARGEST_FILE): Uint8Array<ArrayBuffer> {
  try {
    const descriptor = openSync(path, 'r');
    try {
      return readDescriptor(descriptor, path, limit);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw fileError(`Cannot read ${path}: ${fileProblem(error)}.`, error);
  }
}

function readDescriptor(descriptor: number, path: string, limit: number): Uint8Array<ArrayBuffer> {
  const status = fstatSync(descriptor);
  if (status.isCharacterDevice() || status.isBlockDevice()) {
    throw new InputError(`Cannot read ${path}: it is a device; give a file or a pipe.`);
  }
  if (status.isFile() && status.size > limit) {
    throw new InputError(
      `Cannot read ${path}: it has ${status.size} bytes, but must have at most ${limit}.`,
    );
  }
  // Files of /proc, too, say that they are empty.
  if (status.isFile() && status.size > 0) return readFileSync(descriptor);
  return readStream(descriptor, path, Math.min(limit, LARGEST_STREAM));
}

const CHUNK_BYTES = 1 << 16;

function readStream(descriptor: number, path: string, limit: number): Uint8Array<ArrayBuffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const chunk = new Uint8Array(CHUNK_BYTES);
    const count = readSync(descriptor, chunk);
    if (count === 0) break;
    chunks.push(chunk.subarray(0, count));
    length += count;
    if (length > limit) {
      throw new InputError(
        `Cannot read ${path}: more than ${limit} bytes come through it, but must be at most so many.`,
      );
    }
  }
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}
