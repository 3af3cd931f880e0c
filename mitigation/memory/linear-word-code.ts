import { z } from 'zod';
import { InputError } from '../../core/index.js';
import { checkBitsOf, DETECTED, decodeWord, type LinearCode } from './linear-code.js';
import type { PlacedWeights, Verdicts, WordCode } from './stages.js';

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
  const areStored = (memory.checkBits ?? 0) >= parts * checkBits;
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
        const kept = areStored ? bitsOf(and, checkLane, checkShift) : checkMask;
        const set = areStored ? bitsOf(or, checkLane, checkShift) : 0;
        const inverted = areStored ? bitsOf(xor, checkLane, checkShift) : 0;
        if ((faulty | ((~kept | set | inverted) & checkMask)) === 0) continue;
        const expected = checkBitsOf(code, written, at, shift);
        const checks = (((expected & kept) | set) ^ inverted) & checkMask;
        if (verdicts) copyLanes(read, at, before);
        const correction = decodeWord(code, read, at, checks, shift);
        const mask = partMask << shift;
        if (correction === DETECTED && onDetect === 'zero') {
          putPart(zeros(), read, at, partLanes, mask);
        }
        if (!verdicts) continue;
        const wasRight = checks === expected && isSamePart(before, 0, written, at, partLanes, mask);
        const isRight = isSamePart(read, at, written, at, partLanes, mask);
        verdicts[verdictOf(correction, wasRight, isRight)] += 1;
      }
    },
  };
}

function verdictOf(correction: number, wasRight: boolean, isRight: boolean): keyof Verdicts {
  if (wasRight) return 'noError';
  if (correction === DETECTED) return 'detected';
  if (correction === 0) return 'undetected';
  return isRight ? 'corrected' : 'miscorrected';
}

/** Whether bits of two words are the same. */
function isSamePart(
  one: Uint32Array,
  oneAt: number,
  other: Uint32Array,
  otherAt: number,
  lanes: number,
  mask: number,
): boolean {
  for (let lane = 0; lane < lanes; lane++) {
    if (((one[oneAt + lane] ^ other[otherAt + lane]) & mask) !== 0) return false;
  }
  return true;
}

function copyLanes(from: Uint32Array, at: number, to: Uint32Array): void {
  for (let lane = 0; lane < to.length; lane++) to[lane] = from[at + lane];
}

/** Put bits of one word into another. */
function putPart(
  from: Uint32Array,
  to: Uint32Array,
  at: number,
  lanes: number,
  mask: number,
): void {
  for (let lane = at; lane < at + lanes; lane++) {
    to[lane] = (to[lane] & ~mask) | (from[lane] & mask);
  }
}

/** 32 bits that may lie in two lanes. */
function bitsOf(lanes: Uint32Array, lane: number, shift: number): number {
  const low = lanes[lane] >>> shift;
  return shift === 0 ? low : low | (lanes[lane + 1] << (32 - shift));
}
