import type { FaultMap } from '../../fault/index.js';
import { forEachStruckWord, laneBitOf, type WordFaults, wordCount } from '../../sim/index.js';
import { checkCellsOf, firstBitIn } from './check-cells.js';
import { hardenerOf } from './hardened-cells.js';
import { maskUnits } from './mask-units.js';
import { type MemoryPart, mechanismOf } from './mechanisms.js';
import { createFaultMover, LEFT_OUT } from './moved-faults.js';
import { at, fillsOf, type Placed, placedStages } from './place.js';
import { type SpareWords, spareWordsOf } from './spare-words.js';
import type { PlacedWeights, WordMasking } from './stages.js';
import { faultyBits, readBits } from './word-bits.js';

/** What is read as zero of the memory's words. */
export interface MaskedWords {
  /** Of each address 1 where it is; valid until the next one is asked for. */
  readonly isMasked: Uint8Array;
  /** How many are. */
  readonly count: number;
}

/** Masks units of the memory, and puts spare words in the place of faulty ones. */
export interface WordMasker {
  /**
   * Choose them for the faulty cells that a test found.
   *
   * @returns what is masked as far as these are all the faulty cells
   */
  choose(known: FaultMap): MaskedWords;
  /**
   * The faults of a map where they then strike: not in the words that are replaced, but in their places those of the
   * spare words.
   *
   * @param number tells apart maps that are in use at once, below 5
   */
  replaced(map: FaultMap, number: number): FaultMap;
  /** What is masked with the faulty cells that are there, those of valid bits. */
  readThrough(real: FaultMap): MaskedWords;
}

/** What a test finds in a memory word, as bits: none is a word that is as it should be. */
const FINDINGS = {
  /** A faulty cell among what is to be read. */
  faulty: 1,
  /** A valid bit that is read as "masked" where "valid" was written. */
  cannotSayValid: 2,
  /** A valid bit that is read as "valid" where "masked" was written. */
  cannotSayMasked: 4,
} as const;

const UNMASKABLE = FINDINGS.faulty | FINDINGS.cannotSayMasked;

/**
 * The masking of words: a pass over the faulty words of a map, bank by bank. Words without weights are tested and masked
 * as others are. A unit is masked where its valid bit, a 1 of which says "valid", is read as 0.
 *
 * @returns undefined where no part masks words
 */
export function wordMaskerOf(
  parts: readonly MemoryPart[],
  placed: PlacedWeights,
): WordMasker | undefined {
  const [masking] = placedStages(parts, placed, (part) =>
    mechanismOf(part).masking?.(part, placed),
  );
  if (!masking) return undefined;
  const { memory } = placed.placement;
  const wordsPerBank = memory.rows * memory.columnMux;
  const [isMasked, isReadMasked, isToBeMasked] = Array.from(
    { length: 3 },
    () => new Uint8Array(wordCount(memory)),
  );
  const testWord = wordTest(parts, placed, masking);
  const spares = spareWordsOf(parts, placed, masking.stage.spareWords);
  const replacement = wordReplacement(parts, placed, spares);
  const { unit } = masking.stage;
  const unitWords = { word: 1, row: memory.columnMux, bank: wordsPerBank }[unit];
  const faultyWords = new Uint32Array(wordsPerBank);
  const foundIn = new Uint8Array(wordsPerBank / unitWords);

  return {
    replaced: replacement.replaced,
    choose(known) {
      let masked = 0;
      let bank = 0;
      let count = 0;
      const decide = () => {
        const words = faultyWords.subarray(0, count);
        const faultySpares = count === 0 ? NONE : spares.faultyOf(known, bank);
        const spareWords = masking.stage.spareWords - faultySpares.size;
        const bankOf = { words, wordsPerRow: memory.columnMux, spareWords };
        const { masked: unitsToMask, remapped } = maskUnits(bankOf, unit);
        replacement.replace(bank, remapped, faultySpares);
        for (const number of unitsToMask) {
          const start = bank * wordsPerBank + number * unitWords;
          if (foundIn[number] & FINDINGS.faulty) fillWords(isToBeMasked, start, unitWords);
          // What cannot say "masked" could say "valid" where there is no other fault.
          if ((foundIn[number] & UNMASKABLE) === UNMASKABLE) continue;
          masked += unitWords;
          fillWords(isMasked, start, unitWords);
        }
        foundIn.fill(0);
        count = 0;
      };
      isMasked.fill(0);
      isToBeMasked.fill(0);
      replacement.clear();
      forEachStruckWord(known, memory, (address, faults) => {
        const found = testWord(address, faults);
        if (found === 0) return;
        const its = Math.floor(address / wordsPerBank);
        if (its !== bank) decide();
        bank = its;
        const word = address - bank * wordsPerBank;
        foundIn[Math.floor(word / unitWords)] |= found;
        if (found & (FINDINGS.faulty | FINDINGS.cannotSayValid)) faultyWords[count++] = word;
      });
      decide();
      return { isMasked, count: masked };
    },
    readThrough(real) {
      isReadMasked.set(isToBeMasked);
      forEachStruckWord(real, memory, (address, faults) => {
        const found = testWord(address, faults);
        const start = address - (address % unitWords);
        if (isToBeMasked[start]) {
          if (found & FINDINGS.cannotSayMasked) isReadMasked.fill(0, start, start + unitWords);
        } else if (found & FINDINGS.cannotSayValid) {
          isReadMasked.fill(1, start, start + unitWords);
        }
      });
      return {
        isMasked: isReadMasked,
        count: isReadMasked.reduce((sum, masked) => sum + masked, 0),
      };
    },
  };
}

