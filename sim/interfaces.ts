import type { CellGeometry } from '../fault/index.js';
import type { Float32Clip, Int8Clip } from '../kernels/index.js';

/**
 * A weight memory: `banks` of `rows` word lines; a row holds `columnMux` memory words of `wordBits`.
 * Bit b of word w of a row sits at column b·columnMux + w. Address a: w = a mod columnMux,
 * row = ⌊a / columnMux⌋ mod rows, bank = ⌊a / (columnMux · rows)⌋.
 *
 * Beside the data a bank may hold check bits of its words, which the same multiplexers select (check bit c of
 * word w sits at column (wordBits + c)·columnMux + w), then spare columns, and spare rows after the others.
 * None of them moves a data bit: address, row and bank are those of the memory without them.
 */
export interface WeightMemory {
  readonly banks: number;
  readonly rows: number;
  readonly wordBits: number;
  readonly columnMux: number;
  /** Spare rows of each bank; undefined is none. */
  readonly spareRows?: number | undefined;
  /** Spare columns of each bank; undefined is none. */
  readonly spareColumns?: number | undefined;
  /** Check bits of each memory word; undefined is none. */
  readonly checkBits?: number | undefined;
}

/**
 * The map between the weights of a network (numbered 0… in network order over all layers) and the cells of a
 * weight memory. `slot` is a weight-sized place: slot s is bits (s mod k)·weightBits… of memory
 * word ⌊s / k⌋, with k = wordBits / weightBits.
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

/** Weights whose stored word differs from the fault-free one, ascending; numbered over the whole network. */
export interface WeightPatches {
  readonly weights: Uint32Array;
  /** The stored word as read: a byte (0…255) for int8, IEEE 754 bits for float32. */
  readonly words: Uint32Array;
  /** Faulty cells that change at least one weight. */
  readonly effectiveFaults: number;
}

/** What stands between accumulator and requantisation in one layer; undefined: nothing. */
export type ActivationUnit =
  | { readonly format: 'int8'; readonly clip: Int8Clip }
  | { readonly format: 'float32'; readonly clip: Float32Clip };
