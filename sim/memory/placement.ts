import { InputError } from '../../core/index.js';
import { type Cell, cellAt } from '../../fault/index.js';
import type { Placement } from '../interfaces.js';
import { cellOfBitNumber, wordBitOfCell } from './weight-memory.js';

/** Weight numbers are kept in 32 bits. */
const MAX_WEIGHTS = 2 ** 32;

/** @throws InputError when the weights cannot be numbered in 32 bits. */
export function requireAddressableWeights(weights: number): void {
  if (!Number.isSafeInteger(weights) || weights < 0 || weights > MAX_WEIGHTS) {
    throw new InputError(`A network must have 0 to 2^32 weights to be placed, not ${weights}.`);
  }
}

/**
 * The cells that hold a weight, least significant bit first.
 * @throws InputError when the network has no such weight.
 */
export function cellsOfWeight(placement: Placement, weight: number): Cell[] {
  if (!Number.isSafeInteger(weight) || weight < 0 || weight >= placement.weights) {
    throw new InputError(
      `A weight must be an integer from 0 to ${placement.weights - 1}, not ${weight}.`,
    );
  }
  const firstBit = placement.slotOf(weight) * placement.weightBits;
  return Array.from({ length: placement.weightBits }, (_, bit) =>
    cellAt(placement.geometry, cellOfBitNumber(placement.memory, firstBit + bit)),
  );
}

/** A bit of a weight that a cell stores at some time of an inference. */
export interface StoredBit {
  /** Number of the weight over the whole network. */
  readonly weight: number;
  /** The tile that the weight belongs to. */
  readonly tile: number;
  /** Bit of the weight word; 0 is the least significant. */
  readonly bit: number;
}

/**
 * What a cell stores during one inference, in the order of time; nothing for unused, check and spare cells.
 * @throws InputError when the cell lies outside the memory.
 */
export function weightsOfCell(placement: Placement, cell: Cell): StoredBit[] {
  const { memory, weightBits } = placement;
  const place = wordBitOfCell(memory, cell);
  if (place === undefined || place.bit >= memory.wordBits) return [];
  const bitNumber = place.address * memory.wordBits + place.bit;
  const slot = Math.floor(bitNumber / weightBits);
  return Array.from({ length: placement.occupancy(slot) }, (_, occurrence) => {
    const weight = placement.weightAt(slot, occurrence);
    return { weight, tile: placement.tileOf(weight), bit: bitNumber % weightBits };
  });
}
