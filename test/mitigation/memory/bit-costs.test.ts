import { fc, test as property } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import { bitCost, wrongBitsCost } from '../../../mitigation/index.js';
import { weightSizes } from './support.js';

test('the sign of a float32 weight costs more than its mantissa, less than its exponent but for its lowest bit', () => {
  const order = Array.from({ length: 32 }, (_, bit) => bit).sort(
    (a, b) => bitCost(a, 32) - bitCost(b, 32),
  );
  const mantissa = Array.from({ length: 24 }, (_, bit) => bit);
  expect(order).toEqual([...mantissa, 31, 24, 25, 26, 27, 28, 29, 30]);
  expect(order.map((bit) => bitCost(bit, 32))).toEqual(order.map((_, rank) => 2 ** rank));
});

property.prop([fc.integer({ min: 0, max: 0xffffffff }), weightSizes])(
  'wrong bits cost what each does',
  (wrong, weightBits) => {
    let cost = 0;
    for (let bit = 0; bit < 32; bit += 1) {
      if (((wrong >>> bit) & 1) === 1) cost += bitCost(bit % weightBits, weightBits);
    }
    expect(wrongBitsCost(wrong, weightBits)).toBe(cost);
    expect(wrongBitsCost(wrong | 0, weightBits)).toBe(cost);
  },
);
