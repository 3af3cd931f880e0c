import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { createRandomStream } from '../../core/index.js';
import { createFaultOrder } from '../../fault/generate/fault-order.js';

/** The beginning of the order, up to half, from its definition: cells drawn one by one, repetitions left out. */
function firstByDefinition(cells: number, seed: number, count: number): Set<number> {
  const stream = createRandomStream(seed, 0, 0);
  const order = new Set<number>();
  for (let draw = 0; order.size < count; draw += 1) order.add(stream.integerBelow(cells, draw));
  return order;
}

/** The whole order from its definition: after half, a shuffle of the other cells. */
function orderByDefinition(cells: number, seed: number): number[] {
  const stream = createRandomStream(seed, 0, 0);
  const half = Math.floor(cells / 2);
  const order = new Set<number>();
  let draw = 0;
  for (; order.size < half; draw += 1) order.add(stream.integerBelow(cells, draw));
  const others = Array.from({ length: cells }, (_, cell) => cell).filter(
    (cell) => !order.has(cell),
  );
  for (let place = 0; place < others.length; place += 1, draw += 1) {
    const other = place + stream.integerBelow(others.length - place, draw);
    [others[place], others[other]] = [others[other], others[place]];
    order.add(others[place]);
  }
  return [...order];
}

describe('the order in which cells fail', () => {
  test.prop([
    fc.integer({ min: 1, max: 3000 }),
    fc.maxSafeNat(),
    fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 5 }),
  ])(
    'is that of drawing cells one by one, in whatever steps it is walked',
    (cells, seed, shares) => {
      const defined = orderByDefinition(cells, seed);
      const order = createFaultOrder(cells, createRandomStream(seed, 0, 0));
      const counts = shares.map((share) => Math.floor(share * cells)).sort((a, b) => a - b);
      // A prefix beyond half ends the draws with replacement at half, as the definition does.
      for (const count of counts) {
        const expected = defined.slice(0, count).sort((a, b) => a - b);
        expect(Array.from(order.prefix(count))).toEqual(expected);
      }
    },
  );

  test.prop([fc.maxSafeNat()], { numRuns: 5 })(
    'is the same whether few of many cells are kept as a list or many as a bitmap',
    (seed) => {
      const cells = 2 ** 20;
      const counts = [3, 500, 4095, 4096, 4097, 5000, 5000, 150_000];
      const stepped = createFaultOrder(cells, createRandomStream(seed, 0, 0));
      const defined = [...firstByDefinition(cells, seed, 150_000)];
      for (const count of counts) {
        const expected = defined.slice(0, count).sort((a, b) => a - b);
        const direct = createFaultOrder(cells, createRandomStream(seed, 0, 0));
        expect(Array.from(stepped.prefix(count))).toEqual(expected);
        expect(Array.from(direct.prefix(count))).toEqual(expected);
      }
    },
  );

  test.prop([fc.maxSafeNat()], { numRuns: 5 })('holds for indices beyond 32 bits', (seed) => {
    const cells = 2 ** 40;
    const stream = createRandomStream(seed, 0, 0);
    const drawn = new Set<number>();
    for (let draw = 0; drawn.size < 500; draw += 1) drawn.add(stream.integerBelow(cells, draw));
    const found = createFaultOrder(cells, createRandomStream(seed, 0, 0)).prefix(500);
    expect(Array.from(found)).toEqual([...drawn].sort((a, b) => a - b));
  });
});
