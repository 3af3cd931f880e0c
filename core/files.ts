import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { codeOf, fileError, InputError } from './errors.js';
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

/**
 * Reads what comes through standard input until it ends.
 *
 * @param name for messages
 * @throws InputError when it cannot be read, or brings more than a pipe may
 */
export function readStandardInput(name: string): Uint8Array<ArrayBuffer> {
  try {
    return readStream(0, name, LARGEST_STREAM);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw fileError(`Cannot read ${name}: ${fileProblem(error)}.`, error);
  }
}

const CHUNK_BYTES = 1 << 16;

/** Milliseconds after which a pipe that has nothing yet is asked again. */
const PAUSE = 5;

/** Reads as `readSync` does, and waits where standard input does not block. */
function readWaiting(descriptor: number, chunk: Uint8Array): number {
  for (;;) {
    try {
      return readSync(descriptor, chunk);
    } catch (error) {
      if (codeOf(error) !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE);
    }
  }
}

function readStream(descriptor: number, path: string, limit: number): Uint8Array<ArrayBuffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const chunk = new Uint8Array(CHUNK_BYTES);
    const count = readWaiting(descriptor, chunk);
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
