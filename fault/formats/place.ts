import { excerpt, InputError, requireMemory } from '../../core/index.js';

/** A text of more faults would be longer than a string can be. */
const MOST_FAULTS_IN_TEXT = 15_000_000;

/** The line of a fault, and its part of the whole text. */
const BYTES_PER_LINE = 120;

/**
 * Checks that a map can be written as one text.
 *
 * @throws InputError when it has too many faults
 */
export function requireRoomForText(faults: number, format: string): void {
  const what = `${format} of ${faults} faults`;
  if (faults > MOST_FAULTS_IN_TEXT) {
    throw new InputError(`${what}: at most ${MOST_FAULTS_IN_TEXT} can be written; use .bfm.`);
  }
  requireMemory(faults * BYTES_PER_LINE, what);
}

/**
 * An error at a place of a text file.
 *
 * @param line From 1.
 * @param column From 1.
 */
export function errorAt(file: string, line: number, column: number, problem: string): InputError {
  return new InputError(`${file}:${line}:${column}: ${problem}.`);
}

/** An error about a value: what was found, and what was expected in its place. */
export function unexpected(
  file: string,
  line: number,
  column: number,
  found: string,
  expected: string,
): InputError {
  const value = found === '' ? 'nothing' : `"${excerpt(found)}"`;
  return errorAt(file, line, column, `found ${value}; expected ${expected}`);
}

/** One line of a text file, without its end. */
export interface TextLine {
  /** From 1. */
  readonly number: number;
  readonly text: string;
}

/**
 * The lines of a text file, decoded one by one, because a file may be longer than a string can be. Ends
 * of lines are LF or CRLF; the last line may lack its own.
 */
export function* textLines(bytes: Uint8Array): Generator<TextLine> {
  const decoder = new TextDecoder();
  let number = 0;
  for (let start = 0; start < bytes.length; ) {
    const newline = bytes.indexOf(10, start);
    const end = newline < 0 ? bytes.length : newline;
    const text = decoder.decode(bytes.subarray(start, end));
    number += 1;
    yield { number, text: text.endsWith('\r') ? text.slice(0, -1) : text };
    start = end + 1;
  }
}

/** The lines of a table that hold a record: neither blank nor a comment that begins with `#`. */
export function* recordLines(bytes: Uint8Array): Generator<TextLine> {
  for (const line of textLines(bytes)) {
    if (!/^\s*(?:#|$)/.test(line.text)) yield line;
  }
}

/** A field of a line of comma-separated values, trimmed. */
export interface Field {
  readonly text: string;
  /** Column of its first character in the line, from 1. */
  readonly column: number;
}

/** The comma-separated fields of a line. */
export function fieldsOf(line: string): Field[] {
  let start = 0;
  return line.split(',').map((raw) => {
    const column = start + 1 + (raw.length - raw.trimStart().length);
    start += raw.length + 1;
    return { text: raw.trim(), column };
  });
}
