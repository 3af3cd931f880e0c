import { fc, test as property } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import {
  checkBitsOf,
  DETECTED,
  decodeInPlace,
  encodeInPlace,
  secdedCode,
  throttleInPlace,
} from '../../../mitigation/index.js';
import { bigOf, decoderWord, fromHex, lanesOf, readCases } from './cases.js';

/** A change of a block, at lane 1 of memory whose other lanes must stay. */
function changed<Result>(
  block: bigint,
  change: (words: Uint32Array, at: number) => Result,
): [block: bigint, result: Result] {
  const memory = Uint32Array.of(7, ...lanesOf(block, 64), 9);
  const result = change(memory, 1);
  expect([memory[0], memory[3]]).toEqual([7, 9]);
  return [bigOf(memory.subarray(1, 3)), result];
}

const throttled = (block: bigint) => changed(block, throttleInPlace)[0];
const encoded = (block: bigint) => changed(block, encodeInPlace)[0];
const decoded = (stored: bigint) => changed(stored, decodeInPlace);

const blocks = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const cells = fc.shuffledSubarray(Array.from({ length: 64 }, (_, cell) => cell));

function errorOf(struck: readonly number[]): bigint {
  return struck.reduce((error, cell) => error | (1n << BigInt(cell)), 0n);
}

function bytesOf(block: bigint): number[] {
  return Array.from({ length: 8 }, (_, byte) => Number((block >> BigInt(8 * byte)) & 0xffn));
}

test('known answers', () => {
  const cases = readCases('in-place-ecc');
  expect(cases).toHaveLength(50);
  for (const row of cases) {
    const block = throttled(fromHex(row.block));
    const stored = encoded(block);
    const [delivered, correction] = decoded(stored ^ fromHex(row.error));
    const decoder = decoderWord(correction);
    const isWrong = decoder !== 'detected' && delivered !== block;
    expect([block, stored, delivered, decoder, isWrong ? 'miscorrected' : decoder]).toEqual([
      fromHex(row.throttled),
      fromHex(row.stored),
      fromHex(row.delivered),
      row.decoder,
      row.status,
    ]);
  }
});

property.prop([blocks])('throttling clamps the first seven weights', (block) => {
  const weights = bytesOf(block).map((byte) => (byte << 24) >> 24);
  const expected = weights.map((weight, i) =>
    i === 7 ? weight : Math.min(63, Math.max(-64, weight)),
  );
  expect(bytesOf(throttled(block)).map((byte) => (byte << 24) >> 24)).toEqual(expected);
  expect(throttled(throttled(block))).toBe(throttled(block));
});

property.prop([blocks])(
  'what is stored differs in bit 6 of seven weights, the check bits',
  (any) => {
    const block = throttled(any);
    const stored = encoded(block);
    expect((stored ^ block) & ~0x0040404040404040n).toBe(0n);
    // Slowly: bit by bit, in the order that the docstring gives.
    const bits = bytesOf(block).flatMap((byte, i) =>
      [0, 1, 2, 3, 4, 5, 6, 7].flatMap((bit) => (i < 7 && bit === 6 ? [] : [(byte >>> bit) & 1])),
    );
    const data = bits.reduceRight((value, bit) => (value << 1n) | BigInt(bit), 0n);
    const checks = checkBitsOf(secdedCode(57), lanesOf(data, 57), 0);
    const found = bytesOf(stored).slice(0, 7);
    expect(found.map((byte) => (byte >>> 6) & 1)).toEqual(found.map((_, i) => (checks >>> i) & 1));
  },
);

property.prop([blocks])('throttled weights come back, with any one error', (any) => {
  const block = throttled(any);
  const stored = encoded(block);
  expect(decoded(stored)).toEqual([block, 0]);
  for (let cell = 0; cell < 64; cell++) {
    expect(decoded(stored ^ errorOf([cell]))).toEqual([block, cell + 1]);
  }
});

property.prop([blocks, cells])('two errors are detected', (any, order) => {
  const error = errorOf(order.slice(0, 2));
  fc.pre(order.length > 1);
  const block = throttled(any);
  const [delivered, correction] = decoded(encoded(block) ^ error);
  expect(correction).toBe(DETECTED);
  // As read, but that bit 6 repeats bit 7.
  const repeated = 0x0040404040404040n;
  const struck = block ^ error;
  expect(delivered).toBe((struck & ~repeated) | ((struck >> 1n) & repeated));
});
