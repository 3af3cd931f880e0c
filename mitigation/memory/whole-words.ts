import { InputError } from '../../core/index.js';
import { cellCount, type FaultMap, requireGeometry } from '../../fault/index.js';
import {
  defineWeightMemory,
  memoryGeometry,
  type Placement,
  type WeightMemory,
  wordSlots,
} from '../../sim/index.js';
import { type MemoryPart, mechanismOf } from './mechanisms.js';
import type { PlacedWeights } from './stages.js';

/**
 * The same weights in a memory whose words hold whole ones: the memory words that a weight takes are read as one, which
 * has the data bits of the weight and the check bits of all of them. Where weights take one word, as it is.
 *
 * Several words of a row are joined, so that rows stay as they are; where a row has too few words, rows are joined, and
 * spare lines, which replace rows and columns of the memory, have no place.
 *
 * @throws InputError where a part would need such a place
 */
export function wholeWords(parts: readonly MemoryPart[], given: PlacedWeights): PlacedWeights {
  const { placement, ownMemory } = given;
  const words = wordsRead(given);
  if (words === 1) return given;
  requireWholeRows(parts, placement, words);
  const joinedIn = (memory: WeightMemory): PlacedWeights => ({
    ...given,
    ownMemory: ownMemory && joined(ownMemory, words),
    joinedBits: placement.memory.wordBits,
    placement: { ...placement, memory, geometry: memoryGeometry(memory) },
  });
  const memory = joined(placement.memory, words);
  const checkBits = words * codeChecksOf(parts, joinedIn(memory), words);
  // Check cells of a code that the memory does not have are sound.
  return joinedIn(checkBits > (memory.checkBits ?? 0) ? { ...memory, checkBits } : memory);
}

/** Check bits of each memory word for its own code words; 0 where code words are of weights that take several. */
function codeChecksOf(parts: readonly MemoryPart[], whole: PlacedWeights, words: number): number {
  const ofCode = parts.map((part) => mechanismOf(part).code?.(part, whole).checkBits ?? 0);
  const each = Math.max(0, ...ofCode) / words;
  return Number.isInteger(each) ? each : 0;
}

/** How many memory words are read as one with `wholeWords`. */
export function wordsRead({ placement: { memory, weightBits } }: PlacedWeights): number {
  return wordSlots(memory, weightBits).wordsPerWeight;
}

function joined(memory: WeightMemory, words: number): WeightMemory {
  const { banks, rows, wordBits, columnMux, checkBits = 0, spareRows, spareColumns } = memory;
  const isInRow = columnMux >= words;
  return defineWeightMemory({
    banks,
    rows: isInRow ? rows : (rows * columnMux) / words,
    wordBits: wordBits * words,
    columnMux: isInRow ? columnMux / words : 1,
    checkBits: checkBits * words,
    ...(isInRow && { spareRows, spareColumns }),
  });
}

/** @throws InputError where rows would have to be joined, and a part replaces or masks rows */
function requireWholeRows(
  parts: readonly MemoryPart[],
  { memory: { columnMux, wordBits } }: Placement,
  words: number,
): void {
  if (columnMux >= words) return;
  const part = parts.find(
    (one) =>
      mechanismOf(one).spareLines ||
      (one.use === 'word-masking' && (one.unit === 'row' || (one.spareWords ?? 0) > 0)),
  );
  if (!part) return;
  throw new InputError(
    `${part.use}: a weight takes ${words} words of ${wordBits} bits, more than a row of ${columnMux} has, so that no row can be replaced or masked alone: choose an accelerator whose columnMux is at least ${words}`,
  );
}

/** Sorted numbers hold a cell and the kind of its fault. */
const KINDS = 4;

/**
 * A function from fault maps of a memory to those of the one that `wholeWords` makes of it. Joined words lie in their
 * order; of their check bits those of each word's own code words, then the others in turn, the first of each word first.
 *
 * @param given where a weight takes several words
 * @param whole what `wholeWords` made of it
 */
export function mapOfWholeWords(
  parts: readonly MemoryPart[],
  given: PlacedWeights,
  whole: PlacedWeights,
): (map: FaultMap) => FaultMap {
  const { memory, geometry } = given.placement;
  const { rows, wordBits, columnMux, checkBits = 0, spareRows = 0 } = memory;
  const words = wordsRead(given);
  const codeChecks = codeChecksOf(parts, whole, words);
  const { memory: wholeMemory, geometry: wholeGeometry } = whole.placement;
  if (cellCount(wholeGeometry) * KINDS > 2 ** 53) {
    throw new InputError(
      'A mitigation takes a memory of at most 2^51 cells where a weight takes several words.',
    );
  }
  const storedColumns = (wordBits + checkBits) * columnMux;
  const firstSpareColumn = wholeGeometry.columns - (wholeMemory.spareColumns ?? 0);
  const isInRow = columnMux >= words;
  const bitOf = (word: number, bit: number): number => {
    if (bit < wordBits) return word * wordBits + bit;
    const check = bit - wordBits;
    if (check < codeChecks) return words * wordBits + word * codeChecks + check;
    return words * (wordBits + check) + word;
  };
  const cellOf = (cell: number): number => {
    const line = Math.floor(cell / geometry.columns);
    const column = cell - line * geometry.columns;
    const bank = Math.floor(line / (rows + spareRows));
    const row = line - bank * (rows + spareRows);
    const bit = Math.floor(column / columnMux);
    const word = column - bit * columnMux;
    if (isInRow) {
      const lineStart = line * wholeGeometry.columns;
      if (column >= storedColumns) return lineStart + firstSpareColumn + (column - storedColumns);
      const weight = Math.floor(word / words);
      return lineStart + bitOf(word - weight * words, bit) * wholeMemory.columnMux + weight;
    }
    if (column >= storedColumns || row >= rows) return NOWHERE;
    const address = row * columnMux + word;
    const weight = Math.floor(address / words);
    return (
      (bank * wholeMemory.rows + weight) * wholeGeometry.columns +
      bitOf(address - weight * words, bit)
    );
  };
  return (map) => {
    requireGeometry(map, geometry, 'The fault map');
    const { cells, kinds } = map;
    const faults = new Float64Array(cells.length);
    let count = 0;
    for (let fault = 0; fault < cells.length; fault++) {
      const cell = cellOf(cells[fault]);
      if (cell !== NOWHERE) faults[count++] = cell * KINDS + kinds[fault];
    }
    const sorted = faults.subarray(0, count).sort();
    const wholeCells = sorted.map((fault) => Math.floor(fault / KINDS));
    return {
      ...map,
      geometry: wholeGeometry,
      cells: wholeCells,
      kinds: Uint8Array.from(sorted, (fault, place) => fault - wholeCells[place] * KINDS),
    };
  };
}

/** A spare cell that the joined words leave out. */
const NOWHERE = -1;
