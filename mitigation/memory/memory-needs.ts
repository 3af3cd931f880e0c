import { checkCellsOf } from './check-cells.js';
import { type MemoryPart, mechanismOf } from './mechanisms.js';
import type { PlacedWeights } from './stages.js';
import { wholeWords, wordsRead } from './whole-words.js';

/** What a memory must have beside its data for parts to stand in it. */
export interface MemoryNeeds {
  /** Check bits of each memory word. */
  readonly checkBits: number;
  /** Spare lines of each bank. */
  readonly spareRows: number;
  readonly spareColumns: number;
}

/**
 * What parts need of the memory beside its data: check bits as `checkCellsOf` has them, spare rows for spare lines, and
 * behind them those for spare words.
 *
 * @throws InputError when a part does not fit the network or its memory
 */
export function memoryNeeds(parts: readonly MemoryPart[], given: PlacedWeights): MemoryNeeds {
  const placed = wholeWords(parts, given);
  const { columnMux } = placed.placement.memory;
  const needs = parts.map((part) => {
    const { spareLines, masking } = mechanismOf(part);
    const lines = spareLines?.(part, placed);
    const spareWords = masking?.(part, placed).spareWords ?? 0;
    return {
      spareRows: (lines?.rows ?? 0) + Math.ceil(spareWords / columnMux),
      spareColumns: lines?.columns ?? 0,
    };
  });
  const cells = [...checkCellsOf(parts, placed).values()];
  const checkBits = cells.reduce((sum, cell) => sum + cell.checkBits, 0);
  return {
    checkBits: Math.ceil(checkBits / wordsRead(given)),
    spareRows: needs.reduce((sum, { spareRows }) => sum + spareRows, 0),
    spareColumns: needs.reduce((sum, { spareColumns }) => sum + spareColumns, 0),
  };
}

/** Remarks on cells that parts have and a given map does not tell of. */
export function unmeasuredCells(parts: readonly MemoryPart[], placed: PlacedWeights): string[] {
  const { memory } = placed.placement;
  const needs = memoryNeeds(parts, placed);
  const lacks = (extra: keyof MemoryNeeds) => needs[extra] > (memory[extra] ?? 0);
  return [
    ...(lacks('checkBits') ? ['check cells not measured: taken as perfect'] : []),
    ...(lacks('spareRows') || lacks('spareColumns')
      ? ['spare cells not measured: taken as perfect']
      : []),
  ];
}
