import { fc, test as property } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import { type MaskingUnit, maskUnits } from '../../../mitigation/index.js';

const WORDS_PER_ROW = 4;

function mask(words: readonly number[], spareWords: number, unit: MaskingUnit) {
  const bank = { words, wordsPerRow: WORDS_PER_ROW, spareWords };
  const { masked, remapped } = maskUnits(bank, unit);
  return { masked: [...masked], remapped: [...remapped] };
}

test('faulty words are remapped by address, the others are masked', () => {
  expect(mask([9, 2, 9, 5], 0, 'word')).toEqual({ masked: [2, 5, 9], remapped: [] });
  expect(mask([9, 2, 9, 5], 2, 'word')).toEqual({ masked: [9], remapped: [2, 5] });
  expect(mask([9, 2, 9, 5], 7, 'word')).toEqual({ masked: [], remapped: [2, 5, 9] });
});

test('rows with fewest faulty words are remapped first', () => {
  expect(mask([1, 0, 9, 13], 2, 'row')).toEqual({ masked: [0], remapped: [9, 13] });
  expect(mask([1, 0, 9, 13], 1, 'row')).toEqual({ masked: [0, 3], remapped: [9] });
  expect(mask([1, 0, 9, 13], 3, 'row')).toEqual({ masked: [0], remapped: [9, 13] });
});

test('a bank is masked unless spare words stand for all its faulty ones', () => {
  expect(mask([3, 8, 3], 1, 'bank')).toEqual({ masked: [0], remapped: [] });
  expect(mask([3, 8, 3], 2, 'bank')).toEqual({ masked: [], remapped: [3, 8] });
  expect(mask([], 0, 'bank')).toEqual({ masked: [], remapped: [] });
});

const units = fc.constantFrom<MaskingUnit>('word', 'row', 'bank');
const unitOf = {
  word: (word: number) => word,
  row: (word: number) => Math.floor(word / WORDS_PER_ROW),
  bank: () => 0,
};

property.prop([fc.array(fc.nat(23), { maxLength: 12 }), fc.nat(8), units])(
  'every faulty word is either remapped or in a masked unit, and no choice of units saves more',
  (words, spareWords, unit) => {
    const { masked, remapped } = mask(words, spareWords, unit);
    const faulty = [...new Set(words)].sort((a, b) => a - b);
    const isMasked = (word: number) => masked.includes(unitOf[unit](word));
    expect(faulty.filter((word) => !isMasked(word))).toEqual(remapped);
    expect(masked.filter((one) => !faulty.some((word) => unitOf[unit](word) === one))).toEqual([]);
    expect(remapped.length).toBeLessThanOrEqual(spareWords);

    const all = [...new Set(faulty.map(unitOf[unit]))];
    const sizes = all.map((one) => faulty.filter((word) => unitOf[unit](word) === one).length);
    let most = 0;
    for (let saved = 0; saved < 2 ** all.length; saved += 1) {
      const chosen = sizes.filter((_, place) => ((saved >> place) & 1) === 1);
      const needed = chosen.reduce((sum, size) => sum + size, 0);
      if (needed <= spareWords) most = Math.max(most, chosen.length);
    }
    expect(all.length - masked.length).toBe(most);
  },
);
