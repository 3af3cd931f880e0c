import { laneBitOf, type WeightMemory } from '../../sim/index.js';
import { type MemoryPart, mechanismOf } from './mechanisms.js';
import type { PlacedWeights } from './stages.js';

/** Whose cells the check bits of a memory word are, in their order: each has those behind the ones before it. */
const OWNERS = ['code', 'copies', 'transform', 'masking'] as const;

export type CheckCellOwner = (typeof OWNERS)[number];

/** Check bits of a memory word that belong together. */
export interface CheckCells {
  /** The first of them, among all bits of the memory word. */
  readonly firstBit: number;
  readonly checkBits: number;
  /** Whether they never fail. */
  readonly areReliable: boolean;
}

/**
 * The check bits that parts have in a memory word: those of a code, copies of cells, numbers or flags of a transform,
 * and a valid bit. They lie in the same places in every word, wherever the parts stand.
 *
 * @throws InputError when a part does not fit the network or its memory
 */
export function checkCellsOf(
  parts: readonly MemoryPart[],
  placed: PlacedWeights,
): ReadonlyMap<CheckCellOwner, CheckCells> {
  const cells = new Map<CheckCellOwner, CheckCells>();
  let firstBit = placed.placement.memory.wordBits;
  for (const owner of OWNERS) {
    for (const part of parts) {
      const checkBits = mechanismOf(part)[owner]?.(part, placed).checkBits ?? 0;
      if (checkBits === 0) continue;
      cells.set(owner, { firstBit, checkBits, areReliable: isReliable(part) });
      firstBit += checkBits;
    }
  }
  return cells;
}

/** Whether the cells that a part adds never fail. */
export function isReliable(part: MemoryPart): boolean {
  return 'metadata' in part && part.metadata === 'reliable';
}

/**
 * Where the first of some check bits lies in the lanes of a word; undefined: there are none, or the memory lacks one, so
 * that nothing is known of them.
 */
export function firstBitIn(
  memory: WeightMemory,
  cells: CheckCells | undefined,
): number | undefined {
  const { wordBits, checkBits = 0 } = memory;
  const isThere = cells && cells.firstBit + cells.checkBits <= wordBits + checkBits;
  return isThere ? laneBitOf(memory, cells.firstBit) : undefined;
}
