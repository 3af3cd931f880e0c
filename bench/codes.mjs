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
/** A pass takes a window of the words, the next one another: a processor would learn the errors of a few words. */
const { words, windows, passes, warmUps } = values.quick
  ? { words: 1 << 10, windows: 1, passes: 3, warmUps: 1 }
  : { words: 1 << 15, windows: 8, passes: 32, warmUps: 8 };
const allWords = words * windows;

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

const data = Uint32Array.from({ length: allWords * LANES }, draw);

/**
 * Errors of codewords, none without.
 * @param {number} dataBits
 * @param {number} checkBits
 */
function drawErrors(dataBits, checkBits = 0) {
  const errors = { data: new Uint32Array(data.length), checks: new Uint32Array(allWords) };
  for (let word = 0; word < allWords; word++) {
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

/** The words of a pass. */
const memory = new Uint32Array(words * LANES);

/**
 * @param {string} name
 * @param {Uint32Array} source what is put into memory before each pass, which is not counted
 * @param {(first: number) => void} pass over the words in memory; gets the number of the first among all
 */
function nanoseconds(name, source, pass) {
  const samples = [];
  for (let run = 0; run < warmUps + passes; run++) {
    const first = words * (run % windows);
    memory.set(source.subarray(first * LANES, (first + words) * LANES));
    const start = performance.now();
    pass(first);
    if (run >= warmUps) samples.push((1e6 * (performance.now() - start)) / words);
  }
  return measurement(name, 'ns a word', samples);
}

const checks = new Uint32Array(allWords);

const codes = [
  ...[64, 32, 16, 57].map((bits) => secdedCode(/** @type {16 | 32 | 57 | 64} */ (bits))),
  ...[8, 16, 32, 64, 128].map((bits) => bchDecCode(/** @type {8 | 16 | 32 | 64 | 128} */ (bits))),
  parityCode(64),
  parityCode(64, 8, true),
].map((code) => {
  const errors = drawErrors(code.dataBits, code.checkBits);
  return {
    name: code.name,
    write: nanoseconds('write', data, (first) => {
      for (let word = 0; word < words; word++) {
        const error = errors.checks[first + word];
        checks[first + word] = checkBitsOf(code, memory, word * LANES) ^ error;
      }
    }),
    read: nanoseconds('read', struck(data, errors.data), (first) => {
      for (let word = 0; word < words; word++) {
        decodeWord(code, memory, word * LANES, checks[first + word]);
      }
    }),
  };
});

const blocks = data.slice();
for (let word = 0; word < allWords; word++) throttleInPlace(blocks, word * LANES);
const stored = blocks.slice();
for (let word = 0; word < allWords; word++) encodeInPlace(stored, word * LANES);
const inPlace = {
  name: 'in-place-ecc',
  write: nanoseconds('write', blocks, () => {
    for (let word = 0; word < words; word++) encodeInPlace(memory, word * LANES);
  }),
  read: nanoseconds('read', struck(stored, drawErrors(64).data), () => {
    for (let word = 0; word < words; word++) decodeInPlace(memory, word * LANES);
  }),
};

/** Codes of single weights. */
const weights = [MSET, ...CEP_CHUNKS.map(cepCode)].map((code) => ({
  name: code.name,
  write: nanoseconds('write', data, () => {
    for (let word = 0; word < words; word++) memory[word] = encodeFloat32Word(code, memory[word]);
  }),
  read: nanoseconds('read', data, () => {
    for (let word = 0; word < words; word++) memory[word] = decodeFloat32Word(code, memory[word]);
  }),
}));

const triple = tmrCode([30, 29]);
const triplication = {
  name: 'tmr of 2 bits',
  write: nanoseconds('write', data, () => {
    for (let word = 0; word < words; word++) memory[word] = encodeTmr(triple, memory[word], 0);
  }),
  read: nanoseconds('read', data, () => {
    for (let word = 0; word < words; word++) {
      memory[word] = decodeTmr(triple, memory[word], memory[words + word]);
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
  read: nanoseconds('read', data, () => {
    for (let word = 0; word < words; word++) {
      memory[word] = checkFloat32Range(ranges, 0, memory[word]);
    }
  }),
};

printJson({ words, rate: RATE, codes: [...codes, inPlace, ...weights, triplication, rangeCheck] });
