import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { fileError } from './errors.js';
import { fileProblem } from './file-problem.js';
import { readFileChecked, readStandardInput } from './files.js';

/** The name under which messages know what comes through standard input. */
const STANDARD_INPUT = 'standard input';

/** Bytes that can be read from the beginning as often as is wanted, a block at a time. */
export interface ByteSource {
  /** Name for messages. */
  readonly file: string;
  /** A block is valid until the next one is asked for. */
  blocks(): Iterable<Uint8Array>;
}

const BLOCK_BYTES = 1 << 18;

/** Bytes in memory as a source of one block. */
export function bytesSource(bytes: Uint8Array, file: string): ByteSource {
  return { file, blocks: () => [bytes] };
}

/**
 * The bytes of a file, of which no more than a block is in memory, or of what comes through a pipe or, for `-`,
 * standard input, which is kept.
 *
 * @throws InputError naming the file when it is missing, a folder, a device, unreadable, or more than a pipe may bring
 */
export function openByteSource(path: string): ByteSource {
  if (path === '-') return bytesSource(readStandardInput(STANDARD_INPUT), STANDARD_INPUT);
  return isLongFile(path)
    ? { file: path, blocks: () => blocksOf(path) }
    : bytesSource(readFileChecked(path), path);
}

/** Whether a path is a file that is worth reading in blocks. */
function isLongFile(path: string): boolean {
  const status = checked(path, () => statSync(path));
  return status.isFile() && status.size > BLOCK_BYTES;
}

/** What the system says to a call, its errors as those of the file. */
function checked<T>(path: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw fileError(`Cannot read ${path}: ${fileProblem(error)}.`, error);
  }
}

function* blocksOf(path: string): Generator<Uint8Array> {
  const block = new Uint8Array(BLOCK_BYTES);
  const descriptor = checked(path, () => openSync(path, 'r'));
  try {
    for (;;) {
      const count = checked(path, () => readSync(descriptor, block));
      if (count === 0) return;
      yield block.subarray(0, count);
    }
  } finally {
    closeSync(descriptor);
  }
}

/** All bytes of a source. */
export function allBytes(source: ByteSource): Uint8Array {
  const blocks: Uint8Array[] = [];
  let length = 0;
  for (const block of source.blocks()) {
    blocks.push(block.slice());
    length += block.length;
  }
  if (blocks.length === 1) return blocks[0];
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const block of blocks) {
    bytes.set(block, offset);
    offset += block.length;
  }
  return bytes;
}

/** The first bytes of a source, at most so many. */
export function firstBytes(source: ByteSource, most: number): Uint8Array {
  const bytes = new Uint8Array(most);
  let length = 0;
  for (const block of source.blocks()) {
    const part = block.subarray(0, most - length);
    bytes.set(part, length);
    length += part.length;
    if (length === most) break;
  }
  return bytes.subarray(0, length);
}
