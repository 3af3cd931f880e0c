import { z } from 'zod';
import { InputError } from '../../core/index.js';
import type { WordFaults } from '../../sim/index.js';
import { NOTHING } from '../price/price.js';
import { float32BitsCost, int8BitsCost, type WeightBits } from './bit-costs.js';
import { KNOWS, KNOWS_FORMS, type PartKnowledge } from './knowledge.js';
import { type MemoryMechanism, type PartPlace, PLACE, PLACE_FORMS } from './mechanism.js';
import {
  METADATA,
  METADATA_DEFAULTS,
  METADATA_FORMS,
  type PartMetadata,
  withMetadata,
} from './metadata.js';
import { rotateBitsLeft, rotateBitsRight } from './rotate-lanes.js';
import { chooseReadableRotation, type RotationRule } from './rotation-number.js';
import { CHOSEN_FOR_TILES } from './tile-choice.js';
import { faultyBits, readBits } from './word-bits.js';
import { readLane } from './word-faults.js';
import { wordLayout } from './word-layout.js';

/** Lanes of the longest memory word that is rotated, 1,024 bits. */
const MOST_LANES = 32;

/**
 * Of the word at hand: its lanes with faulty cells, the faulty cells in them, and those of these that flip. The entry
 * after the last one is written before it is known that it does not count.
 */
const struck = new Uint32Array(MOST_LANES + 1);
const faulty = new Uint32Array(MOST_LANES + 1);
const flips = new Uint32Array(MOST_LANES + 1);

/**
 * Bit rotation: a memory word is stored rotated left by a number r of its own, 0 ≤ r < weightBits, so that its faulty
 * cells hold bits of little weight; data bit i lies in cell (i + r) mod the word's bits, of which unused ones do not count. A form of the bit-shuffling of
 * S. Ganapathy et al., "Mitigating the Impact of Faults in Unreliable Memories for Error-Resilient Applications",
 * DAC 2015 (read: its abstract). Here r is the one of least cost (`bitCost`), of equal ones the smallest.
 *
 * @param data the word to be stored: 32 bits an entry, least significant first; at most 32 entries
 * @param faults of the cells that it is stored in
 * @throws InputError for longer words
 */
export function chooseRotation(
  data: Uint32Array,
  faults: WordFaults,
  weightBits: WeightBits,
  by: RotationRule,
): number {
  if (data.length > MOST_LANES) {
    throw new InputError(
      `A memory word of ${32 * data.length} bits cannot be rotated: at most ${32 * MOST_LANES} can.`,
    );
  }
  const { and, or, xor } = faults;
  let lanes = 0;
  let anyFlip = 0;
  let anyStuck = 0;
  for (let lane = 0; lane < data.length; lane += 1) {
    const flip = and[lane] & ~or[lane] & xor[lane];
    const cells = ~and[lane] | or[lane] | xor[lane];
    struck[lanes] = lane;
    faulty[lanes] = cells;
    flips[lanes] = flip;
    anyFlip |= flip;
    anyStuck |= cells ^ flip;
    // One more where there are faulty cells: a branch would often be guessed wrongly.
    lanes += (cells | -cells) >>> 31;
  }
  if (by === 'position' || anyStuck === 0) return rotationOf(faulty, lanes, weightBits);
  if (anyFlip === 0) {
    const free = Math.clz32(~wrongRotations(data, faults, lanes));
    return free < weightBits ? free : rotationByData(data, faults, lanes, weightBits, 1);
  }
  // A flip is read wrongly whatever is written, so that no rotation is cheaper than the best one for flips alone.
  const forFlips = rotationOf(flips, lanes, weightBits);
  const floor = costOf(flips, lanes, weightBits, forFlips);
  return rotationByData(data, faults, lanes, weightBits, floor);
}

/** The cheapest rotation where the bits in the given cells are wrong. */
function rotationOf(cells: Uint32Array, lanes: number, weightBits: WeightBits): number {
  let places = 0;
  for (let index = 0; index < lanes; index += 1) places |= cells[index];
  if (weightBits === 8) {
    places |= places >>> 16;
    places = (places | (places >>> 8)) & 0xff;
  }
  // Bit 0 of weights is the cheapest.
  if ((places & (places - 1)) === 0) return places === 0 ? 0 : 31 - Math.clz32(places);
  // One more step moves every wrong bit to a lower rank, unless it is bit 0 or, of a float32 weight, bit 31: a
  // rotation that leaves none there is not the cheapest.
  let candidates = weightBits === 8 ? places : places | (places << 1) | (places >>> 31);
  let best = 0;
  let least = Infinity;
  while (candidates !== 0) {
    const lowest = candidates & -candidates;
    candidates ^= lowest;
    const rotation = 31 - Math.clz32(lowest);
    const cost = costOf(cells, lanes, weightBits, rotation);
    if (cost < least) {
      least = cost;
      best = rotation;
    }
  }
  return best;
}

/** What wrong bits in the given cells cost at a rotation. */
function costOf(
  cells: Uint32Array,
  lanes: number,
  weightBits: WeightBits,
  rotation: number,
): number {
  let cost = 0;
  if (weightBits === 8) {
    for (let index = 0; index < lanes; index += 1) cost += int8Cost(cells[index], rotation);
  } else {
    for (let index = 0; index < lanes; index += 1) cost += float32Cost(cells[index], rotation);
  }
  return cost;
}

