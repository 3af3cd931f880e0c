import type { FaultMap } from '../../fault/index.js';
import { forEachStruckWord, type WordFaults, wordCount } from '../../sim/index.js';
import { checkCellsOf, firstBitIn } from './check-cells.js';
import { hardenerOf } from './hardened-cells.js';
import { maskUnits } from './mask-units.js';
import { type MemoryPart, mechanismOf } from './mechanisms.js';
import { at, fillsOf, type Placed, placedStages } from './place.js';
import { spareWordCounter } from './spare-words.js';
import type { PlacedWeights, WordMasking } from './stages.js';
import { faultyBits, readBits } from './word-bits.js';

/** What becomes of a memory word where units are masked. */
export const WORD_FATES = { read: 0, masked: 1, remapped: 2 } as const;

/** What a fault map makes of the memory's words. */
export interface MaskedWords {
  /** Of each address one of `WORD_FATES`; valid until the next map. */
  readonly fates: Uint8Array;
  /** How many are masked. */
  readonly masked: number;
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
 * The words that are masked, of each fault map: a pass over its faulty words, bank by bank. Words without weights are
 * tested and masked as others are. A unit is masked where its valid bit, a 1 of which says "valid", is read as 0.
 *
 * @returns undefined where no part masks words
 */
export function maskedWordsOf(
  parts: readonly MemoryPart[],
  placed: PlacedWeights,
): ((map: FaultMap) => MaskedWords) | undefined {
  const [masking] = placedStages(parts, placed, (part) =>
    mechanismOf(part).masking?.(part, placed),
  );
  if (!masking) return undefined;
  const { memory } = placed.placement;
  const wordsPerBank = memory.rows * memory.columnMux;
  const fates = new Uint8Array(wordCount(memory));
  const testWord = wordTest(parts, placed, masking);
  const countSpareWords = spareWordCounter(parts, placed, masking.stage.spareWords);
  const { unit } = masking.stage;
  const unitWords = { word: 1, row: memory.columnMux, bank: wordsPerBank }[unit];
  const faultyWords = new Uint32Array(wordsPerBank);
  const foundIn = new Uint8Array(wordsPerBank / unitWords);

  return (map) => {
    let masked = 0;
    let bank = 0;
    let count = 0;
    const decide = () => {
      const words = faultyWords.subarray(0, count);
      const spareWords = count === 0 ? 0 : countSpareWords(map, bank);
      const bankOf = { words, wordsPerRow: memory.columnMux, spareWords };
      const { masked: unitsToMask, remapped } = maskUnits(bankOf, unit);
      const first = bank * wordsPerBank;
      for (const word of remapped) fates[first + word] = WORD_FATES.remapped;
      for (const number of unitsToMask) {
        // What cannot say "masked" could say "valid" where there is no other fault.
        if ((foundIn[number] & UNMASKABLE) === UNMASKABLE) continue;
        masked += unitWords;
        const start = first + number * unitWords;
        // Not `fill`, which takes longer for so few.
        for (let word = start; word < start + unitWords; word++) fates[word] = WORD_FATES.masked;
      }
      foundIn.fill(0);
      count = 0;
    };
    fates.fill(WORD_FATES.read);
    forEachStruckWord(map, memory, (address, faults) => {
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
    return { fates, masked };
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
  const bits = Math.min(valid?.firstBit ?? allBits, allBits);
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
