import { fstatSync, writeFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  BitcellError,
  codeOf,
  EXIT,
  fileProblem,
  inChunks,
  visibleLines,
} from '../../core/index.js';

/** Version of the objects that `--json` prints; it changes when a field changes its meaning. */
const SCHEMA_VERSION = 1;

/** Print a result: one JSON object, or text, in which names from files may hold anything. */
export function printResult(json: boolean | undefined, result: object, text: () => string): void {
  const output = json
    ? JSON.stringify({ schemaVersion: SCHEMA_VERSION, ...result })
    : visibleLines(text());
  printText(`${output}\n`);
}

/**
 * A result as one JSON object in parts, for lists too long to hold: the fields of `head`, the lists by name, and the
 * fields of `tail`, which is called after the last item.
 */
export function* resultParts(
  head: object,
  lists: Readonly<Record<string, Iterable<object>>>,
  tail: () => object,
): Generator<string, void, undefined> {
  yield JSON.stringify({ schemaVersion: SCHEMA_VERSION, ...head }).slice(0, -1);
  for (const [name, list] of Object.entries(lists)) {
    yield `,${JSON.stringify(name)}:[`;
    let separator = '';
    for (const item of list) {
      yield separator + JSON.stringify(item);
      separator = ',';
    }
    yield ']';
  }
  yield `,${JSON.stringify(tail()).slice(1)}\n`;
}

/**
 * Print text to stdout.
 *
 * @throws BitcellError when stdout is a file that cannot take all of it
 */
export function printText(text: string): void {
  if (isFile()) writeToFile(text);
  else process.stdout.write(text);
}

/**
 * Print parts one after the other, no faster than they are read; a reader may stop early.
 *
 * @throws BitcellError as `printText` does
 */
export async function printParts(parts: Iterable<string>): Promise<void> {
  if (isFile()) {
    for (const chunk of inChunks(parts)) writeToFile(chunk);
    return;
  }
  try {
    await pipeline(Readable.from(inChunks(parts)), process.stdout, { end: false });
  } catch (error) {
    if (!isReaderGone(error)) throw error;
  }
}

/** Go on to the end when nobody reads stdout (`| head`) or stderr any more: a study may have a store to fill. */
export function outliveReaders(): void {
  // What a file does not take is noticed by `writeToFile`; errors of pipes and terminals are those of readers.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
}

function isReaderGone(error: unknown): boolean {
  return ['EPIPE', 'EIO', 'ECONNRESET'].includes(String(codeOf(error)));
}

/** Whether stdout is a file or a device such as /dev/full. */
function isFile(): boolean {
  const { fd, isTTY } = process.stdout;
  if (isTTY) return false;
  const found = fstatSync(fd);
  return found.isFile() || found.isCharacterDevice() || found.isBlockDevice();
}

/** The stream that Node.js makes of a file loses, without a word, what a write on a nearly full disk left over. */
function writeToFile(text: string): void {
  try {
    writeFileSync(process.stdout.fd, Buffer.from(text));
  } catch (error) {
    throw new BitcellError(`Cannot write to standard output: ${fileProblem(error)}`, EXIT.failed, {
      cause: error,
    });
  }
}
