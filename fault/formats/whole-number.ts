import { textOf } from './lines.js';

const [ZERO, LETTER_X] = [...'0x'].map((character) => character.charCodeAt(0));
const MOST_DIGITS = 15;

/** What is no whole number. */
export const NO_NUMBER = -1;

/** Value of a hexadecimal digit by its character code; -1 for other characters. */
export function digitValue(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const letter = code | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

/**
 * The whole number from 0 that a field of a table writes: decimal digits, hexadecimal ones after `0x`, or a
 * decimal number of which every digit is written, such as `4.100e+01`; NO_NUMBER for anything else, for
 * instance `1.2E+03`, which a spreadsheet rounded.
 */
export function wholeNumberAt(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length === 0) return NO_NUMBER;
  let value = 0;
  let at = start;
  for (; at < end; at += 1) {
    const digit = bytes[at] - ZERO;
    if (!(digit >= 0 && digit <= 9)) break;
    value = 10 * value + digit;
  }
  if (at === end) return Number.isSafeInteger(value) ? value : Number.POSITIVE_INFINITY;
  const isPrefixed = at === start + 1 && bytes[start] === ZERO && (bytes[at] | 32) === LETTER_X;
  if (isPrefixed) return hexadecimalAt(bytes, start + 2, end);
  return exactNumber(textOf(bytes, start, end));
}

/** The number that hexadecimal digits write; NO_NUMBER where there are none or others. */
export function hexadecimalAt(bytes: Uint8Array, start: number, end: number): number {
  if (start >= end) return NO_NUMBER;
  let value = 0;
  for (let at = start; at < end; at += 1) {
    const digit = digitValue(bytes[at]);
    if (digit < 0) return NO_NUMBER;
    value = 16 * value + digit;
  }
  return value;
}

function exactNumber(text: string): number {
  const match = /^\+?(\d+)(?:\.(\d*))?(?:e([+-]?\d{1,3}))?$/i.exec(text);
  if (match === null) return NO_NUMBER;
  const [, whole, decimals = '', exponent = '0'] = match;
  const shift = Number(exponent);
  if (shift < 0 && /[1-9]/.test(whole + decimals)) return NO_NUMBER;
  if (shift > decimals.length) return NO_NUMBER;
  if (/[1-9]/.test(decimals.slice(Math.max(0, shift)))) return NO_NUMBER;
  const digits = (whole + decimals.slice(0, Math.max(0, shift))).replace(/^0+(?=\d)/, '');
  return digits.length > MOST_DIGITS ? Number.POSITIVE_INFINITY : Number(digits);
}

/** Whether a text is a number in one of the forms that tables of other programs have. */
export function isNumeric(text: string): boolean {
  return /^[+-]?(?:0x[0-9a-f]+|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|nan|inf|na)$/i.test(text);
}
