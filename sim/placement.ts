import { InputError } from '../core/index.js';
import { type Cell, cellAt } from '../fault/index.js';
import type { Placement } from './interfaces.js';
import { cellOfBitNumber, wordBitOfCell } from './memory.js';

/** Weight numbers are kept in 32 bits. */
const MAX_WEIGHTS = 2 ** 32;

/** @throws InputError when the weights cannot be numbered in 32 bits. */
export function requireAddressableWeights(weights: number): void {
  if (!Number.isSafeInteger(weights) || weights < 0 || weights > MAX_WEIGHTS) {
    throw new InputError(`A network must have 0 to 2^32 weights to be placed, not ${weights}.`);
  }
}

/** The cells that hold a weight, least significant bit first. */
export function cellsOfWeight(placement: Placement, weight: number): Cell[] {
  const firstBit = placement.slotOf(weight) * placement.weightBits;
  return Array.from({ length: placement.weightBits }, (_, bit) =>
    cellAt(placement.geometry, cellOfBitNumber(placement.memory, firstBit + bit)),
  );
}

/**
 * All weights that a cell ever holds during one inference, in the order of time, and which of their bits.
 * @throws InputError when the cell lies outside the memory.
 */
export function weightsOfCell(
  placement: Placement,
  cell: Cell,
): { readonly weights: number[]; readonly bit: number } {
  const { memory, weightBits } = placement;
  const { address, bit } = wordBitOfCell(memory, cell);
  const slot = Math.floor((address * memory.wordBits + bit) / weightBits);
  return {
    weights: Array.from({ length: placement.occupancy(slot) }, (_, occurrence) =>
      placement.weightAt(slot, occurrence),
    ),
    bit: bit % weightBits,
  };
}
