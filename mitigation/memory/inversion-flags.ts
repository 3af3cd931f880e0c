import type { WordFaults } from '../../sim/index.js';
import { type WeightBits, wrongBitsCost } from './bit-costs.js';
import { readBits } from './word-bits.js';
import { readLane } from './word-faults.js';

/** What has a flag of its own: each weight, or each memory word. */
export type InversionGroup = 'weight' | 'word';

/**
 * The inversion of least cost where another flag than the written one may be read, by which it is undone; of equal ones
 * none. With flags that are read as written, `chooseInversion` chooses the same.
 *
 * @param data the word to be stored: 32 bits an entry, least significant first
 * @param faults of the cells that it and its flags are stored in
 * @param firstBit of the flags among the bits of `faults`
 * @param flags is filled: bit g is the flag of group g, 32 groups an entry
 * @param bits that hold weights, the lowest of the word
 */
export function chooseReadableInversion(
  data: Uint32Array,
  faults: WordFaults,
  weightBits: WeightBits,
  group: InversionGroup,
  firstBit: number,
  flags: Uint32Array,
  bits = 32 * data.length,
): void {
  const groupBits = group === 'word' ? bits : weightBits;
  flags.fill(0);
  for (let index = 0; index * groupBits < bits; index++) {
    const readOf = (flag: number) => readBits(faults, firstBit + index, 1, flag);
    const costOf = (flag: number) => {
      let cost = 0;
      for (let bit = index * groupBits; bit < (index + 1) * groupBits; bit += weightBits) {
        const lane = bit >>> 5;
        const read = readLane(faults, lane, data[lane] ^ -flag) ^ -readOf(flag);
        const mask = weightBits === 8 ? 0xff << (bit & 31) : 0xffffffff;
        cost += wrongBitsCost((read ^ data[lane]) & mask, weightBits);
      }
      return cost;
    };
    const flag = costOf(1) < costOf(0) ? 1 : 0;
    flags[index >>> 5] |= flag << (index & 31);
  }
}
