import type { FaultMap } from '../../fault/index.js';
import { checkCellsOf, isReliable } from './check-cells.js';
import { type MemoryPart, mechanismOf } from './mechanisms.js';
import type { PlacedWeights } from './stages.js';
import { wordLayout } from './word-layout.js';

/** The spare words of the banks, which stand for faulty ones. */
export interface SpareWords {
  /** The row of a bank that the first of them is in. */
  readonly firstRow: number;
  /** Whether they never fail. */
  readonly areReliable: boolean;
  /** Those of a bank that a test finds faulty. */
  faultyOf(map: FaultMap, bank: number): ReadonlySet<number>;
}

/**
 * The spare words: those with a faulty cell among their data and the check bits that the parts use are not to be used.
 * They are the first words of the spare rows behind those of spare lines. Spare words that the memory does not have are
 * taken as sound; hardened bits of weights are hardened in them, too, where they are so in the whole memory.
 */
export function spareWordsOf(
  parts: readonly MemoryPart[],
  placed: PlacedWeights,
  spareWords: number,
): SpareWords {
  const { memory, geometry, weightBits } = placed.placement;
  const { rows, columnMux } = memory;
  const { bits: usedBits } = wordLayout(placed.placement);
  const isUsed = usedBitTest(parts, placed);
  const areReliable = parts.some((part) => mechanismOf(part).masking && isReliable(part));
  const before = parts.reduce(
    (sum, part) => sum + (mechanismOf(part).spareLines?.(part, placed).rows ?? 0),
    0,
  );
  const hardened = parts.reduce((mask, part) => {
    const isEverywhere = !part.layers && !part.banks;
    const bits = isEverywhere ? mechanismOf(part).hardenedBits?.(part, placed) : 0;
    return mask | (bits ?? 0);
  }, 0);
  const firstRow = rows + before;
  return {
    firstRow,
    areReliable,
    faultyOf({ cells }, bank) {
      const faulty = new Set<number>();
      if (spareWords === 0 || areReliable) return faulty;
      const from = (bank * geometry.rows + firstRow) * geometry.columns;
      const end = (bank + 1) * geometry.rows * geometry.columns;
      for (let fault = firstNotBelow(cells, from); fault < cells.length; fault++) {
        const cell = cells[fault];
        if (cell >= end) break;
        const row = Math.floor(cell / geometry.columns);
        const column = cell - row * geometry.columns;
        const bit = Math.floor(column / columnMux);
        const isHardened = bit < usedBits && (hardened >>> (bit % weightBits)) & 1;
        if (!isUsed(bit) || isHardened) continue;
        const spareRow = row - bank * geometry.rows - firstRow;
        const word = spareRow * columnMux + (column - bit * columnMux);
        if (word < spareWords) faulty.add(word);
      }
      return faulty;
    },
  };
}

/** Whether a bit of a memory word holds data, or check bits of the parts that can fail. */
function usedBitTest(
  parts: readonly MemoryPart[],
  placed: PlacedWeights,
): (bit: number) => boolean {
  const { wordBits, checkBits = 0 } = placed.placement.memory;
  const failing = [...checkCellsOf(parts, placed)].filter(
    ([owner, { areReliable }]) => owner !== 'masking' && !areReliable,
  );
  return (bit) =>
    bit < wordBits ||
    (bit < wordBits + checkBits &&
      failing.some(([, cells]) => bit >= cells.firstBit && bit < cells.firstBit + cells.checkBits));
}

/** The place of the first of some ascending numbers that is not below another. */
function firstNotBelow(numbers: Float64Array, least: number): number {
  let [from, to] = [0, numbers.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (numbers[middle] < least) from = middle + 1;
    else to = middle;
  }
  return from;
}
