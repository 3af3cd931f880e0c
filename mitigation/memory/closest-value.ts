import { z } from 'zod';
import { InputError } from '../../core/index.js';
import { weightedLayers, wordMask } from '../../models/index.js';
import type { WordFaults } from '../../sim/index.js';
import { NOTHING } from '../price/price.js';
import type { WeightBits } from './bit-costs.js';
import { KNOWS, KNOWS_FORMS, type PartKnowledge } from './knowledge.js';
import { type MemoryMechanism, type PartPlace, PLACE, PLACE_FORMS } from './mechanism.js';
import { faultyCells, readLane } from './word-faults.js';

/**
 * Closest value: a weight is replaced by the readable word whose value is nearest to it. After fault-aware
 * quantisation (FAQ), M. A. Hanif, M. Shafique, arXiv:2305.12590, which does so for stuck cells; of what the paper
 * leaves open, known answers define the rule: a faulty cell is fixed at what writing the weight unchanged would
 * read, so that a flip is not made up for by writing the inverse; of two equally near words it is the one of smaller
 * magnitude, then the smaller one, of 0 and −0 the one with the weight's sign.
 *
 * @param data the word to be stored: 32 bits an entry, least significant first
 * @param faults of the cells that it is stored in
 * @param stored is filled with what to write: where faulty cells are, the weight's own bits. May be `data`
 */
export function storeClosest(
  data: Uint32Array,
  faults: WordFaults,
  weightBits: WeightBits,
  stored: Uint32Array,
): void {
  for (let lane = 0; lane < data.length; lane += 1) {
    const weights = data[lane];
    const read = readLane(faults, lane, weights);
    stored[lane] = weights;
    if (((read ^ weights) | 0) === 0) continue;
    const faulty = faultyCells(faults, lane);
    const delivered =
      weightBits === 32
        ? closestFloat32(weights, faulty, read)
        : closestInt8Lane(weights, faulty, read);
    stored[lane] = (delivered & ~faulty) | (weights & faulty);
  }
}

/** Four int8 weights; those that are read wrongly become their nearest readable words. */
function closestInt8Lane(weights: number, faulty: number, read: number): number {
  let delivered = weights;
  for (let wrong = read ^ weights; wrong !== 0; ) {
    const shift = (31 - Math.clz32(wrong)) & 24;
    wrong &= ~(0xff << shift);
    const closest = closestInt8(
      (weights >>> shift) & 0xff,
      (faulty >>> shift) & 0xff,
      (read >>> shift) & 0xff,
    );
    delivered = (delivered & ~(0xff << shift)) | (closest << shift);
  }
  return delivered;
}

/**
 * The readable word nearest to an int8 weight, in two's complement.
 *
 * @param weight 8 bits, as are
 * @param faulty the cells that are fixed, and
 * @param read what is read of the weight written unchanged
 */
export function closestInt8(weight: number, faulty: number, read: number): number {
  // With its sign bit inverted a word is its value plus 128.
  const value = weight ^ 0x80;
  const fixed = (read ^ 0x80) & faulty;
  const below = largestUpTo(value, faulty, fixed, 0xff);
  const above = smallestFrom(value, faulty, fixed, 0xff);
  if (below === NONE) return above ^ 0x80;
  if (above === NONE) return below ^ 0x80;
  const closer = above - value - (value - below);
  if (closer !== 0) return (closer > 0 ? below : above) ^ 0x80;
  return (Math.abs(above - 128) < Math.abs(below - 128) ? above : below) ^ 0x80;
}

const SIGN = 0x80000000;
const MAGNITUDE = 0x7fffffff;
const INFINITE = 0x7f800000;

/**
 * The finite readable word nearest to a finite float32 weight, as 32 bits; where there is none, or where the weight is
 * not finite, what is read of the weight written unchanged.
 *
 * @param weight 32 bits, as are
 * @param faulty the cells that are fixed, and
 * @param read what is read of the weight written unchanged
 */
export function closestFloat32(weight: number, faulty: number, read: number): number {
  const cells = faulty & MAGNITUDE;
  const fixed = read & cells;
  const value = weight & MAGNITUDE;
  if ((fixed & INFINITE) === INFINITE || value >= INFINITE) return read;
  const sign = ((faulty & read) | (~faulty & weight)) & SIGN;
  if (((sign ^ weight) & SIGN) !== 0) return sign | fixed;
  // ±0 is as far from −m as from m.
  if (value === 0) return (faulty & SIGN) === 0 && fixed !== 0 ? SIGN | fixed : sign | fixed;
  const below = largestUpTo(value, cells, fixed, MAGNITUDE);
  if (below === value) return sign | value;
  const above = smallestFrom(value, cells, fixed, MAGNITUDE);
  if (below === NONE) return sign | above;
  if (above === NONE || above >= INFINITE) return sign | below;
  return sign | (isCloserAbove(below, value, above) ? above : below);
}

const words = new Uint32Array(3);
const values = new Float32Array(words.buffer);

/** Whether `above` is strictly closer to `middle` than `below` is; float32 words of finite values, in rising order. */
function isCloserAbove(below: number, middle: number, above: number): boolean {
  words[0] = below;
  words[1] = middle;
  words[2] = above;
  // A float64 sum of float32 numbers is rounded only where `below` is too small to decide.
  return values[0] + values[2] < 2 * values[1];
}

/** There is no such number. */
const NONE = -1;

/**
 * The largest number up to `value` whose bits in `cells` are `fixed`.
 * @param all the bits that a number has, at most 31
 */
function largestUpTo(value: number, cells: number, fixed: number, all: number): number {
  const differing = (value & cells) ^ fixed;
  if (differing === 0) return value;
  const first = 31 - Math.clz32(differing);
  const free = all & ~cells;
  let turned = 1 << first;
  if ((value & turned) === 0) {
    // The cell makes the number too large, unless a higher free bit is taken from 1 to 0: the lowest one is.
    const takeable = value & free & -(turned << 1);
    if (takeable === 0) return NONE;
    turned = takeable & -takeable;
  }
  const lower = turned - 1;
  return (value & ~(lower | turned)) | ((free | fixed) & lower);
}

/** The smallest number from `value` on whose bits in `cells` are `fixed`. */
function smallestFrom(value: number, cells: number, fixed: number, all: number): number {
  const flipped = largestUpTo(value ^ all, cells, fixed ^ cells, all);
  return flipped === NONE ? NONE : flipped ^ all;
}

/** Weights that their faulty cells can hold. */
export interface ClosestValuePart extends PartPlace, PartKnowledge {
  readonly use: 'closest-value';
}

export const closestValue: MemoryMechanism<ClosestValuePart> = {
  summary: 'a weight is replaced by the nearest one that its faulty cells can hold',
  group: 'transform',
  knowsMap: true,
  parameters: { ...KNOWS_FORMS, ...PLACE_FORMS },
  schema: z.strictObject({ use: z.literal('closest-value'), ...KNOWS, ...PLACE }),
  transform(_, { network, placement: { weightBits } }) {
    const unsigned = weightedLayers(network).find((layer) => wordMask(layer) !== 0);
    if (unsigned) {
      throw new InputError(
        `closest-value: layer "${unsigned.name}" of ${network.name} stores uint8 words, whose order it does not know: quantise the network with int8 weights`,
      );
    }
    return {
      checkBits: 0,
      movesBits: false,
      write: (data, known, _, stored) => storeClosest(data, known, weightBits, stored),
      store() {},
      read() {},
    };
  },
  // Other weights are written, once for each die.
  price: () => NOTHING,
};
