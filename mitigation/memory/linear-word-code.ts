import { InputError } from '../../core/index.js';
import type { WordFaults } from '../../sim/index.js';
import { checkBitsOf, DETECTED, decodeWord, type LinearCode } from './linear-code.js';
import type { PlacedWeights, Verdicts, WordCode } from './stages.js';

/** What is delivered of a code word with an error that is detected and not corrected: what was read, or zero. */
export const ON_DETECT = ['keep', 'zero'] as const;

export type OnDetect = (typeof ON_DETECT)[number];

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
  const before = new Uint32Array(Math.ceil(dataBits / 32));
  // Where the memory has no cells for them, nothing is known of check bits: they are taken as sound.
  const areStored = (memory.checkBits ?? 0) >= parts * checkBits;
  return {
    checkBits: parts * checkBits,
    decode(written, read, faults, zeros, verdicts) {
      for (let part = 0; part < parts; part++) {
        const firstBit = part * dataBits;
        const [at, shift] = [firstBit >>> 5, firstBit & 31];
        const firstCheck = dataLanes * 32 + part * checkBits;
        const hasFault =
          faultyBits(faults, firstBit, dataBits) ||
          (areStored && faultyBits(faults, firstCheck, checkBits));
        if (!hasFault) continue;
        const expected = checkBitsOf(code, written, at, shift);
        const checks = areStored ? readBits(faults, firstCheck, checkBits, expected) : expected;
        if (verdicts) copyPart(read, at, before);
        const correction = decodeWord(code, read, at, checks, shift);
        if (correction === DETECTED && onDetect === 'zero') {
          putPart(zeros(), read, firstBit, dataBits);
        }
        if (!verdicts) continue;
        const wasRight = isSamePart(before, 0, written, at, shift, dataBits) && checks === expected;
        const isRight = isSamePart(read, at, written, at, shift, dataBits);
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

/** Bits of a lane that belong to a part of at most 32 bits. */
function partMask(bits: number, shift: number): number {
  return bits >= 32 ? 0xffffffff : (2 ** bits - 1) << shift;
}

function isSamePart(
  one: Uint32Array,
  oneAt: number,
  other: Uint32Array,
  otherAt: number,
  shift: number,
  bits: number,
): boolean {
  const mask = partMask(bits, shift);
  for (let lane = 0; lane * 32 < bits; lane++) {
    if (((one[oneAt + lane] ^ other[otherAt + lane]) & mask) !== 0) return false;
  }
  return true;
}

function copyPart(from: Uint32Array, at: number, to: Uint32Array): void {
  for (let lane = 0; lane < to.length; lane++) to[lane] = from[at + lane];
}

/** Put bits of one word into another. */
function putPart(from: Uint32Array, to: Uint32Array, firstBit: number, bits: number): void {
  const [at, shift] = [firstBit >>> 5, firstBit & 31];
  const mask = partMask(bits, shift);
  for (let lane = 0; lane * 32 < bits; lane++) {
    to[at + lane] = (to[at + lane] & ~mask) | (from[at + lane] & mask);
  }
}

/** Whether there is a faulty cell among some bits. */
function faultyBits({ and, or, xor }: WordFaults, firstBit: number, bits: number): boolean {
  let faulty = 0;
  for (let bit = firstBit; bit < firstBit + bits; ) {
    const lane = bit >>> 5;
    const shift = bit & 31;
    const taken = Math.min(32 - shift, firstBit + bits - bit);
    faulty |= (~and[lane] | or[lane] | xor[lane]) & partMask(taken, shift);
    bit += taken;
  }
  return faulty !== 0;
}

/** What is read of at most 16 bits that were written. */
function readBits(
  { and, or, xor }: WordFaults,
  firstBit: number,
  bits: number,
  written: number,
): number {
  const [lane, shift] = [firstBit >>> 5, firstBit & 31];
  const kept = bitsOf(and, lane, shift);
  const set = bitsOf(or, lane, shift);
  const inverted = bitsOf(xor, lane, shift);
  return (((written & kept) | set) ^ inverted) & (2 ** bits - 1);
}

/** 32 bits that may lie in two lanes. */
function bitsOf(lanes: Uint32Array, lane: number, shift: number): number {
  const low = lanes[lane] >>> shift;
  return shift === 0 ? low : low | (lanes[lane + 1] << (32 - shift));
}
