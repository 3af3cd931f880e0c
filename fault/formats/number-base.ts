import { InputError } from '../../core/index.js';
import { type Fields, fieldText } from './fields.js';
import { digitValue } from './whole-number.js';

/** How the numbers of a column without a prefix are written. */
export type Base = 2 | 10 | 16;

/** What a column of numbers holds, as far as its base depends on it. */
export interface BaseEvidence {
  /** Takes the number in a field. */
  see(fields: Fields, field: number): void;
  /**
   * The base of numbers without a prefix.
   *
   * @throws InputError at the first number that two bases read differently, naming the option that decides
   */
  settle(): Base;
}

const [ZERO, LETTER_B, LETTER_X] = [...'0bx'].map((character) => character.charCodeAt(0));

type Prefix = 'none' | '0x' | '0b';

function prefixAt(bytes: Uint8Array, start: number, end: number): Prefix {
  if (end - start < 3 || bytes[start] !== ZERO) return 'none';
  const letter = bytes[start + 1] | 32;
  return letter === LETTER_X ? '0x' : letter === LETTER_B ? '0b' : 'none';
}

/** Whether hexadecimal digits have a letter among them; undefined for what is no hexadecimal number. */
function hasLetters(bytes: Uint8Array, start: number, end: number): boolean | undefined {
  let letters = false;
  for (let at = start; at < end; at += 1) {
    const digit = digitValue(bytes[at]);
    if (digit < 0) return undefined;
    if (digit > 9) letters = true;
  }
  return letters;
}

/** Digits from the first that is not 0. */
function significantDigits(bytes: Uint8Array, start: number, end: number): number {
  let first = start;
  while (first < end && bytes[first] === ZERO) first += 1;
  return end - first;
}

/** The first number of a column that two bases read differently. */
interface Doubt {
  readonly text: string;
  readonly place: string;
}

function doubtAt(fields: Fields, field: number): Doubt {
  return { text: fieldText(fields, field), place: fields.place(field) };
}

/**
 * The base of a column of addresses: hexadecimal where one of them has a letter, decimal where none begins with
 * a 0 before other digits.
 */
export function addressEvidence(): BaseEvidence {
  let letters = false;
  let padded: Doubt | undefined;
  let differs = false;
  return {
    see(fields, field) {
      const { bytes, starts, ends } = fields;
      const [start, end] = [starts[field], ends[field]];
      if (prefixAt(bytes, start, end) === '0x') return;
      letters ||= hasLetters(bytes, start, end) === true;
      if (significantDigits(bytes, start, end) > 1) differs = true;
      if (padded === undefined && end - start > 1 && bytes[start] === ZERO) {
        if (hasLetters(bytes, start, end) !== undefined) padded = doubtAt(fields, field);
      }
    },
    settle() {
      if (letters) return 16;
      if (padded !== undefined && differs) {
        throw new InputError(
          `${padded.place}: addresses such as ${padded.text} may be decimal or hexadecimal; --address-base 10 or --address-base 16 decides.`,
        );
      }
      return 10;
    },
  };
}

/**
 * The base of a column of masks or words: hexadecimal where one of them has a letter, or all have a digit for
 * each 4 bits of the word.
 */
export function maskEvidence(wordBits: number): BaseEvidence {
  const fullDigits = Math.ceil(wordBits / 4);
  let letters = false;
  let binary: Doubt | undefined;
  let short: Doubt | undefined;
  let allAreFull = true;
  return {
    see(fields, field) {
      const { bytes, starts, ends } = fields;
      const [start, end] = [starts[field], ends[field]];
      const prefix = prefixAt(bytes, start, end);
      if (prefix === '0x') return;
      if (prefix === '0b') {
        binary ??= doubtAt(fields, field);
        return;
      }
      const withLetters = hasLetters(bytes, start, end);
      letters ||= withLetters === true;
      if (end - start !== fullDigits) allAreFull = false;
      // A single digit means the same in every base that has it.
      const isSame = significantDigits(bytes, start, end) < 2;
      if (short === undefined && withLetters === false && !isSame) {
        short = doubtAt(fields, field);
      }
    },
    settle() {
      if (binary !== undefined) {
        throw new InputError(
          `${binary.place}: masks such as ${binary.text} may be binary, or hexadecimal with the digits 0b; --mask-base 2 or --mask-base 16 decides.`,
        );
      }
      if (letters || allAreFull || short === undefined) return 16;
      throw new InputError(
        `${short.place}: masks such as ${short.text} may be decimal, hexadecimal or binary; --mask-base 10, --mask-base 16 or --mask-base 2 decides.`,
      );
    },
  };
}

/** Words of bits in a column, each read into the same list. */
export interface WordReader {
  /**
   * The bits of the word in a field that are 1, as 32 of them a number from the lowest; undefined when it is no
   * such word. Valid until the next word is read.
   */
  read(bytes: Uint8Array, start: number, end: number): Uint32Array | undefined;
}

/** Reads words of so many bits: hexadecimal after `0x`, else in a base. */
export function createWordReader(wordBits: number, base: Base): WordReader {
  const word = new Uint32Array(Math.ceil(wordBits / 32));
  const topBits = wordBits - 32 * (word.length - 1);

  /** Digits of so many bits each, the last one lowest. */
  function readDigits(bytes: Uint8Array, start: number, end: number, bits: 1 | 4): boolean {
    if (start >= end) return false;
    let shift = 0;
    for (let at = end - 1; at >= start; at -= 1, shift += bits) {
      const digit = digitValue(bytes[at]);
      if (digit < 0 || digit >> bits !== 0) return false;
      if (digit === 0) continue;
      const index = shift >>> 5;
      if (index >= word.length) return false;
      word[index] |= digit << (shift & 31);
    }
    return topBits === 32 || word[word.length - 1] >>> topBits === 0;
  }

  function readDecimal(bytes: Uint8Array, start: number, end: number): boolean {
    if (start >= end) return false;
    for (let at = start; at < end; at += 1) {
      let carry = bytes[at] - ZERO;
      if (!(carry >= 0 && carry <= 9)) return false;
      for (let index = 0; index < word.length; index += 1) {
        const product = word[index] * 10 + carry;
        word[index] = product;
        carry = Math.floor(product / 2 ** 32);
      }
      if (carry !== 0 || (topBits < 32 && word[word.length - 1] >>> topBits !== 0)) return false;
    }
    return true;
  }

  function readWord(bytes: Uint8Array, start: number, end: number): boolean {
    const prefix = prefixAt(bytes, start, end);
    if (prefix === '0x') return readDigits(bytes, start + 2, end, 4);
    if (base === 16) return readDigits(bytes, start, end, 4);
    if (base === 10) return readDecimal(bytes, start, end);
    return readDigits(bytes, prefix === '0b' ? start + 2 : start, end, 1);
  }

  return {
    read(bytes, start, end) {
      word.fill(0);
      return readWord(bytes, start, end) ? word : undefined;
    },
  };
}
