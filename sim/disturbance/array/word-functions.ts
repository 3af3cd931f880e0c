import type { WordFaults } from '../struck-words.js';

/**
 * What is read of a word v of at most 32 bits: ((v & and) | or) ^ xor. Each bit is kept, inverted, 0 or 1; `or` and `xor`
 * are in a form that two equal functions share (a bit in `or` is in `and` and not in `xor`). Numbers are signed.
 */
export interface WordFunction {
  readonly and: number;
  readonly or: number;
  readonly xor: number;
}

export const UNCHANGED: WordFunction = { and: -1, or: 0, xor: 0 };

/** The function that inverts bits. */
export function inverting(xor: number): WordFunction {
  return { and: -1, or: 0, xor };
}

/** What `second` reads of what `first` reads. */
export function after(second: WordFunction, first: WordFunction): WordFunction {
  // Bits of the result that depend on the word; what becomes of a 0 says the rest.
  const kept = first.and & ~first.or & second.and & ~second.or;
  const ofZero = ((((first.or ^ first.xor) & second.and) | second.or) ^ second.xor) | 0;
  const constant = ofZero & ~kept;
  return { and: kept | constant, or: constant, xor: ofZero & kept };
}

export function isUnchanged({ and, or, xor }: WordFunction): boolean {
  return and === -1 && or === 0 && xor === 0;
}

/** A text that two functions share when they are equal. */
export function keyOf({ and, or, xor }: WordFunction): string {
  return `${and},${or},${xor}`;
}

/**
 * The functions of registers; none where all are sound.
 *
 * @param count of registers
 * @param bits of each, at most 32; the others are kept
 */
export function wordFunctions(
  faults: WordFaults | undefined,
  count: number,
  bits = 32,
): readonly WordFunction[] {
  if (faults === undefined) return new Array<WordFunction>(count).fill(UNCHANGED);
  const absent = bits === 32 ? 0 : -1 << bits;
  return Array.from({ length: count }, (_, register) => {
    const and = faults.and[register] | absent;
    const or = faults.or[register] & ~absent;
    const xor = faults.xor[register] & ~absent;
    return and === -1 && or === 0 && xor === 0 ? UNCHANGED : after({ and, or, xor }, UNCHANGED);
  });
}

/** The same functions of numbers in two's complement: the highest bit of a register is all bits above it, too. */
export function signExtended({ and, or, xor }: WordFunction, bits: number): WordFunction {
  const extend = (mask: number) => (mask << (32 - bits)) >> (32 - bits);
  return { and: extend(and), or: extend(or), xor: extend(xor) };
}
