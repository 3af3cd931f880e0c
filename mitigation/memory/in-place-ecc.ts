/**
 * In-place zero-space ECC (Guan et al., NeurIPS 2019): a SEC-DED code over eight int8 weights that takes no cell. Where
 * a weight lies in −64 … 63, its bit 6 repeats bit 7 and can hold a check bit; of eight weights the last may be any,
 * as in github.com/guanh01/wot. The paper fixes neither the order of bits nor the columns: check bit i of the Hsiao
 * (64,57) code takes bit 6 of byte i, and the other bits are data bits in order.
 *
 * A block is two lanes of 32 bits: byte 0 is the lowest of the first, byte 7 the highest of the second.
 */

import { z } from 'zod';
import { InputError } from '../../core/index.js';
import { weightedLayers, wordMask } from '../../models/index.js';
import { codePrice } from './code-price.js';
import { byteChecksOf, correctionsOf, laneChecks } from './linear-code.js';
import { type MemoryMechanism, type PartPlace, PLACE, PLACE_FORMS } from './mechanism.js';
import { secdedCode } from './secded.js';
import type { PlacedWeights, WordCode } from './stages.js';
import { verdictOf } from './verdict.js';
import { faultyBits } from './word-bits.js';

const { columns, checkBits, dataBits } = secdedCode(57);

/** Columns of H in the order of the cells. */
const CELL_COLUMNS = Array.from({ length: 64 }, (_, cell) => {
  const byte = cell >>> 3;
  const bit = cell & 7;
  if (byte === 7) return columns[7 * byte + bit];
  if (bit === 6) return columns[dataBits + byte];
  return columns[7 * byte + (bit === 7 ? 6 : bit)];
});

/** As in `LinearCode`, of cells. */
const CORRECTIONS = correctionsOf(CELL_COLUMNS, checkBits, 1);
const BYTE_CHECKS = byteChecksOf(CELL_COLUMNS);
const SECOND_LANE = BYTE_CHECKS.length / 2;

/** Bits 6 and 7 of the bytes that hold check bits, in the first lane and in the second. */
const BIT_6 = [0x40404040, 0x00404040] as const;
const BIT_7 = [0x80808080, 0x00808080] as const;

/** Clamp the first seven weights of a block to −64 … 63. */
export function throttleInPlace(words: Uint32Array, at: number): void {
  words[at] = throttled(words[at], BIT_7[0]);
  words[at + 1] = throttled(words[at + 1], BIT_7[1]);
}

function throttled(lane: number, signs: number): number {
  // 1 in bit 0 of each byte whose bits 6 and 7 differ, times 255: the whole byte.
  const outside = Math.imul(((lane ^ (lane << 1)) & signs) >>> 7, 255);
  const negative = Math.imul((lane & signs) >>> 7, 255);
  return (lane & ~outside) | ((0x3f3f3f3f ^ negative) & outside);
}

/** Write check bits into a block, in place of bit 6 of the first seven weights, which lie in −64 … 63. */
export function encodeInPlace(words: Uint32Array, at: number): void {
  const low = words[at] & ~BIT_6[0];
  const high = words[at + 1] & ~BIT_6[1];
  const checks = syndromeOf(low, high);
  words[at] = low | spread(checks & 15);
  words[at + 1] = high | spread(checks >>> 4);
}

/**
 * Decode a block in place: correct it, then give the first seven weights their bit 6 back, which repeats bit 7.
 *
 * @returns 0 where it is a codeword; `DETECTED`, the bits then being as read; else 1 more than the inverted cell
 */
export function decodeInPlace(words: Uint32Array, at: number): number {
  let low = words[at];
  let high = words[at + 1];
  const correction = CORRECTIONS[syndromeOf(low, high)];
  if (correction > 32) high ^= 1 << (correction - 33);
  else if (correction > 0) low ^= 1 << (correction - 1);
  words[at] = (low & ~BIT_6[0]) | ((low & BIT_7[0]) >>> 1);
  words[at + 1] = (high & ~BIT_6[1]) | ((high & BIT_7[1]) >>> 1);
  return correction;
}