const NONE: ReadonlySet<number> = new Set();

/** Not `fill`, which takes longer for so few. */
function fillWords(flags: Uint8Array, start: number, words: number): void {
  for (let word = start; word < start + words; word++) flags[word] = 1;
}

/** Spare words in the place of others, and what of a map strikes these then. */
interface WordReplacement {
  clear(): void;
  /** The next spare words of a bank that are not faulty take the place of some of its words. */
  replace(bank: number, words: Iterable<number>, faulty: ReadonlySet<number>): void;
  replaced: WordMasker['replaced'];
}

function wordReplacement(
  parts: readonly MemoryPart[],
  placed: PlacedWeights,
  { firstRow, areReliable }: SpareWords,
): WordReplacement {
  const { memory, geometry } = placed.placement;
  const { columnMux, wordBits, checkBits = 0 } = memory;
  const storedColumns = (wordBits + checkBits) * columnMux;
  const validBit = checkCellsOf(parts, placed).get('masking')?.firstBit;
  const move = createFaultMover();
  const wordsOfRows = geometry.rows * columnMux;
  /** By the place among all words of the rows of the banks, spare ones included: the place that a spare word takes. */
  const placeOfSpare = new Map<number, number>();
  const replacedPlaces = new Set<number>();
  const cellOf = (cell: number) => {
    const line = Math.floor(cell / geometry.columns);
    const column = cell - line * geometry.columns;
    if (column >= storedColumns) return cell;
    const place = line * columnMux + (column & (columnMux - 1));
    if (replacedPlaces.has(place)) return LEFT_OUT;
    const target = placeOfSpare.get(place);
    if (target === undefined) return cell;
    const bit = Math.floor(column / columnMux);
    if (areReliable || bit === validBit) return LEFT_OUT;
    const targetLine = Math.floor(target / columnMux);
    return targetLine * geometry.columns + bit * columnMux + (target - targetLine * columnMux);
  };
  return {
    clear() {
      placeOfSpare.clear();
      replacedPlaces.clear();
    },
    replace(bank, words, faulty) {
      let spare = 0;
      for (const word of words) {
        while (faulty.has(spare)) spare++;
        const place = bank * wordsOfRows + word;
        replacedPlaces.add(place);
        const ofBank = firstRow * columnMux + spare;
        if (ofBank < wordsOfRows) placeOfSpare.set(bank * wordsOfRows + ofBank, place);
        spare++;
      }
    },
    replaced: (map, number) => (replacedPlaces.size > 0 ? move(map, cellOf, number) : map),
  };
}

/**
 * What a test finds in a word where words are masked: `FINDINGS` of its data, of the check bits that the parts use, and,
 * if it is the first word of a unit, of its valid bit. Hardened cells do not fail.
 */
function wordTest(
  parts: readonly MemoryPart[],
  placed: PlacedWeights,
  masking: Placed<WordMasking>,
): (address: number, struck: WordFaults) => number {
  const { memory } = placed.placement;
  const fillsAt = fillsOf(placed.placement);
  const valid = checkCellsOf(parts, placed).get('masking');
  const validBit = firstBitIn(memory, valid);
  const allBits = memory.wordBits + (memory.checkBits ?? 0);
  const bits = laneBitOf(memory, Math.min(valid?.firstBit ?? allBits, allBits));
  const { unit } = masking.stage;
  const wordsPerBank = memory.rows * memory.columnMux;
  const unitWords = { word: 1, row: memory.columnMux, bank: wordsPerBank }[unit];
  const harden = hardenerOf(parts, placed);
  return (address, struck) => {
    const fills = Math.max(1, fillsAt(address));
    let found = 0;
    for (let fill = 0; fill < fills; fill++) {
      const faults = harden(address, fill, struck);
      const isPlaced = at(masking, address, fill) !== undefined;
      const isFirst = address % unitWords === 0 && (unitWords > 1 || isPlaced);
      if (validBit !== undefined && isFirst) {
        if (readBits(faults, validBit, 1, 1) === 0) found |= FINDINGS.cannotSayValid;
        if (readBits(faults, validBit, 1, 0) === 1) found |= FINDINGS.cannotSayMasked;
      }
      if (isPlaced && faultyBits(faults, 0, bits)) found |= FINDINGS.faulty;
    }
    return found;
  };
}
