import { float32BitsCost, type WeightBits, wrongBitsCost } from './bit-costs.js';
import { faultyCells, readLane, type WordFaults } from './word-faults.js';

/** What has a flag of its own: each weight, or each memory word. */
export type InversionGroup = 'weight' | 'word';

/**
 * Inversion: a group of bits is stored inverted if the bits that are then read wrongly cost less (`bitCost`), by which
 * a stuck cell is given the value that it is stuck at. Known answers, not a paper, define the rule.
 *
 * @param data the word to be stored: 32 bits an entry, least significant first; at most 32 entries
 * @param faults of the cells that it is stored in
 * @param flags is filled: bit g says whether group g is stored inverted, 32 groups an entry. It has an entry for
 * each 32 weights of the word, at least one
 */
export function chooseInversion(
  data: Uint32Array,
  faults: WordFaults,
  weightBits: WeightBits,
  group: InversionGroup,
  flags: Uint32Array,
): void {
  for (let entry = 0; entry < flags.length; entry += 1) flags[entry] = 0;
  let plainCost = 0;
  let invertedCost = 0;
  for (let lane = 0; lane < data.length; lane += 1) {
    if (faultyCells(faults, lane) === 0) continue;
    const stored = data[lane];
    const plain = readLane(faults, lane, stored) ^ stored;
    const inverted = readLane(faults, lane, ~stored) ^ ~stored;
    if (group === 'word') {
      plainCost += wrongBitsCost(plain, weightBits);
      invertedCost += wrongBitsCost(inverted, weightBits);
    } else if (weightBits === 8) {
      flags[lane >>> 3] |= cheaperBytes(plain, inverted) << ((lane & 7) * 4);
    } else if (float32BitsCost(inverted) < float32BitsCost(plain)) {
      flags[0] |= 1 << lane;
    }
  }
  if (invertedCost < plainCost) flags[0] = 1;
}

/** Of four int8 weights those, as bits 0 to 3, whose wrong bits cost less where they are stored inverted. */
function cheaperBytes(plain: number, inverted: number): number {
  let flags = 0;
  for (let byte = 0; byte < 4; byte += 1) {
    const shift = 8 * byte;
    if (((inverted >>> shift) & 0xff) < ((plain >>> shift) & 0xff)) flags |= 1 << byte;
  }
  return flags;
}

/**
 * A word with the groups inverted whose flag is set: as it is stored, or, of what is read, as it is delivered.
 * @param to may be `from`
 */
export function invertGroups(
  from: Uint32Array,
  to: Uint32Array,
  lanes: number,
  weightBits: WeightBits,
  group: InversionGroup,
  flags: Uint32Array,
): void {
  for (let lane = 0; lane < lanes; lane += 1) {
    to[lane] = from[lane] ^ invertedBits(lane, weightBits, group, flags);
  }
}

function invertedBits(
  lane: number,
  weightBits: WeightBits,
  group: InversionGroup,
  flags: Uint32Array,
): number {
  if (group === 'word') return -(flags[0] & 1);
  if (weightBits === 32) return -((flags[0] >>> lane) & 1);
  const four = (flags[lane >>> 3] >>> ((lane & 7) * 4)) & 0xf;
  // Bit b of the four to bit 8b, then eight times beside itself.
  return Math.imul(Math.imul(four, 0x00204081) & 0x01010101, 0xff);
}
