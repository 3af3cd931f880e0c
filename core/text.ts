import { isUtf8 } from 'node:buffer';
import { type ByteSource, firstBytes } from './byte-source.js';
import { InputError } from './errors.js';
import { readFileChecked } from './files.js';

/** Characters of the longest string of V8 on 64-bit machines. */
const LONGEST_TEXT = 0x1fffffe8;

/** First bytes of a text that say how it is encoded, the longer ones first. */
const BYTE_ORDER_MARKS: readonly { readonly encoding: string; readonly mark: readonly number[] }[] =
  [
    { encoding: 'UTF-32', mark: [0xff, 0xfe, 0, 0] },
    { encoding: 'UTF-32', mark: [0, 0, 0xfe, 0xff] },
    { encoding: 'utf-8', mark: [0xef, 0xbb, 0xbf] },
    { encoding: 'utf-16le', mark: [0xff, 0xfe] },
    { encoding: 'utf-16be', mark: [0xfe, 0xff] },
  ];

/** The longest byte-order mark. */
const MARK_BYTES = 4;

/** The encoding that the first bytes of a text say, and how many of them say it. */
function encodingOf(bytes: Uint8Array): { readonly encoding: string; readonly length: number } {
  const found = BYTE_ORDER_MARKS.find(({ mark }) =>
    mark.every((byte, position) => bytes[position] === byte),
  );
  return { encoding: found?.encoding ?? 'utf-8', length: found?.mark.length ?? 0 };
}

/**
 * The bytes of a text in UTF-8 without a byte-order mark, block by block, from UTF-8 or, with its byte-order mark,
 * UTF-16. A block is valid until the next one is asked for, and ends with a whole character.
 *
 * @throws InputError as `utf8Bytes` does
 */
export function* utf8Blocks(source: ByteSource): Generator<Uint8Array> {
  const { file } = source;
  const { encoding, length } = encodingOf(firstBytes(source, MARK_BYTES));
  if (encoding === 'UTF-32') throw utf32(file);
  if (encoding !== 'utf-8') {
    const decoder = new TextDecoder(encoding);
    for (const block of source.blocks()) {
      yield new TextEncoder().encode(decoder.decode(block, { stream: true }));
    }
    return;
  }
  let before: Uint8Array = new Uint8Array(0);
  let skipped = length;
  let place = { line: 1, column: 1 };
  for (const block of source.blocks()) {
    const mark = Math.min(skipped, block.length);
    skipped -= mark;
    const rest = block.subarray(mark);
    const content = before.length === 0 ? rest : concatenated(before, rest);
    const end = content.length - unfinishedBytes(content);
    const whole = content.subarray(0, end);
    requireUtf8(whole, file, place);
    before = content.slice(end);
    const next = placeAfter(whole, place);
    yield whole;
    place = next;
  }
  if (before.length > 0) requireUtf8(before, file, place);
}

function concatenated(one: Uint8Array, other: Uint8Array): Uint8Array {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}

/** Bytes at the end that begin a character of UTF-8 without ending it. */
function unfinishedBytes(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back];
    if (byte >= 0xc0) return (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) > back ? back : 0;
    if (byte < 0x80) return 0;
  }
  return 0;
}

/** A place in a text, both from 1. */
interface Place {
  readonly line: number;
  readonly column: number;
}

const START: Place = { line: 1, column: 1 };

/** Where a text goes on after some bytes of it. */
function placeAfter(bytes: Uint8Array, { line, column }: Place): Place {
  let newlines = 0;
  let last = -1;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) {
    newlines += 1;
    last = at;
  }
  const characters = new TextDecoder().decode(bytes.subarray(last + 1)).length;
  return { line: line + newlines, column: (newlines > 0 ? 1 : column) + characters };
}

function utf32(file: string): InputError {
  return new InputError(`${file} is encoded as UTF-32; save it as UTF-8.`);
}

/**
 * Checks that bytes are text in UTF-8.
 *
 * @param start where in the text they begin
 */
function requireUtf8(content: Uint8Array, file: string, start: Place): void {
  if (content.includes(0)) {
    const { line, column } = placeAfter(content.subarray(0, content.indexOf(0)), start);
    throw new InputError(
      `${file}:${line}:${column}: found a NUL byte, as in UTF-16 without a byte-order mark or in a file that is no text; save it as UTF-8.`,
    );
  }
  if (!isUtf8(content)) {
    const { line, column } = firstWrongPlace(content, start);
    throw new InputError(`${file}:${line}:${column}: not encoded as UTF-8; save it as UTF-8.`);
  }
}

/**
 * The bytes of a text in UTF-8 without a byte-order mark, from UTF-8 or, with its byte-order mark, UTF-16.
 *
 * @param file where the bytes come from, named in errors
 * @throws InputError naming the encoding, or the line that is not UTF-8
 */
export function utf8Bytes(bytes: Uint8Array, file: string): Uint8Array {
  const { encoding, length } = encodingOf(bytes);
  const content = bytes.subarray(length);
  if (encoding === 'UTF-32') throw utf32(file);
  if (encoding !== 'utf-8') {
    requireLength(content.length / 2, file);
    return new TextEncoder().encode(new TextDecoder(encoding).decode(content));
  }
  requireUtf8(content, file, START);
  return content;
}

/**
 * The text that bytes hold; see `utf8Bytes`.
 *
 * @throws InputError as `utf8Bytes` does, and when it is longer than a string can be
 */
export function decodeText(bytes: Uint8Array, file: string): string {
  requireLength(bytes.length, file);
  return new TextDecoder().decode(utf8Bytes(bytes, file));
}

/**
 * Reads a text file in UTF-8, or in UTF-16 with a byte-order mark.
 *
 * @param limit bytes that it may have
 * @throws InputError naming the file, as `readFileChecked` and `decodeText` do
 */
export function readTextChecked(path: string, limit = LONGEST_TEXT): string {
  return decodeText(readFileChecked(path, Math.min(limit, LONGEST_TEXT)), path);
}

function requireLength(characters: number, file: string): void {
  if (characters > LONGEST_TEXT) {
    throw new InputError(
      `${file} has up to ${Math.ceil(characters)} characters, but a text must have at most ${LONGEST_TEXT}.`,
    );
  }
}

const NEWLINE = 10;

/** Where the first bytes stand that are not UTF-8. */
function firstWrongPlace(bytes: Uint8Array, start: Place): Place {
  let from = 0;
  for (let place = start; ; place = { line: place.line + 1, column: 1 }) {
    const newline = bytes.indexOf(NEWLINE, from);
    const content = bytes.subarray(from, newline < 0 ? bytes.length : newline);
    if (newline < 0 || !isUtf8(content)) {
      // The decoder puts this character in place of what it cannot decode.
      const characters = new TextDecoder().decode(content).indexOf('\ufffd');
      return { line: place.line, column: place.column + characters };
    }
    from = newline + 1;
  }
}
