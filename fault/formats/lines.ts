import { type ByteSource, requireMemory, utf8Blocks } from '../../core/index.js';

const [NEWLINE, RETURN, SPACE, TAB, HASH, SLASH, PERCENT] = [...'\n\r \t#/%'].map((character) =>
  character.charCodeAt(0),
);

/**
 * Calls back for each line of a text, without its end (LF or CRLF); the bytes are valid during the call.
 *
 * @param visit Takes the bytes with the line from `start` to `end`, and its number from 1; true ends the reading.
 * @throws InputError when the text is not encoded as it should be, or a line takes more memory than there may be
 */
export function forEachLine(
  source: ByteSource,
  visit: (bytes: Uint8Array, start: number, end: number, number: number) => boolean | undefined,
): void {
  let number = 0;
  const carry = createCarry(source.file);
  for (const block of utf8Blocks(source)) {
    let start = 0;
    for (let end = block.indexOf(NEWLINE); end >= 0; end = block.indexOf(NEWLINE, start)) {
      number += 1;
      if (carry.length() > 0) {
        carry.add(block.subarray(0, end));
        const line = carry.take();
        if (visit(line, 0, withoutReturn(line, 0, line.length), number)) return;
      } else if (visit(block, start, withoutReturn(block, start, end), number)) {
        return;
      }
      start = end + 1;
    }
    carry.add(block.subarray(start));
  }
  if (carry.length() === 0) return;
  const line = carry.take();
  visit(line, 0, withoutReturn(line, 0, line.length), number + 1);
}

function withoutReturn(bytes: Uint8Array, start: number, end: number): number {
  return end > start && bytes[end - 1] === RETURN ? end - 1 : end;
}

/** The part of a line that earlier blocks hold; a dump may be all on one line. */
function createCarry(file: string) {
  let buffer = new Uint8Array(0);
  let length = 0;
  return {
    length: () => length,
    add(bytes: Uint8Array): void {
      const needed = length + bytes.length;
      if (needed > buffer.length) {
        requireMemory(3 * needed, `${file}: a line of ${needed} bytes`);
        const larger = new Uint8Array(Math.max(needed, 2 * buffer.length));
        larger.set(buffer.subarray(0, length));
        buffer = larger;
      }
      buffer.set(bytes, length);
      length = needed;
    },
    take(): Uint8Array {
      const line = buffer.subarray(0, length);
      length = 0;
      return line;
    },
  };
}

/** The first byte of a line that is no blank; its end when there is none. */
export function firstInk(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && (bytes[at] === SPACE || bytes[at] === TAB)) at += 1;
  return at;
}

const SEPARATOR_LINE = [...'sep='].map((character) => character.charCodeAt(0));

/** Whether a comment begins at a byte: `#`, `%`, `//`, or `sep=`, by which spreadsheets are told a separator. */
export function isComment(bytes: Uint8Array, at: number): boolean {
  const byte = bytes[at];
  if (byte === SEPARATOR_LINE[0]) {
    return SEPARATOR_LINE.every((character, index) => bytes[at + index] === character);
  }
  return byte === HASH || byte === PERCENT || (byte === SLASH && bytes[at + 1] === SLASH);
}

const decoder = new TextDecoder();

/** The text of some bytes. */
export function textOf(bytes: Uint8Array, start: number, end: number): string {
  return decoder.decode(bytes.subarray(start, end));
}
