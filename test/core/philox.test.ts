import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { philox4x32 } from '../../core/index.js';

/** The lines `philox4x32 10` of Random123's file of known answers (tests/kat_vectors). */
const KNOWN_ANSWERS = [
  '00000000 00000000 00000000 00000000 00000000 00000000 6627e8d5 e169c58d bc57ac4c 9b00dbd8',
  'ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff 408f276d 41c83b0e a20bc7c6 6d5451fd',
  '243f6a88 85a308d3 13198a2e 03707344 a4093822 299f31d0 d16cfe09 94fdcceb 5001e420 24126ea1',
];

/** The generator as the paper states it, with 64-bit products in BigInt. */
function philoxByDefinition(counter: Uint32Array, key: Uint32Array): Uint32Array {
  let words = [...counter];
  let [k0, k1] = key;
  for (let round = 0; round < 10; round += 1) {
    const p0 = 0xd2511f53n * BigInt(words[0]);
    const p1 = 0xcd9e8d57n * BigInt(words[2]);
    words = [
      Number(p1 >> 32n) ^ words[1] ^ k0,
      Number(p1 & 0xffffffffn),
      Number(p0 >> 32n) ^ words[3] ^ k1,
      Number(p0 & 0xffffffffn),
    ].map((word) => word >>> 0);
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return Uint32Array.from(words);
}

const uint32Words = (length: number) =>
  fc
    .array(fc.oneof(fc.integer({ min: 0, max: 0xffffffff }), fc.constantFrom(0, 0xffffffff)), {
      minLength: length,
      maxLength: length,
    })
    .map((words) => Uint32Array.from(words));

describe('philox4x32', () => {
  test.each(KNOWN_ANSWERS)('gives the known answer %s', (line) => {
    const words = Uint32Array.from(line.split(' '), (word) => Number.parseInt(word, 16));
    const output = new Uint32Array(4);
    philox4x32(words.subarray(0, 4), words.subarray(4, 6), output);
    expect(output).toEqual(words.subarray(6));
  });

  test.prop([uint32Words(4), uint32Words(2)])('equals its definition', (counter, key) => {
    const expected = philoxByDefinition(counter, key);
    philox4x32(counter, key, counter);
    expect(counter).toEqual(expected);
  });
});
