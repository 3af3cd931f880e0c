import { z } from 'zod';
import { InputError } from '../../core/index.js';
import { dataLanes } from '../../sim/index.js';
import { checkBitsOf, DETECTED, decodeWord, type LinearCode } from './linear-code.js';
import type { PlacedWeights, WordCode } from './stages.js';
import { verdictOf } from './verdict.js';
import { bitsOf, copyPart, isSamePart, lowestBits, putPart } from './word-bits.js';

/** What is delivered of a code word with an error that is detected and not corrected: what was read, or zero. */
const ON_DETECT = ['keep', 'zero'] as const;

export type OnDetect = (typeof ON_DETECT)[number];

export const onDetectSchema = z
  .enum(ON_DETECT)
  .optional()
  .describe('what is read of a code word with an error that is only detected; default: keep');

/**
 * A code word of a memory word: its data are bits `firstBit` and following, its check bits are check bits `firstCheck`
 * and following.
 */
export interface CodeWord {
  readonly code: LinearCode;
  readonly firstBit: number;
  readonly firstCheck: number;
}

/**
 * Cut the lowest bits of a memory word into code words, from bit 0 on; the last one is of what is left.
 *
 * @param codeFor the code for so many data bits
 * @param dataBits of a code word, at most
 */
export function codeWordsOf(
  codeFor: (dataBits: number) => LinearCode,
  dataBits: number,
  bits: number,
): CodeWord[] {
  const whole = Math.floor(bits / dataBits);
  const rest = bits - whole * dataBits;
  const code = codeFor(whole > 0 ? dataBits : rest);
  const codes = Array.from({ length: Math.max(1, whole) }, () => code);
  if (whole > 0 && rest > 0) codes.push(codeFor(rest));
  return codes.map((its, index) => ({
    code: its,
    firstBit: index * dataBits,
    firstCheck: index * code.checkBits,
  }));
}

/** Data bits of a code word where nothing is asked for and a memory word has as many. */
const USUAL_DATA_BITS = 64;

/**
 * The data bits of a code word, at most: those that a part asks for.
 *
 * @throws InputError when a memory word has fewer than are asked for
 */
export function dataBitsOf(
  { use, dataBits }: { readonly use: string; readonly dataBits?: number | undefined },
  { placement: { memory }, joinedBits = memory.wordBits }: PlacedWeights,
): number {
  if (dataBits !== undefined && dataBits > joinedBits) {
    throw new InputError(
      `${use}: a code word of ${dataBits} data bits does not fit into a memory word of ${joinedBits} bits: give dataBits that do, or leave dataBits away for what fits`,
    );
  }
  return dataBits ?? USUAL_DATA_BITS;
}

/** `codeWordsOf` all data bits of a memory word; where several are read as one, each has code words of its own. */
export function codeWordsOfMemory(
  codeFor: (dataBits: number) => LinearCode,
  dataBits: number,
  { placement: { memory }, joinedBits = memory.wordBits }: PlacedWeights,
): CodeWord[] {
  return codeWordsOf(codeFor, Math.min(dataBits, joinedBits), memory.wordBits);
}

/**
 * Linear codes on parts of a memory word.
 *
 * @param codeWords of which each starts with a lane, or ends in the lane that it starts in
 */
export function linearWordCode(
  codeWords: readonly CodeWord[],
  onDetect: OnDetect,
  { placement: { memory } }: PlacedWeights,
): WordCode {
  const parts = codeWords.map(({ code, firstBit, firstCheck }) => {
    const { dataBits, checkBits } = code;
    const lanes = Math.ceil(dataBits / 32);
    // Where the memory has no cells for them, nothing is known of check bits: they are taken as sound.
    const stored = Math.min((memory.checkBits ?? 0) - firstCheck, checkBits);
    return {
      ...{ code, firstBit, dataBits, lanes },
      at: firstBit >>> 5,
      shift: firstBit & 31,
      // Bits of a lane that belong to a part at its lowest bits.
      mask: lowestBits(dataBits),
      checkMask: lowestBits(checkBits),
      storedMask: lowestBits(stored),
      checkLane: dataLanes(memory) + (firstCheck >>> 5),
      checkShift: firstCheck & 31,
    };
  });
  const before = new Uint32Array(Math.max(...parts.map(({ lanes }) => lanes)));
  return {
    checkBits: codeWords.reduce((sum, { code }) => sum + code.checkBits, 0),
    decode(written, read, { and, or, xor }, zeros, verdicts) {
      for (let index = 0; index < parts.length; index++) {
        const { code, dataBits, at, shift, lanes, mask, checkMask } = parts[index];
        const { storedMask, checkLane, checkShift } = parts[index];
        let faulty = 0;
        for (let lane = at; lane < at + lanes; lane++) {
          faulty |= ~and[lane] | or[lane] | xor[lane];
        }
        faulty = (faulty >>> shift) & mask;
        const kept = bitsOf(and, checkLane, checkShift) | ~storedMask;
        const set = bitsOf(or, checkLane, checkShift) & storedMask;
        const inverted = bitsOf(xor, checkLane, checkShift) & storedMask;
        if ((faulty | ((~kept | set | inverted) & checkMask)) === 0) continue;
        const expected = checkBitsOf(code, written, at, shift);
        const checks = (((expected & kept) | set) ^ inverted) & checkMask;
        if (verdicts) copyPart(read, at, before);
        const correction = decodeWord(code, read, at, checks, shift);
        if (correction === DETECTED && onDetect === 'zero') {
          putPart(zeros(), read, parts[index].firstBit, dataBits);
        }
        if (!verdicts) continue;
        const wasRight = checks === expected && isSamePart(before, 0, written, at, shift, dataBits);
        const isRight = isSamePart(read, at, written, at, shift, dataBits);
        verdicts[verdictOf(correction, wasRight, isRight)] += 1;
      }
    },
  };
}
