import { type ByteSource, excerpt, InputError } from '../../core/index.js';
import { type Column, columnsOf, roleOf } from './columns.js';
import type { Fields } from './fields.js';
import { firstInk, forEachLine, isComment, textOf } from './lines.js';
import { createCommentCollector } from './notes.js';
import { errorAt } from './place.js';
import type { Table } from './table.js';

const PAIR = /([A-Za-z][\w-]*)\s*[=:]\s*("[^"]*"|[^\s,;|]+)/g;
const PASS = /\bpass(?:ed)?\b/i;

// Characters are bytes, so that places in the text are places in the line.
const decoder = new TextDecoder('latin1');

interface Pair {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

function pairsOf(text: string): Pair[] {
  return [...text.matchAll(PAIR)].map((match) => {
    const [whole, name, value] = match;
    const end = match.index + whole.length;
    const isQuoted = value.startsWith('"');
    return { name, start: end - value.length + (isQuoted ? 1 : 0), end: isQuoted ? end - 1 : end };
  });
}

/** Longer lines are no records of names and values. */
const LONGEST_RECORD = 4000;

/** Whether a line is a record of names and values, such as `FAIL addr=0x10 exp=0xFF act=0xFE`. */
export function hasKeyValues(record: string): boolean {
  if (record.length > LONGEST_RECORD || /^\s*-\s|[{}]/.test(record)) return false;
  const roles = pairsOf(record).flatMap(({ name }) => roleOf(name) ?? []);
  return (
    (roles.includes('address') && roles.length > 1) ||
    (roles.includes('row') && roles.includes('column'))
  );
}

/**
 * A log whose lines are names and values, in any order; lines that say that something passed are none of its
 * records.
 *
 * @throws InputError naming the line that is something else
 */
export function keyValueTable(source: ByteSource): Table {
  const { file } = source;
  let comments = createCommentCollector();
  const columns = firstColumns();

  function forEachLog(
    visit: (text: string, bytes: Uint8Array, start: number, line: number) => boolean,
  ): void {
    forEachLine(source, (bytes, start, end, number) => {
      const ink = firstInk(bytes, start, end);
      if (ink === end) return false;
      if (isComment(bytes, ink)) {
        comments.add(bytes, ink, end);
        return false;
      }
      if (end - start > LONGEST_RECORD) {
        throw errorAt(
          file,
          number,
          1,
          `found a line of ${end - start} bytes; expected at most ${LONGEST_RECORD}`,
        );
      }
      return visit(decoder.decode(bytes.subarray(start, end)), bytes, start, number);
    });
  }

  /** The columns of the first record that reports a failure. */
  function firstColumns(): readonly (Column & { readonly name: string })[] {
    let found: readonly (Column & { readonly name: string })[] = [];
    forEachLog((text, _bytes, _start, line) => {
      if (!hasKeyValues(text) || (PASS.test(text) && pairsOf(text).length < 3)) return false;
      const names = pairsOf(text).map(({ name }) => name);
      const named = columnsOf(names, () => `${file}:${line}:1`);
      found = named.map((column, index) => ({ ...column, name: names[index] }));
      return true;
    });
    return found;
  }

  function forEachRecord(visit: (fields: Fields, bank: number | undefined) => void): void {
    comments = createCommentCollector();
    const starts: number[] = [];
    const ends: number[] = [];
    forEachLog((text, bytes, lineStart, line) => {
      const pairs = pairsOf(text);
      const missing = columns.find(
        ({ name, role }) => role !== undefined && !pairs.some((pair) => pair.name === name),
      );
      if (missing !== undefined || columns.length === 0) {
        if (PASS.test(text)) return false;
        throw new InputError(
          `${file}:${line}:1: found "${excerpt(text.trim())}"; expected ${
            columns.length === 0
              ? 'names and values'
              : `values of ${columns
                  .filter(({ role }) => role)
                  .map(({ name }) => name)
                  .join(', ')}`
          } on each line, or a table address,expected,actual.`,
        );
      }
      columns.forEach(({ name }, index) => {
        const pair = pairs.find((candidate) => candidate.name === name);
        starts[index] = lineStart + (pair?.start ?? 0);
        ends[index] = lineStart + (pair?.end ?? 0);
      });
      const place = (field?: number) =>
        `${file}:${line}:${field === undefined ? 1 : textOf(bytes, lineStart, starts[field]).length + 1}`;
      visit({ bytes, starts, ends, count: columns.length, text: () => text, place }, undefined);
      return false;
    });
  }

  return { columns, forEachRecord, notes: () => comments.notes() };
}
