/**
 * Time to write and to read words of weight memory through each code, in bulk: all of them struck, each by one to three
 * errors in its data bits.
 * After `npm run build`: node bench/codes.mjs [--quick]
 * Prints JSON: nanoseconds a word, medians of several passes over the words; `--quick` takes few words and passes.
 */
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import {
  bchDecCode,
  CEP_CHUNKS,
  cep,
  checkBitsOf,
  checkFloat32Range,
  decodeInPlace,
  decodeWord,
  encodeInPlace,
  mset,
  parityCode,
  secdedCode,
  throttleInPlace,
  tmr,
} from 'bitcell/mitigation';
import { measurement, printJson } from './measure.mjs';

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
const { words, passes, warmUps } = values.quick
  ? { words: 1 << 10, passes: 3, warmUps: 1 }
  : { words: 1 << 17, passes: 15, warmUps: 5 };

/** Enough lanes for words of 128 bits. */
const LANES = 4;

let state = 2_463_534_242;
/** A bit pattern (xorshift32). */
function draw() {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return state >>> 0;
}

const data = Uint32Array.from({ length: words * LANES }, draw);

/** Errors of one to three of the first bits of each word. @param {number} bits */
function drawErrors(bits) {
  const errors = new Uint32Array(data.length);
  for (let word = 0; word < words; word++) {
    for (let count = 1 + (draw() % 3); count > 0; count--) {
      const bit = draw() % bits;
      errors[word * LANES + (bit >>> 5)] ^= 1 << (bit & 31);
    }
  }
  return errors;
}

/** @param {Uint32Array} from @param {Uint32Array} errors */
function struck(from, errors) {
  return from.map((lane, index) => lane ^ errors[index]);
}

/**
 * @param {string} name
 * @param {() => void} pass over all words
 * @param {() => void} prepare before each, not counted
 */
function nanoseconds(name, pass, prepare = () => {}) {
  const samples = [];
  for (let run = 0; run < warmUps + passes; run++) {
    prepare();
    const start = performance.now();
    pass();
    if (run >= warmUps) samples.push((1e6 * (performance.now() - start)) / words);
  }
  return measurement(name, 'ns a word', samples);
}

const memory = new Uint32Array(data.length);
const checks = new Uint32Array(words);

const codes = [
  ...[64, 32, 16, 57].map((bits) => secdedCode(/** @type {16 | 32 | 57 | 64} */ (bits))),
  ...[8, 16, 32, 64, 128].map((bits) => bchDecCode(/** @type {8 | 16 | 32 | 64 | 128} */ (bits))),
  parityCode(64),
  parityCode(64, 8, true),
].map((code) => {
  const read = struck(data, drawErrors(code.dataBits));
  return {
    name: code.name,
    write: nanoseconds('write', () => {
      for (let word = 0; word < words; word++) {
        checks[word] = checkBitsOf(code, data, word * LANES);
      }
    }),
    read: nanoseconds(
      'read',
      () => {
        for (let word = 0; word < words; word++) {
          decodeWord(code, memory, word * LANES, checks[word]);
        }
      },
      () => memory.set(read),
    ),
  };
});

const blocks = data.slice();
for (let word = 0; word < words; word++) throttleInPlace(blocks, word * LANES);
const stored = blocks.slice();
for (let word = 0; word < words; word++) encodeInPlace(stored, word * LANES);
const struckBlocks = struck(stored, drawErrors(64));
const inPlace = {
  name: 'in-place-ecc',
  write: nanoseconds(
    'write',
    () => {
      for (let word = 0; word < words; word++) encodeInPlace(memory, word * LANES);
    },
    () => memory.set(blocks),
  ),
  read: nanoseconds(
    'read',
    () => {
      for (let word = 0; word < words; word++) decodeInPlace(memory, word * LANES);
    },
    () => memory.set(struckBlocks),
  ),
};

/** Codes of single weights. */
const weights = [mset, ...CEP_CHUNKS.map(cep)].map((code) => ({
  name: code.name,
  write: nanoseconds('write', () => {
    for (let word = 0; word < words; word++) memory[word] = code.write(data[word]);
  }),
  read: nanoseconds('read', () => {
    for (let word = 0; word < words; word++) memory[word] = code.read(data[word]);
  }),
}));

const triple = tmr([30, 29]);
const triplication = {
  name: 'tmr of 2 bits',
  write: nanoseconds('write', () => {
    for (let word = 0; word < words; word++) memory[word] = triple.copies(data[word], 0);
  }),
  read: nanoseconds('read', () => {
    for (let word = 0; word < words; word++) {
      memory[word] = triple.read(data[word], data[words + word]);
    }
  }),
};

const ranges = {
  lowest: Float64Array.of(-1),
  highest: Float64Array.of(1),
  zeroWords: Uint8Array.of(0),
  mask: 0,
};
const rangeCheck = {
  name: 'range-check',
  read: nanoseconds('read', () => {
    for (let word = 0; word < words; word++) {
      memory[word] = checkFloat32Range(ranges, 0, data[word]);
    }
  }),
};

printJson({ words, codes: [...codes, inPlace, ...weights, triplication, rangeCheck] });
