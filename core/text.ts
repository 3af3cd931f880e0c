import { isUtf8 } from 'node:buffer';
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

/**
 * The bytes of a text in UTF-8 without a byte-order mark, from UTF-8 or, with its byte-order mark, UTF-16.
 *
 * @param file where the bytes come from, named in errors
 * @throws InputError naming the encoding, or the line that is not UTF-8
 */
export function utf8Bytes(bytes: Uint8Array, file: string): Uint8Array {
  const found = BYTE_ORDER_MARKS.find(({ mark }) =>
    mark.every((byte, position) => bytes[position] === byte),
  );
  const { encoding = 'utf-8', mark = [] } = found ?? {};
  const content = bytes.subarray(mark.length);
  if (encoding === 'UTF-32')
    throw new InputError(`${file} is encoded as UTF-32; save it as UTF-8.`);
  if (encoding !== 'utf-8') {
    requireLength(content.length / 2, file);
    return new TextEncoder().encode(new TextDecoder(encoding).decode(content));
  }
  if (content.includes(0)) {
    throw new InputError(
      `${file}:${placeOf(content, content.indexOf(0))}: found a NUL byte, as in UTF-16 without a byte-order mark or in a file that is no text; save it as UTF-8.`,
    );
  }
  if (!isUtf8(content)) {
    throw new InputError(
      `${file}:${firstWrongPlace(content)}: not encoded as UTF-8; save it as UTF-8.`,
    );
  }
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

/** Line and column, from 1, of an offset. */
function placeOf(bytes: Uint8Array, offset: number): string {
  let line = 1;
  let start = 0;
  for (;;) {
    const newline = bytes.indexOf(NEWLINE, start);
    if (newline < 0 || newline >= offset) break;
    start = newline + 1;
    line += 1;
  }
  return `${line}:${new TextDecoder().decode(bytes.subarray(start, offset)).length + 1}`;
}

/** Line and column, from 1, of the first bytes that are not UTF-8. */
function firstWrongPlace(bytes: Uint8Array): string {
  let line = 1;
  for (let start = 0; ; line += 1) {
    const newline = bytes.indexOf(NEWLINE, start);
    const content = bytes.subarray(start, newline < 0 ? bytes.length : newline);
    if (newline < 0 || !isUtf8(content)) {
      // The decoder puts this character in place of what it cannot decode.
      return `${line}:${new TextDecoder().decode(content).indexOf('\ufffd') + 1}`;
    }
    start = newline + 1;
  }
}
