/** What is masked as a whole: a memory word, a row of them, a bank. */
export const MASKING_UNITS = ['word', 'row', 'bank'] as const;

export type MaskingUnit = (typeof MASKING_UNITS)[number];

/** The faulty words of one bank. */
export interface FaultyWords {
  /** Address within the bank, row · wordsPerRow + word of the row, of each faulty cell's word; in any order, also repeated. */
  readonly words: ArrayLike<number>;
  readonly wordsPerRow: number;
  /** Spare words of the bank without a faulty cell. */
  readonly spareWords: number;
}

/** What becomes of the units of a bank that hold a faulty cell; units by their address in rising order. */
export interface MaskedUnits {
  /** Read as zero: words, rows, or 0 for the whole bank. */
  readonly masked: Uint32Array;
  /** Faulty words that spare words stand for, and which are therefore right. */
  readonly remapped: Uint32Array;
}

/**
 * Word masking: a unit that holds a faulty cell is read as zero, unless spare words stand for all its faulty words.
 * That they go to the units with fewest faulty words first, then by address, is a choice made here: it saves most units.
 */
export function maskUnits(bank: FaultyWords, unit: MaskingUnit): MaskedUnits {
  const unitOf = UNIT_OF[unit];
  const faultyWords = Uint32Array.from(new Set(Array.from(bank.words))).sort();
  const inUnit = new Map<number, number[]>();
  for (const word of faultyWords) {
    const address = unitOf(word, bank.wordsPerRow);
    const beside = inUnit.get(address);
    if (beside === undefined) inUnit.set(address, [word]);
    else beside.push(word);
  }
  const masked: number[] = [];
  const remapped: number[] = [];
  for (const [address, words] of [...inUnit].sort(([, a], [, b]) => a.length - b.length)) {
    if (remapped.length + words.length <= bank.spareWords) remapped.push(...words);
    else masked.push(address);
  }
  return { masked: Uint32Array.from(masked).sort(), remapped: Uint32Array.from(remapped).sort() };
}

/** The address of the unit that a word lies in. */
const UNIT_OF: Readonly<Record<MaskingUnit, (word: number, wordsPerRow: number) => number>> = {
  word: (word) => word,
  row: (word, wordsPerRow) => Math.floor(word / wordsPerRow),
  bank: () => 0,
};
