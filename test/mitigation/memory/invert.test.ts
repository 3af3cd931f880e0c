import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import {
  bitCost,
  chooseInversion,
  type InversionGroup,
  invertGroups,
  type WeightBits,
} from '../../../mitigation/index.js';
import {
  bitOf,
  caseRows,
  hexadecimalOf,
  lanesOf,
  parseFaults,
  read,
  struckWords,
  weightSizes,
} from './support.js';

describe('known answers', () => {
  const rows = caseRows('invert.csv');
  test('are there', () => expect(rows.length).toBe(72));

  test.each(rows)('$groupBits of $wordBits $weightBits $data $faults', (row) => {
    const wordBits = Number(row.wordBits);
    const weightBits = Number(row.weightBits) as WeightBits;
    const data = lanesOf(row.data, wordBits);
    const faults = parseFaults(row.faults, wordBits);
    const groups: InversionGroup[] = [];
    if (row.groupBits === row.weightBits) groups.push('weight');
    if (row.groupBits === row.wordBits) groups.push('word');
    expect(groups).not.toEqual([]);
    for (const group of groups) {
      const flags = new Uint32Array(1);
      chooseInversion(data, faults, weightBits, group, flags);
      expect(flags[0]).toBe(Number.parseInt(row.flags, 16));
      const stored = new Uint32Array(data.length);
      invertGroups(data, stored, data.length, weightBits, group, flags);
      expect(hexadecimalOf(stored)).toBe(row.stored);
      const delivered = read(stored, faults);
      expect(hexadecimalOf(delivered)).toBe(row.read);
      invertGroups(delivered, delivered, data.length, weightBits, group, flags);
      expect(hexadecimalOf(delivered)).toBe(row.delivered);
    }
  });
});

const groupKinds = fc.constantFrom<InversionGroup>('weight', 'word');
const flagLanes = (wordBits: number, weightBits: number) => Math.ceil(wordBits / weightBits / 32);

property.prop([struckWords, weightSizes, groupKinds])(
  'a group is inverted where that costs strictly less, bit by bit',
  ({ wordBits, data, cells, faults }, weightBits, group) => {
    const bits = group === 'word' ? wordBits : weightBits;
    const flags = new Uint32Array(flagLanes(wordBits, weightBits)).fill(0xffffffff);
    chooseInversion(data, faults, weightBits, group, flags);
    const costs = Array.from({ length: 32 * flags.length }, () => ({ plain: 0, inverted: 0 }));
    for (const [cell, fault] of cells) {
      const cost = bitCost(cell % weightBits, weightBits);
      const stuckAt = fault === 'flip' ? undefined : fault === 'stuck-at-1' ? 1 : 0;
      const of = costs[Math.floor(cell / bits)];
      if (stuckAt !== bitOf(data, cell)) of.plain += cost;
      if (stuckAt !== 1 - bitOf(data, cell)) of.inverted += cost;
    }
    expect(costs.map((_, flag) => bitOf(flags, flag) === 1)).toEqual(
      costs.map(({ plain, inverted }) => inverted < plain),
    );
  },
);

property.prop([
  struckWords,
  weightSizes,
  groupKinds,
  fc.uint32Array({ minLength: 2, maxLength: 2 }),
])(
  'the bits of a flagged group are inverted, and again are what they were',
  ({ wordBits, data }, weightBits, group, flags) => {
    const bits = group === 'word' ? wordBits : weightBits;
    const stored = new Uint32Array(data.length);
    invertGroups(data, stored, data.length, weightBits, group, flags);
    for (let bit = 0; bit < wordBits; bit += 1) {
      expect(bitOf(stored, bit) ^ bitOf(data, bit)).toBe(bitOf(flags, Math.floor(bit / bits)));
    }
    invertGroups(stored, stored, data.length, weightBits, group, flags);
    expect(stored).toEqual(data);
  },
);
