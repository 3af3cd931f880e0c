import { z } from 'zod';
import { InputError } from '../../core/index.js';
import { checkBitsOf, DETECTED, decodeWord, type LinearCode } from './linear-code.js';
import type { PlacedWeights, WordCode } from './stages.js';
import { verdictOf } from './verdict.js';
import { bitsOf, copyPart, isSamePart, putPart } from './word-bits.js';

/** What is delivered of a code word with an error that is detected and not corrected: what was read, or zero. */
const ON_DETECT = ['keep', 'zero'] as const;

export type OnDetect = (typeof ON_DETECT)[number];

export const onDetectSchema = z
  .enum(ON_DETECT)
  .optional()
  .describe('what is read of a code word with an error that is only detected; default: keep');

/**
 * A linear code on each part of a memory word that has as many bits as its data: check bit j of part i is check bit
 * i · checkBits + j of the memory word.
 *
 * @throws InputError when the code is wider than a memory word
 */
export function linearWordCode(
  code: LinearCode,
  onDetect: OnDetect,
  { placement: { memory } }: PlacedWeights,
): WordCode {
  const { dataBits, checkBits } = code;
  const { wordBits } = memory;
  if (wordBits % dataBits !== 0) {
    throw new InputError(
      `${code.name} takes ${dataBits} data bits, but a memory word has ${wordBits}: choose dataBits that divide it`,
    );
  }
  const parts = wordBits / dataBits;
  const dataLanes = wordBits / 32;
  const partLanes = Math.max(1, dataBits / 32);
  // Bits of a lane that belong to a part at its lowest bits.
  const partMask = dataBits >= 32 ? 0xffffffff : 2 ** dataBits - 1;
  const checkMask = 2 ** checkBits - 1;
  const before = new Uint32Array(partLanes);
  // Where the memory has no cells for them, nothing is known of check bits: they are taken as sound.
  const storedMasks = Array.from({ length: parts }, (_, part) => {
    const stored = (memory.checkBits ?? 0) - part * checkBits;
    return 2 ** Math.min(Math.max(stored, 0), checkBits) - 1;
  });
  return {
    checkBits: parts * checkBits,
    decode(written, read, { and, or, xor }, zeros, verdicts) {
      for (let part = 0; part < parts; part++) {
        const at = (part * dataBits) >>> 5;
        const shift = (part * dataBits) & 31;
        let faulty = 0;
        for (let lane = at; lane < at + partLanes; lane++) {
          faulty |= ~and[lane] | or[lane] | xor[lane];
        }
        faulty = (faulty >>> shift) & partMask;
        const firstCheck = part * checkBits;
        const checkLane = dataLanes + (firstCheck >>> 5);
        const checkShift = firstCheck & 31;
        const mask = storedMasks[part];
        const kept = bitsOf(and, checkLane, checkShift) | ~mask;
        const set = bitsOf(or, checkLane, checkShift) & mask;
        const inverted = bitsOf(xor, checkLane, checkShift) & mask;
        if ((faulty | ((~kept | set | inverted) & checkMask)) === 0) continue;
        const expected = checkBitsOf(code, written, at, shift);
        const checks = (((expected & kept) | set) ^ inverted) & checkMask;
        if (verdicts) copyPart(read, at, before);
        const correction = decodeWord(code, read, at, checks, shift);
        if (correction === DETECTED && onDetect === 'zero') {
          putPart(zeros(), read, part * dataBits, dataBits);
        }
        if (!verdicts) continue;
        const wasRight = checks === expected && isSamePart(before, 0, written, at, shift, dataBits);
        const isRight = isSamePart(read, at, written, at, shift, dataBits);
        verdicts[verdictOf(correction, wasRight, isRight)] += 1;
      }
    },
  };
}
