import type { CellMemory } from '../core/index.js';
import { FAULT_KINDS } from './fault-kind.js';

/**
 * The faulty cells of a map as bitmaps, which lie in one memory with room to arrange them in another order. Valid until
 * the next map is drawn in that memory.
 */
export interface CellBits {
  readonly memory: CellMemory;
  /** Cells of the memory that the map is of, fewer than 2³². */
  readonly cells: number;
  /** How many of them are faulty. */
  readonly faults: number;
  /** Address of the bitmap of all faulty cells. */
  readonly faulty: number;
  /** Index into FAULT_KINDS of the kind of all of them; undefined: `stuckAt1` has those stuck at 1, the others are at 0. */
  readonly kind: number | undefined;
  readonly stuckAt1: number;
  /** Addresses of the room for each of these, of `bytes` as they. */
  readonly arranged: readonly [number, number];
  /** Bytes of a bitmap, a multiple of 64. */
  readonly bytes: number;
}

/** The cells of a bitmap, ascending, written to the start of `cells`, which is returned. */
export function cellsOfBits(
  { memory, faulty, bytes }: CellBits,
  cells: Float64Array,
): Float64Array {
  const words = new Int32Array(memory.buffer, faulty, bytes / 4);
  let count = 0;
  for (let place = 0; place < words.length; place += 1) {
    for (let word = words[place]; word !== 0; word &= word - 1) {
      cells[count] = place * 32 + 31 - Math.clz32(word & -word);
      count += 1;
    }
  }
  return cells;
}

const STUCK_AT_0 = FAULT_KINDS.indexOf('stuck-at-0');
const STUCK_AT_1 = FAULT_KINDS.indexOf('stuck-at-1');

/** Kinds of listed cells, written to `kinds`, which is returned. */
export function kindsOfBits(
  { memory, kind, stuckAt1, bytes }: CellBits,
  cells: Float64Array,
  kinds: Uint8Array,
): Uint8Array {
  if (kind !== undefined) return kinds.fill(kind);
  const words = new Uint32Array(memory.buffer, stuckAt1, bytes / 4);
  for (let fault = 0; fault < cells.length; fault += 1) {
    const cell = cells[fault];
    kinds[fault] = (words[cell >>> 5] >>> (cell & 31)) & 1 ? STUCK_AT_1 : STUCK_AT_0;
  }
  return kinds;
}
