/**
 * Time to write and to read words of weight memory through each code, in bulk. Each word that is read has errors: bits
 * are inverted at a rate of 1e-2, check bits too, and words without errors are left out.
 * After `npm run build`: node bench/codes.mjs [--quick]
 * Prints JSON: nanoseconds a word, medians of several passes over the words; `--quick` takes few words and passes.
 */
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import {
  bchDecCode,
  CEP_CHUNKS,
  cepCode,
  checkBitsOf,
  checkFloat32Range,
  decodeFloat32Word,
  decodeInPlace,
  decodeTmr,
  decodeWord,
  encodeFloat32Word,
  encodeInPlace,
  encodeTmr,
  MSET,
  parityCode,
  secdedCode,
  throttleInPlace,
  tmrCode,
} from 'bitcell/mitigation';
import { measurement, printJson } from './measure.mjs';

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
const { words, passes, warmUps } = values.quick
  ? { words: 1 << 10, passes: 3, warmUps: 1 }
  : { words: 1 << 17, passes: 15, warmUps: 5 };

/** Errors a bit. */
const RATE = 1e-2;

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

/**
 * Errors of codewords, none without.
 * @param {number} dataBits
 * @param {number} checkBits
 */
function drawErrors(dataBits, checkBits = 0) {
  const errors = { data: new Uint32Array(data.length), checks: new Uint32Array(words) };
  for (let word = 0; word < words; word++) {
    for (let found = 0; found === 0; ) {
      for (let bit = 0; bit < dataBits + checkBits; bit++) {
        if (draw() >= RATE * 2 ** 32) continue;
        found += 1;
        if (bit < dataBits) errors.data[word * LANES + (bit >>> 5)] ^= 1 << (bit & 31);
        else errors.checks[word] ^= 1 << (bit - dataBits);
      }
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
  const errors = drawErrors(code.dataBits, code.checkBits);
  const read = struck(data, errors.data);
  return {
    name: code.name,
    write: nanoseconds('write', () => {
      for (let word = 0; word < words; word++) {
        checks[word] = checkBitsOf(code, data, word * LANES) ^ errors.checks[word];
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
const struckBlocks = struck(stored, drawErrors(64).data);
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
const weights = [MSET, ...CEP_CHUNKS.map(cepCode)].map((code) => ({
  name: code.name,
  write: nanoseconds('write', () => {
    for (let word = 0; word < words; word++) memory[word] = encodeFloat32Word(code, data[word]);
  }),
  read: nanoseconds('read', () => {
    for (let word = 0; word < words; word++) memory[word] = decodeFloat32Word(code, data[word]);
  }),
}));

const triple = tmrCode([30, 29]);
const triplication = {
  name: 'tmr of 2 bits',
  write: nanoseconds('write', () => {
    for (let word = 0; word < words; word++) memory[word] = encodeTmr(triple, data[word], 0);
  }),
  read: nanoseconds('read', () => {
    for (let word = 0; word < words; word++) {
      memory[word] = decodeTmr(triple, data[word], data[words + word]);
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

printJson({ words, rate: RATE, codes: [...codes, inPlace, ...weights, triplication, rangeCheck] });
