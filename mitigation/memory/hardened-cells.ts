import { laneBitOf, type WordFaults, wordLanes } from '../../sim/index.js';
import { checkCellsOf } from './check-cells.js';
import { type MemoryPart, mechanismOf } from './mechanisms.js';
import { at, fillsOf, type Placed, placedStages } from './place.js';
import type { PlacedWeights } from './stages.js';
import { noFaults } from './word-faults.js';
import { wordLayout } from './word-layout.js';

/** A function that takes the faults of hardened cells out of those of a word. */
export function hardenerOf(
  parts: readonly MemoryPart[],
  placed: PlacedWeights,
): (address: number, fill: number, struck: WordFaults) => WordFaults {
  const { memory, weightBits } = placed.placement;
  const hardened = hardenedStages(parts, placed);
  const reliable = reliableBits(parts, placed);
  if (hardened.length === 0 && !reliable) return (_, __, struck) => struck;
  const { lanes: dataLanes, masks } = wordLayout(placed.placement);
  const lanes = wordLanes(memory);
  const left = noFaults(lanes);
  const { and, or, xor } = left;
  return (address, fill, struck) => {
    // Not `set`, which takes far longer for a few lanes.
    for (let lane = 0; lane < lanes; lane++) {
      and[lane] = struck.and[lane];
      or[lane] = struck.or[lane];
      xor[lane] = struck.xor[lane];
    }
    for (const one of hardened) {
      const bits = at(one, address, fill);
      if (bits === undefined) continue;
      const inLane = weightBits === 8 ? Math.imul(bits, 0x01010101) : bits;
      for (let lane = 0; lane < dataLanes; lane++) {
        const mask = inLane & masks[lane];
        and[lane] |= mask;
        or[lane] &= ~mask;
        xor[lane] &= ~mask;
      }
    }
    for (let lane = dataLanes; reliable && lane < lanes; lane++) {
      and[lane] |= reliable[lane];
      or[lane] &= ~reliable[lane];
      xor[lane] &= ~reliable[lane];
    }
    return left;
  };
}

/**
 * Whether a cell never fails, by the address of its word and its bit there; undefined where none is hardened. A cell of
 * a streamed memory is hardened where it is so for all that fill it.
 */
export function hardenedCellTest(
  parts: readonly MemoryPart[],
  placed: PlacedWeights,
): ((address: number, bit: number) => boolean) | undefined {
  const { memory, weightBits } = placed.placement;
  const hardened = hardenedStages(parts, placed);
  const reliable = reliableBits(parts, placed);
  if (hardened.length === 0 && !reliable) return undefined;
  const { bits: usedBits } = wordLayout(placed.placement);
  const fillsAt = fillsOf(placed.placement);
  return (address, bit) => {
    if (bit >= memory.wordBits) return bitOf(reliable, laneBitOf(memory, bit)) === 1;
    if (bit >= usedBits) return false;
    const mask = 1 << (bit % weightBits);
    for (let fill = 0; fill < Math.max(1, fillsAt(address)); fill++) {
      if (!hardened.some((one) => (at(one, address, fill) ?? 0) & mask)) return false;
    }
    return true;
  };
}

/**
 * The check bits that never fail because a part says so, of any memory word, in its lanes; undefined: none. Those that
 * the memory does not have are left out.
 */
function reliableBits(
  parts: readonly MemoryPart[],
  placed: PlacedWeights,
): Uint32Array | undefined {
  const { memory } = placed.placement;
  const end = memory.wordBits + (memory.checkBits ?? 0);
  const bits = new Uint32Array(wordLanes(memory));
  let isAny = false;
  for (const { firstBit, checkBits, areReliable } of checkCellsOf(parts, placed).values()) {
    if (!areReliable) continue;
    for (let bit = firstBit; bit < Math.min(firstBit + checkBits, end); bit++) {
      const laneBit = laneBitOf(memory, bit);
      bits[laneBit >>> 5] |= 1 << (laneBit & 31);
      isAny = true;
    }
  }
  return isAny ? bits : undefined;
}

function bitOf(lanes: Uint32Array | undefined, bit: number): number {
  return lanes ? (lanes[bit >>> 5] >>> (bit & 31)) & 1 : 0;
}

/** The bits of a weight that are hardened, and where. */
function hardenedStages(parts: readonly MemoryPart[], placed: PlacedWeights): Placed<number>[] {
  return placedStages(parts, placed, (part) => mechanismOf(part).hardenedBits?.(part, placed));
}
