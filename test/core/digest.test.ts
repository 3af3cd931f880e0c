import { expect, test } from 'vitest';
import { sha256Hex } from '../../core/index.js';

test('SHA-256 of the examples of FIPS 180-2, appendix B', () => {
  expect(sha256Hex('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  expect(sha256Hex('abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq')).toBe(
    '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
  );
});

test('strings are digested as UTF-8', () => {
  expect(sha256Hex('naïve')).toBe(sha256Hex(new TextEncoder().encode('naïve')));
});
