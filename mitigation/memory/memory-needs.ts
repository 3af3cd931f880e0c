import { type MemoryPart, mechanismOf } from './mechanisms.js';
import type { PlacedWeights } from './stages.js';

/** What a memory must have beside its data for parts to stand in it. */
export interface MemoryNeeds {
  /** Check bits of each memory word. */
  readonly checkBits: number;
  /** Spare lines of each bank. */
  readonly spareRows: number;
  readonly spareColumns: number;
}

/**
 * What parts need of the memory beside its data. Check bits of a code come first, then the copies of cells.
 *
 * @throws InputError when a part does not fit the network or its memory
 */
export function memoryNeeds(parts: readonly MemoryPart[], placed: PlacedWeights): MemoryNeeds {
  const needs = parts.map((part) => {
    const { code, copies, spareLines } = mechanismOf(part);
    const lines = spareLines?.(part, placed);
    return {
      checkBits: (code?.(part, placed).checkBits ?? 0) + (copies?.(part, placed).checkBits ?? 0),
      spareRows: lines?.rows ?? 0,
      spareColumns: lines?.columns ?? 0,
    };
  });
  return {
    checkBits: needs.reduce((sum, { checkBits }) => sum + checkBits, 0),
    spareRows: Math.max(0, ...needs.map(({ spareRows }) => spareRows)),
    spareColumns: Math.max(0, ...needs.map(({ spareColumns }) => spareColumns)),
  };
}
