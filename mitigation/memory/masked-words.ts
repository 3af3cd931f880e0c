import type { FaultMap } from '../../fault/index.js';
import { forEachStruckWord, type WordFaults, wordCount } from '../../sim/index.js';
import { hardenerOf } from './hardened-cells.js';
import { maskUnits } from './mask-units.js';
import { type MemoryPart, mechanismOf } from './mechanisms.js';
import { memoryNeeds } from './memory-needs.js';
import { at, fillsOf, type Placed, placedStages } from './place.js';
import type { PlacedWeights, WordMasking } from './stages.js';
import { faultyBits } from './word-bits.js';

/** What becomes of a memory word where units are masked. */
export const WORD_FATES = { read: 0, masked: 1, remapped: 2 } as const;

/** What a fault map makes of the memory's words. */
export interface MaskedWords {
  /** Of each address one of `WORD_FATES`; valid until the next map. */
  readonly fates: Uint8Array;
  /** How many are masked. */
  readonly masked: number;
}

/**
 * The words that are masked, of each fault map: a pass over its faulty words, bank by bank. Words without weights are
 * tested and masked as others are.
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
  const isFaulty = faultyWordTest(parts, placed, masking);
  const { unit, spareWords } = masking.stage;
  const unitWords = { word: 1, row: memory.columnMux, bank: wordsPerBank }[unit];

  return (map) => {
    let masked = 0;
    let bank = 0;
    let words: number[] = [];
    const decide = () => {
      const bankOf = { words, wordsPerRow: memory.columnMux, spareWords };
      const units = maskUnits(bankOf, unit);
      const first = bank * wordsPerBank;
      for (const word of units.remapped) fates[first + word] = WORD_FATES.remapped;
      for (const address of units.masked) {
        const start = first + address * unitWords;
        fates.fill(WORD_FATES.masked, start, start + unitWords);
        masked += unitWords;
      }
      words = [];
    };
    fates.fill(WORD_FATES.read);
    forEachStruckWord(map, memory, (address, faults) => {
      if (!isFaulty(address, faults)) return;
      const its = Math.floor(address / wordsPerBank);
      if (its !== bank) decide();
      bank = its;
      words.push(address - bank * wordsPerBank);
    });
    decide();
    return { fates, masked };
  };
}

/**
 * Whether a word has a faulty cell where words are masked, among its data and the check bits that the parts use;
 * hardened cells do not fail.
 */
function faultyWordTest(
  parts: readonly MemoryPart[],
  placed: PlacedWeights,
  masking: Placed<WordMasking>,
): (address: number, struck: WordFaults) => boolean {
  const { memory } = placed.placement;
  const fillsAt = fillsOf(placed.placement);
  const { checkBits } = memoryNeeds(parts, placed);
  const bits = memory.wordBits + Math.min(checkBits, memory.checkBits ?? 0);
  const harden = hardenerOf(parts, placed);
  return (address, struck) => {
    const fills = Math.max(1, fillsAt(address));
    for (let fill = 0; fill < fills; fill++) {
      if (!at(masking, address, fill)) continue;
      if (faultyBits(harden(address, fill, struck), 0, bits)) return true;
    }
    return false;
  };
}