function syndromeOf(low: number, high: number): number {
  return laneChecks(BYTE_CHECKS, 0, low) ^ laneChecks(BYTE_CHECKS, SECOND_LANE, high);
}

/** Bit i of four to bit 6 of byte i. */
function spread(bits: number): number {
  // Four copies, 7 bits apart, of which bit i of copy i stays.
  return (Math.imul(bits, 0x00204081) & 0x01010101) << 6;
}

/** SEC-DED on eight weights, which hold the check bits. */
export interface InPlaceEccPart extends PartPlace {
  readonly use: 'in-place-ecc';
  /**
   * Clamp all weights but each eighth to −64 … 63; default: yes. Without it, what lies outside loses its bit 6: it is
   * for networks that were trained to stay inside.
   */
  readonly throttle?: boolean | undefined;
}

export const inPlaceEcc: MemoryMechanism<InPlaceEccPart> = {
  summary: 'int8: a SEC-DED code over eight weights, whose bits 6 hold the check bits',
  group: 'code',
  knowsMap: false,
  parameters: { throttle: 'flag', ...PLACE_FORMS },
  defaults: { throttle: true },
  schema: z.strictObject({
    use: z.literal('in-place-ecc'),
    throttle: z
      .boolean()
      .optional()
      .describe('weights outside −64 … 63 are clamped first, but one in eight; default: true'),
    ...PLACE,
  }),
  code: ({ throttle = true }, placed) => inPlaceWordCode(throttle, placed),
  price(_, placed) {
    requireSignedBlocks(placed);
    return codePrice(secdedCode(57), placed.placement.memory.wordBits / (32 * BLOCK));
  },
};

/** Lanes of a block. */
const BLOCK = 2;

function inPlaceWordCode(throttle: boolean, placed: PlacedWeights): WordCode {
  requireSignedBlocks(placed);
  const right = new Uint32Array(BLOCK);
  return {
    checkBits: 0,
    encode(lanes) {
      for (let at = 0; at < lanes.length; at += BLOCK) {
        if (throttle) throttleInPlace(lanes, at);
        encodeInPlace(lanes, at);
      }
    },
    decode(written, read, faults, _, verdicts) {
      for (let at = 0; at < read.length; at += BLOCK) {
        const wasRight = read[at] === written[at] && read[at + 1] === written[at + 1];
        const correction = decodeInPlace(read, at);
        if (!verdicts || !faultyBits(faults, 32 * at, 32 * BLOCK)) continue;
        right[0] = written[at];
        right[1] = written[at + 1];
        decodeInPlace(right, 0);
        const isRight = read[at] === right[0] && read[at + 1] === right[1];
        verdicts[verdictOf(correction, wasRight, isRight)] += 1;
      }
    },
  };
}

/** @throws InputError when weights are not int8, or memory words not whole blocks of them */
function requireSignedBlocks({ network, placement: { memory } }: PlacedWeights): void {
  if (network.format !== 'int8') {
    throw new InputError(
      `in-place-ecc: ${network.name} has float32 weights, and in-place-ecc keeps its check bits in int8 ones; take mset or cep, or the int8 network`,
    );
  }
  const unsigned = weightedLayers(network).find((layer) => wordMask(layer) !== 0);
  if (unsigned) {
    throw new InputError(
      `in-place-ecc: layer "${unsigned.name}" of ${network.name} stores uint8 words, of which no bit repeats the sign: quantise the network with int8 weights`,
    );
  }
  if (memory.wordBits % (32 * BLOCK) !== 0) {
    throw new InputError(
      `in-place-ecc takes eight weights, 64 bits, but a memory word has ${memory.wordBits}: choose an accelerator whose wordBits are a multiple of 64`,
    );
  }
}
