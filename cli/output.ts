import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { inChunks, visibleLines } from '../core/index.js';

/** Version of the objects that `--json` prints; it changes when a field changes its meaning. */
const SCHEMA_VERSION = 1;

/** Print a result: one JSON object, or text, in which names from files may hold anything. */
export function printResult(json: boolean | undefined, result: object, text: () => string): void {
  const output = json
    ? JSON.stringify({ schemaVersion: SCHEMA_VERSION, ...result })
    : visibleLines(text());
  process.stdout.write(`${output}\n`);
}

/**
 * A result as one JSON object in parts, for a list too long to hold: the fields of `head`, the list, and the
 * fields of `tail`, which is called after the last item.
 */
export function* resultParts(
  head: object,
  listName: string,
  list: Iterable<object>,
  tail: () => object,
): Generator<string, void, undefined> {
  const opening = JSON.stringify({ schemaVersion: SCHEMA_VERSION, ...head });
  yield `${opening.slice(0, -1)},${JSON.stringify(listName)}:[`;
  let separator = '';
  for (const item of list) {
    yield separator + JSON.stringify(item);
    separator = ',';
  }
  yield `],${JSON.stringify(tail()).slice(1)}\n`;
}

/** Print parts one after the other, no faster than they are read; a reader may stop early. */
export async function printParts(parts: Iterable<string>): Promise<void> {
  try {
    await pipeline(Readable.from(inChunks(parts)), process.stdout, { end: false });
  } catch (error) {
    if (!isReaderGone(error)) throw error;
  }
}

/** Go on to the end when nobody reads stdout (`| head`) or stderr any more: a study may have a store to fill. */
export function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error) => {
      if (!isReaderGone(error)) throw error;
    });
  }
}

function isReaderGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EPIPE';
}