/**
 * At which rotations a stuck cell is read wrongly: rotation r as bit 31 − r. A cell holds its own data bit, then one
 * after another the bits below it.
 */
function wrongRotations(data: Uint32Array, faults: WordFaults, lanes: number): number {
  let wrong = 0;
  for (let index = 0; index < lanes; index += 1) {
    const lane = struck[index];
    const here = data[lane];
    const below = data[lane === 0 ? data.length - 1 : lane - 1];
    const ones = readLane(faults, lane, 0);
    for (let cells = faulty[index] | 0; cells !== 0; cells &= cells - 1) {
      const bit = 31 - Math.clz32(cells & -cells);
      const held = (here << (31 - bit)) | ((below >>> bit) >>> 1);
      wrong |= held ^ -((ones >>> bit) & 1);
    }
  }
  return wrong;
}

/** The first rotation whose wrongly read bits cost least; `floor`: what every rotation costs at least. */
function rotationByData(
  data: Uint32Array,
  faults: WordFaults,
  lanes: number,
  weightBits: WeightBits,
  floor: number,
): number {
  let best = 0;
  let least = Infinity;
  for (let rotation = 0; rotation < weightBits; rotation += 1) {
    let cost = 0;
    for (let index = 0; index < lanes && cost < least; index += 1) {
      const lane = struck[index];
      const below = data[lane === 0 ? data.length - 1 : lane - 1];
      const stored = (data[lane] << rotation) | ((below >>> 1) >>> (31 - rotation));
      const wrong = readLane(faults, lane, stored) ^ stored;
      cost += weightBits === 8 ? int8Cost(wrong, rotation) : float32Cost(wrong, rotation);
    }
    if (cost >= least) continue;
    least = cost;
    best = rotation;
    if (least === floor) break;
  }
  return best;
}

/** Wrong cells of 32 bits at a rotation: a cell's place within its weight alone says which bit it holds. */
function int8Cost(cells: number, rotation: number): number {
  const kept = Math.imul(0xff >>> rotation, 0x01010101);
  return int8BitsCost(((cells >>> rotation) & kept) | ((cells << (8 - rotation)) & ~kept));
}

function float32Cost(cells: number, rotation: number): number {
  return float32BitsCost((cells >>> rotation) | ((cells << 1) << (31 - rotation)));
}

/** Bit rotation of memory words. */
export interface RotatePart extends PartPlace, PartMetadata, PartKnowledge {
  readonly use: 'rotate';
  /** Default: position. */
  readonly by?: RotationRule | undefined;
}

export const rotate: MemoryMechanism<RotatePart> = {
  summary: 'each word is stored rotated, so that its faulty cells hold bits of little weight',
  group: 'transform',
  knowsMap: true,
  parameters: { by: 'word', ...METADATA_FORMS, ...KNOWS_FORMS, ...PLACE_FORMS },
  defaults: { by: 'position', ...METADATA_DEFAULTS },
  schema: z.strictObject({
    use: z.literal('rotate'),
    by: z
      .enum(['data', 'position'])
      .optional()
      .describe(
        'what is to cost least: the bits that lie in faulty cells (position), or those that are read wrongly (data); default: position',
      ),
    ...METADATA,
    ...KNOWS,
    ...PLACE,
  }),
  transform({ by = 'position' }, { placement }) {
    const { weightBits } = placement;
    const { bits, isFull } = wordLayout(placement);
    const choose = (data: Uint32Array, faults: WordFaults) =>
      isFull
        ? chooseRotation(data, faults, weightBits, by)
        : chooseReadableRotation(data, faults, weightBits, by, (number) => number, bits);
    const checkBits = Math.log2(weightBits);
    // The number as it is read: that it is undone by.
    let rotation = 0;
    return {
      checkBits,
      movesBits: true,
      write(data, known, faults, stored, firstBit) {
        if (firstBit === undefined) {
          rotation = choose(data, known);
          rotateBitsLeft(data, stored, bits, rotation);
          return;
        }
        const readOf = (number: number) => readBits(known, firstBit, checkBits, number);
        const chosen = faultyBits(known, firstBit, checkBits)
          ? chooseReadableRotation(data, known, weightBits, by, readOf, bits)
          : choose(data, known);
        rotateBitsLeft(data, stored, bits, chosen);
        const written = readOf(chosen);
        rotation = readBits(faults, firstBit, checkBits, written);
      },
      store: (lanes) => rotateBitsLeft(lanes, lanes, bits, rotation),
      read: (lanes) => rotateBitsRight(lanes, lanes, bits, rotation),
    };
  },
  price(part, { placement }, figures) {
    const { kind, weightBits } = placement;
    const numberBits = Math.log2(weightBits);
    const multiplexers = {
      notGiven: [
        `a rotator is ${numberBits} levels of ${wordLayout(placement).bits} 2-way multiplexers, for writing and for reading, which no opened source gives in XOR gates`,
      ],
    };
    const price = {
      ...NOTHING,
      cells: [{ hold: 'rotation numbers', perWord: numberBits }],
      xorGates: multiplexers,
      levels: multiplexers,
      cycles: kind === 'streamed' ? CHOSEN_FOR_TILES : 0,
    };
    return withMetadata(part, price, figures);
  },
};
