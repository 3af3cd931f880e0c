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
  const words = distinctAscending(bank.words);
  const units = unitsOf(words, bank.wordsPerRow, unit);
  const isRemapped = new Uint8Array(units.count);
  let left = bank.spareWords;
  for (const index of left > 0 ? bySize(units) : []) {
    const size = units.first[index + 1] - units.first[index];
    if (size > left) break;
    left -= size;
    isRemapped[index] = 1;
  }
  const masked = units.address.filter((_, index) => isRemapped[index] === 0);
  const remapped = new Uint32Array(bank.spareWords - left);
  let count = 0;
  for (let index = 0; index < units.count && count < remapped.length; index += 1) {
    if (isRemapped[index] === 0) continue;
    const { first } = units;
    remapped.set(words.subarray(first[index], first[index + 1]), count);
    count += first[index + 1] - first[index];
  }
  return { masked, remapped };
}

function distinctAscending(given: ArrayLike<number>): Uint32Array {
  const words = Uint32Array.from(given).sort();
  let count = 0;
  for (let place = 0; place < words.length; place += 1) {
    if (place > 0 && words[place] === words[place - 1]) continue;
    words[count++] = words[place];
  }
  return words.subarray(0, count);
}

/** Units that hold a faulty word; those of unit i are the words from `first[i]` to before `first[i + 1]`. */
interface FaultyUnits {
  readonly count: number;
  readonly address: Uint32Array;
  readonly first: Uint32Array;
}

/** @param words ascending, so that those of a unit follow one another */
function unitsOf(words: Uint32Array, wordsPerRow: number, unit: MaskingUnit): FaultyUnits {
  const address = new Uint32Array(words.length);
  const first = new Uint32Array(words.length + 1);
  const unitOf = UNIT_OF[unit];
  let count = 0;
  for (let place = 0; place < words.length; place += 1) {
    const its = unitOf(words[place], wordsPerRow);
    if (count === 0 || its !== address[count - 1]) {
      address[count] = its;
      first[count++] = place;
    }
  }
  first[count] = words.length;
  return { count, address: address.subarray(0, count), first };
}

/** Units in the order in which spare words go to them. */
function bySize({ count, first }: FaultyUnits): Uint32Array {
  const size = (index: number) => first[index + 1] - first[index];
  return Uint32Array.from({ length: count }, (_, index) => index).sort(
    (a, b) => size(a) - size(b) || a - b,
  );
}

/** The address of the unit that a word lies in. */
const UNIT_OF: Readonly<Record<MaskingUnit, (word: number, wordsPerRow: number) => number>> = {
  word: (word) => word,
  row: (word, wordsPerRow) => Math.floor(word / wordsPerRow),
  bank: () => 0,
};
