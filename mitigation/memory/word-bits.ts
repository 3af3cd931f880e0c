/**
 * Bits of a memory word, in lanes of 32 bits, the least significant first. A part of it starts with a lane, or ends in
 * the lane that it starts in.
 */
import type { WordFaults } from '../../sim/index.js';

/** A lane with ones in so many of its lowest bits: none below 1, all from 32 on. */
export function lowestBits(bits: number): number {
  // Not a power of two, which takes as long as all else that is done to a word.
  return bits <= 0 ? 0 : 0xffffffff >>> (32 - Math.min(bits, 32));
}

/** Bits of a lane that belong to a part of at most 32 bits. */
function partMask(bits: number, shift: number): number {
  return lowestBits(bits) << shift;
}

export function isSamePart(
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

export function copyPart(from: Uint32Array, at: number, to: Uint32Array): void {
  for (let lane = 0; lane < to.length; lane++) to[lane] = from[at + lane];
}

/** Put bits of one word into another. */
export function putPart(from: Uint32Array, to: Uint32Array, firstBit: number, bits: number): void {
  const at = firstBit >>> 5;
  const shift = firstBit & 31;
  const mask = partMask(bits, shift);
  for (let lane = 0; lane * 32 < bits; lane++) {
    to[at + lane] = (to[at + lane] & ~mask) | (from[at + lane] & mask);
  }
}

/** Whether there is a faulty cell among some bits. */
export function faultyBits({ and, or, xor }: WordFaults, firstBit: number, bits: number): boolean {
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

/** What is read of at most 32 bits, in which `written` was written. */
export function readBits(
  { and, or, xor }: WordFaults,
  firstBit: number,
  bits: number,
  written: number,
): number {
  const lane = firstBit >>> 5;
  const shift = firstBit & 31;
  const kept = bitsOf(and, lane, shift);
  const set = bitsOf(or, lane, shift);
  const inverted = bitsOf(xor, lane, shift);
  return (((written & kept) | set) ^ inverted) & partMask(bits, 0);
}

/**
 * What is read of any number of bits, in which `written` was written.
 *
 * @param to is filled: 32 bits an entry, as `written`
 */
export function readBitsInto(
  to: Uint32Array,
  faults: WordFaults,
  firstBit: number,
  bits: number,
  written: Uint32Array,
): void {
  for (let entry = 0; entry < to.length; entry++) {
    const taken = Math.min(32, bits - 32 * entry);
    to[entry] = readBits(faults, firstBit + 32 * entry, taken, written[entry]);
  }
}

/** 32 bits that may lie in two lanes. */
export function bitsOf(lanes: Uint32Array, lane: number, shift: number): number {
  const low = lanes[lane] >>> shift;
  return shift === 0 ? low : low | (lanes[lane + 1] << (32 - shift));
}
