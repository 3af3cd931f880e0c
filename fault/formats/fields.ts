import { excerpt, InputError } from '../../core/index.js';
import { textOf } from './lines.js';
import { unexpected } from './place.js';

const [SPACE, TAB, QUOTE] = [...' \t"'].map((character) => character.charCodeAt(0));

/** What stands between the fields of a line; `blanks` are one or more spaces and tabs. */
export type Separator = ',' | ';' | '\t' | '|' | 'blanks';

/** The separator of a table, as its first line with a record shows it. */
export function separatorOf(record: string): Separator {
  const unquoted = record.replace(/"[^"]*"/g, '');
  for (const separator of [';', ',', '\t', '|'] as const) {
    if (unquoted.includes(separator)) return separator;
  }
  return 'blanks';
}

/** One record: fields within bytes, without blanks and quotes around them. They change with the next record. */
export interface Fields {
  readonly bytes: Uint8Array;
  /** The first and the end byte of each field. */
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  readonly count: number;
  /** The record as messages show it. */
  readonly text: () => string;
  /** Where a field stands, or the whole record: `file:line:column`. */
  readonly place: (field?: number) => string;
}

/** The text of a field. */
export function fieldText({ bytes, starts, ends }: Fields, field: number): string {
  return textOf(bytes, starts[field], ends[field]);
}

/** An error about a field: what was found there, and what was expected. */
export function unexpectedField(fields: Fields, field: number, expected: string): InputError {
  return unexpectedAt(fields.place(field), fieldText(fields, field), expected);
}

/** An error at a place that is written already. */
export function unexpectedAt(place: string, found: string, expected: string): InputError {
  const [, file, line, column] = /^(.*):(\d+):(\d+)$/s.exec(place) ?? [];
  if (file !== undefined) return unexpected(file, Number(line), Number(column), found, expected);
  return new InputError(`${place}: found "${excerpt(found)}"; expected ${expected}.`);
}

/** Splits lines into fields, one after the other. */
export interface FieldSplitter {
  /** The fields of a line; valid until the next one is split. */
  split(bytes: Uint8Array, start: number, end: number, line: number): Fields;
}

export function createFieldSplitter(file: string, separator: Separator): FieldSplitter {
  const starts: number[] = [];
  const ends: number[] = [];
  let [line, lineStart, lineEnd] = [0, 0, 0];
  let bytes: Uint8Array = new Uint8Array(0);
  let count = 0;
  const code = separator === 'blanks' ? SPACE : separator.charCodeAt(0);
  const isBlank = (byte: number) => byte === SPACE || (byte === TAB && code !== TAB);

  const isSeparator = (byte: number) => byte === code;

  function unseparated(at: number, end: number): InputError {
    const rest = textOf(bytes, at, end);
    return unexpected(file, line, columnOf(at), rest, 'a separator after the quote');
  }

  function add(start: number, end: number): void {
    starts[count] = start;
    ends[count] = end;
    count += 1;
  }

  /** Where a field without quotes ends: a quote has no place in it. */
  function endOfPlain(start: number, end: number, isEnd: (byte: number) => boolean): number {
    let at = start;
    while (at < end && !isEnd(bytes[at])) {
      if (bytes[at] === QUOTE) {
        throw unexpected(file, line, columnOf(at), '"', 'a separator before the quote');
      }
      at += 1;
    }
    return at;
  }

  /** Takes a field in quotes; returns where it ends. */
  function addQuoted(start: number, end: number): number {
    const close = bytes.indexOf(QUOTE, start + 1);
    if (close < 0 || close >= end) {
      throw unexpected(file, line, columnOf(start), textOf(bytes, start, end), 'a closing quote');
    }
    add(start + 1, close);
    return close + 1;
  }

  function columnOf(at: number): number {
    return textOf(bytes, lineStart, at).length + 1;
  }

  function skipBlanks(at: number, end: number): number {
    let next = at;
    while (next < end && isBlank(bytes[next])) next += 1;
    return next;
  }

  function splitByBlanks(start: number, end: number): void {
    for (let at = skipBlanks(start, end); at < end; at = skipBlanks(at, end)) {
      if (bytes[at] === QUOTE) {
        at = addQuoted(at, end);
        if (at < end && !isBlank(bytes[at])) throw unseparated(at, end);
      } else {
        const first = at;
        at = endOfPlain(first, end, isBlank);
        add(first, at);
      }
    }
  }

  function splitBySeparator(start: number, end: number): void {
    for (let at = start; ; at += 1) {
      at = skipBlanks(at, end);
      if (at < end && bytes[at] === QUOTE) {
        at = skipBlanks(addQuoted(at, end), end);
        if (at < end && bytes[at] !== code) throw unseparated(at, end);
      } else {
        const first = at;
        at = endOfPlain(first, end, isSeparator);
        let last = at;
        while (last > first && isBlank(bytes[last - 1])) last -= 1;
        add(first, last);
      }
      if (at >= end) return;
    }
  }

  const fields: Fields & { bytes: Uint8Array; count: number } = {
    bytes,
    starts,
    ends,
    count,
    text: () => textOf(bytes, lineStart, lineEnd).trim(),
    place: (field) => `${file}:${line}:${field === undefined ? 1 : columnOf(starts[field])}`,
  };

  return {
    split(newBytes, start, end, number) {
      [line, lineStart, lineEnd] = [number, start, end];
      bytes = newBytes;
      count = 0;
      if (separator === 'blanks') splitByBlanks(start, end);
      else splitBySeparator(start, end);
      fields.bytes = bytes;
      fields.count = count;
      return fields;
    },
  };
}
