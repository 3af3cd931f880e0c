import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeText, utf8Bytes } from '../../core/index.js';

const utf16 = (text: string, isLittleEndian: boolean): Uint8Array => {
  const bytes = Buffer.from(`\ufeff${text}`, 'utf16le');
  return isLittleEndian ? bytes : bytes.swap16();
};

/** Texts without lone surrogates, which no encoding holds, and without the NUL character. */
const TEXT = fc
  .string({ unit: 'binary' })
  .map((text) => text.replaceAll('\0', '').replace(/^\ufeff+/, ''));

describe('decodeText', () => {
  test('reads UTF-8 with and without a byte-order mark, and UTF-16 with one', () => {
    fc.assert(
      fc.property(TEXT, (text) => {
        for (const bytes of [
          Buffer.from(text),
          Buffer.from(`\ufeff${text}`),
          utf16(text, true),
          utf16(text, false),
        ]) {
          expect(decodeText(bytes, 'x')).toBe(text);
          expect(Buffer.from(utf8Bytes(bytes, 'x')).toString()).toBe(text);
        }
      }),
      { numRuns: 50 },
    );
  });

  test('names the line of what is not UTF-8', () => {
    const latin1 = Buffer.from('# a\n# caf\xe9\n0,0\n', 'latin1');
    expect(() => decodeText(latin1, 'm.csv')).toThrow(
      'm.csv:2:6: not encoded as UTF-8; save it as UTF-8.',
    );
  });

  test('names UTF-16 without a byte-order mark, and UTF-32', () => {
    const bytes = Buffer.from('bank,row', 'utf16le');
    expect(() => decodeText(bytes, 'm.csv')).toThrow(
      /^m\.csv:1:2: found a NUL byte, as in UTF-16 /,
    );
    expect(() => decodeText(Uint8Array.of(0xff, 0xfe, 0, 0, 65, 0, 0, 0), 'm.csv')).toThrow(
      'm.csv is encoded as UTF-32; save it as UTF-8.',
    );
  });
});
