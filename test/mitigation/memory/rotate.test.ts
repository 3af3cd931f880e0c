import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import {
  bitCost,
  chooseRotation,
  type RotationRule,
  rotateLeft,
  rotateRight,
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
  const rows = caseRows('rotate.csv');
  test('are there', () => expect(rows.length).toBe(80));

  test.each(rows)('$by $wordBits $weightBits $data $faults', (row) => {
    const wordBits = Number(row.wordBits);
    const data = lanesOf(row.data, wordBits);
    const faults = parseFaults(row.faults, wordBits);
    const weightBits = Number(row.weightBits) as WeightBits;
    const rotation = chooseRotation(data, faults, weightBits, row.by as RotationRule);
    expect(rotation).toBe(Number(row.rotation));
    const stored = new Uint32Array(data.length);
    rotateLeft(data, stored, data.length, rotation);
    expect(hexadecimalOf(stored)).toBe(row.stored);
    const delivered = read(stored, faults);
    expect(hexadecimalOf(delivered)).toBe(row.read);
    rotateRight(delivered, delivered, data.length, rotation);
    expect(hexadecimalOf(delivered)).toBe(row.delivered);
  });
});

const rotations = fc.nat(31);

property.prop([struckWords, rotations])(
  'rotated left, data bit i lies in cell i + r; rotated right it is back',
  ({ wordBits, data }, r) => {
    const stored = new Uint32Array(data.length);
    rotateLeft(data, stored, data.length, r);
    for (let bit = 0; bit < wordBits; bit += 1) {
      expect(bitOf(stored, (bit + r) % wordBits)).toBe(bitOf(data, bit));
    }
    const back = new Uint32Array(data.length);
    rotateRight(stored, back, data.length, r);
    expect(back).toEqual(data);
    const inPlace = data.slice();
    rotateLeft(inPlace, inPlace, data.length, r);
    expect(inPlace).toEqual(stored);
    rotateRight(inPlace, inPlace, data.length, r);
    expect(inPlace).toEqual(data);
  },
);

property.prop([struckWords, weightSizes, fc.constantFrom<RotationRule>('data', 'position')], {
  numRuns: 300,
})(
  'the chosen rotation is the first of least cost, bit by bit',
  ({ wordBits, data, cells, faults }, weightBits, by) => {
    const costs = Array.from({ length: weightBits }, (_, r) => {
      let cost = 0;
      for (const [cell, fault] of cells) {
        const bit = (cell - r + wordBits) % wordBits;
        const held = fault === 'flip' || bitOf(data, bit) !== (fault === 'stuck-at-1' ? 1 : 0);
        if (by === 'position' || held) cost += bitCost(bit % weightBits, weightBits);
      }
      return cost;
    });
    const least = Math.min(...costs);
    expect(chooseRotation(data, faults, weightBits, by)).toBe(costs.indexOf(least));
  },
);

test('a word longer than 1,024 bits is refused', () => {
  const lanes = () => new Uint32Array(33);
  const faults = { and: lanes(), or: lanes(), xor: lanes() };
  expect(() => chooseRotation(lanes(), faults, 8, 'data')).toThrow('1056 bits');
});
