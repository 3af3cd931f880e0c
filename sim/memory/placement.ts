import { InputError } from '../../core/index.js';
import { type Cell, type CellGeometry, cellAt, cellIndex } from '../../fault/index.js';
import {
  cellOfWeightBit,
  NO_DATA_BIT,
  type WeightMemory,
  weightBitOfCell,
  wordBitOfCell,
} from './weight-memory.js';
import type { LayerOrder } from './weight-stream.js';

/**
 * The map between the weights of a network (numbered 0… in network order over all layers) and the cells of a
 * weight memory. `slot` is a weight-sized place: slot s is bits (s mod k)·weightBits… of memory
 * word ⌊s / k⌋, with k = ⌊wordBits / weightBits⌋; in words narrower than a weight, s is memory words n·s … n·s + n − 1,
 * with n = weightBits / wordBits, the least significant bits first.
 *
 * A `tile` is what fills the memory (resident), or one half of it (streamed), at once; within a tile no two
 * weights share a cell, and (slot, tile) ↔ weight is one to one; but in a resident network a weight that several layers
 * read has a number in each of them, and all these are in one slot.
 */
export interface Placement {
  readonly kind: 'resident' | 'streamed';
  readonly memory: WeightMemory;
  readonly geometry: CellGeometry;
  readonly weightBits: 8 | 32;
  /** Number of weights of the network; one that several layers read counts in each. */
  readonly weights: number;
  /** Whether slot s holds weight s, at all times and alone. */
  readonly isInOrder: boolean;
  /** Orders of the layers of a stream whose position p is in slot p mod slots; undefined: the weights lie otherwise. */
  readonly streamedLayers?: readonly LayerOrder[] | undefined;
  /** Number of tiles of one inference; a resident network with weights is one tile. */
  readonly tiles: number;
  /** The slot that holds a weight. */
  slotOf(weight: number): number;
  /** The tile that a weight belongs to, 0 ≤ tile < tiles, in the order of time. */
  tileOf(weight: number): number;
  /** How many weights a slot ever holds during one inference (0 when unused). */
  occupancy(slot: number): number;
  /** The `occurrence`-th weight that a slot holds, in the order of time, 0 ≤ occurrence < occupancy(slot). */
  weightAt(slot: number, occurrence: number): number;
}

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
  const { memory, geometry, weightBits } = placement;
  const firstBit = placement.slotOf(weight) * weightBits;
  return Array.from({ length: weightBits }, (_, bit) =>
    cellAt(geometry, cellOfWeightBit(memory, weightBits, firstBit + bit)),
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
  if (wordBitOfCell(memory, cell) === undefined) return [];
  const weightBit = weightBitOfCell(memory, weightBits, cellIndex(placement.geometry, cell));
  if (weightBit === NO_DATA_BIT) return [];
  const slot = Math.floor(weightBit / weightBits);
  return Array.from({ length: placement.occupancy(slot) }, (_, occurrence) => {
    const weight = placement.weightAt(slot, occurrence);
    return { weight, tile: placement.tileOf(weight), bit: weightBit % weightBits };
  });
}
