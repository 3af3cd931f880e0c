import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { visibleLines, visibleMessage, visibleText } from '../../core/index.js';

describe('visibleText', () => {
  test('writes out what a terminal would obey', () => {
    expect(visibleText('a\x1b]0;owned\x07b\n\r\tc\x7f\x9b31m\u202ed\u2066')).toBe(
      'a\\x1b]0;owned\\x07b\\n\\r\\tc\\x7f\\x9b31m\\u202ed\\u2066',
    );
  });

  test('leaves printable text alone', () => {
    expect(visibleText('naïve 网络 😀 "quotes" \\ 100 %')).toBe('naïve 网络 😀 "quotes" \\ 100 %');
  });

  test('leaves no control character, whatever the text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        (text) =>
          !/\p{Cc}|[\u2028-\u202e\u2066-\u2069]/u.test(visibleText(text)) &&
          !/\p{Cc}/u.test(visibleMessage(text)) &&
          visibleLines(text).split('\n').length === text.split('\n').length,
      ),
    );
  });
});

test('a long message loses its middle', () => {
  const message = `begin ${'\x1b'.repeat(100_000)} end`;
  const text = visibleMessage(message);
  expect(text.length).toBeLessThan(2050);
  expect(text).toMatch(/^begin \\x1b.* characters left out\) .*\\x1b end$/);
});
