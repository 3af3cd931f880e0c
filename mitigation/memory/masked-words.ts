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

  return (map) => {
    let masked = 0;
    let bank = 0;
    let words: number[] = [];
    const units = { faulty: new Set<number>(), cannotSayMasked: new Set<number>() };
    const decide = () => {
      const spareWords = words.length === 0 ? 0 : countSpareWords(map, bank);
      const bankOf = { words, wordsPerRow: memory.columnMux, spareWords };
      const { masked: unitsToMask, remapped } = maskUnits(bankOf, unit);
      const first = bank * wordsPerBank;
      for (const word of remapped) fates[first + word] = WORD_FATES.remapped;
      for (const address of unitsToMask) {
        // What cannot say "masked" could say "valid" where there is no other fault.
        if (units.faulty.has(address) && units.cannotSayMasked.has(address)) continue;
        const start = first + address * unitWords;
        fates.fill(WORD_FATES.masked, start, start + unitWords);
        masked += unitWords;
      }
      words = [];
      units.faulty.clear();
      units.cannotSayMasked.clear();
    };
    fates.fill(WORD_FATES.read);
    forEachStruckWord(map, memory, (address, faults) => {
      const found = testWord(address, faults);
      if (found === 0) return;
      const its = Math.floor(address / wordsPerBank);
      if (its !== bank) decide();
      bank = its;
      const word = address - bank * wordsPerBank;
      const itsUnit = Math.floor(word / unitWords);
      if (found & FINDINGS.faulty) units.faulty.add(itsUnit);
      if (found & FINDINGS.cannotSayMasked) units.cannotSayMasked.add(itsUnit);
      if (found & (FINDINGS.faulty | FINDINGS.cannotSayValid)) words.push(word);
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
