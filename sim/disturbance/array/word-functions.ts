import type { WordFaults } from '../struck-words.js';

/**
 * What is read of a word v of at most 32 bits: ((v & and) | or) ^ xor. Each bit is kept, inverted, 0 or 1. In a form that
 * equal functions share: a bit in `or` is in `and` and not in `xor`, one in `xor` is in `and`. Numbers are signed.
 */
export interface WordFunction {
  readonly and: number;
  readonly or: number;
  readonly xor: number;
}

export const UNCHANGED: WordFunction = { and: -1, or: 0, xor: 0 };

/** The function of any three masks. */
export function wordFunction(and: number, or: number, xor: number): WordFunction {
  const kept = and & ~or;
  const constant = (or ^ xor) & ~kept;
  return { and: kept | constant, or: constant, xor: xor & kept };
}

/** The function that inverts bits. */
export function inverting(xor: number): WordFunction {
  return { and: -1, or: 0, xor };
}

/** What `second` reads of what `first` reads. */
export function after(second: WordFunction, first: WordFunction): WordFunction {
  // Most registers are sound, and an array may have 65,536 of them.
  if (isUnchanged(second)) return first;
  if (isUnchanged(first)) return second;
  // What becomes of a 0 says the constants and the inversions.
  const ofZero = (((first.or ^ first.xor) & second.and) | second.or) ^ second.xor;
  const kept = first.and & ~first.or & second.and & ~second.or;
  return wordFunction(kept, ofZero & ~kept, ofZero & kept);
}

export function isUnchanged({ and, or, xor }: WordFunction): boolean {
  return and === -1 && or === 0 && xor === 0;
}

/** A text that two functions share when they are equal. */
export function keyOf({ and, or, xor }: WordFunction): string {
  return `${and},${or},${xor}`;
}

/**
 * The functions of registers; without faults all are sound.
 *
 * @param bits of each, at most 32; the others are kept
 */
export function wordFunctions(
  faults: WordFaults | undefined,
  registers: number,
  bits = 32,
): readonly WordFunction[] {
  const functions = new Array<WordFunction>(registers).fill(UNCHANGED);
  if (faults === undefined) return functions;
  const absent = bits === 32 ? 0 : -1 << bits;
  for (let register = 0; register < registers; register++) {
    const and = faults.and[register] | absent;
    const or = faults.or[register] & ~absent;
    const xor = faults.xor[register] & ~absent;
    // Most are sound, so that they need no object of their own.
    if (and !== -1 || or !== 0 || xor !== 0) functions[register] = wordFunction(and, or, xor);
  }
  return functions;
}

/** The same function of numbers in two's complement: the highest of `bits` is all bits above it, too. */
export function signExtended({ and, or, xor }: WordFunction, bits: number): WordFunction {
  const extend = (mask: number) => (mask << (32 - bits)) >> (32 - bits);
  return { and: extend(and), or: extend(or), xor: extend(xor) };
}
