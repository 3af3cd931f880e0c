import { fc, test } from '@fast-check/vitest';
import { describe, test as example, expect } from 'vitest';
import {
  CELL_CODES,
  type CellMemory,
  createCellMemory,
  createRandomStream,
  libraryFile,
  libraryProblem,
  SCRATCH_BYTES,
} from '../../core/index.js';

const BITS = 64;
const KINDS = BITS + 2 ** 18;
const LIST = KINDS + 2 ** 18;
const SCRATCH = LIST + 2 ** 19;
const BYTES = SCRATCH + SCRATCH_BYTES;

const codes = CELL_CODES.filter(
  (code) => code !== 'native' || libraryProblem(libraryFile()) === undefined,
);
const memories = codes.map((code) => createCellMemory(BYTES, code));

/** What a function makes of memories that hold the same. */
function results<Result>(run: (memory: CellMemory) => Result): Result[] {
  return memories.map((memory) => {
    new Uint8Array(memory.buffer, 0, SCRATCH).fill(0);
    return run(memory);
  });
}

function expectSame(all: readonly unknown[]): void {
  for (const [place, one] of all.entries()) expect(one, codes[place]).toEqual(all[0]);
}

const bytesAt = ({ buffer }: CellMemory, address: number, length: number) =>
  Buffer.from(buffer.slice(address, address + length)).toString('base64');

describe('functions on cells are those of the reference, whose code ever they are', () => {
  test.prop(
    [
      fc.maxSafeNat(),
      fc.integer({ min: 1, max: 2 ** 21 }),
      fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 4 }),
      fc.boolean(),
      fc.double({ min: 0, max: 1, noNaN: true }),
    ],
    { numRuns: 60 },
  )('draws and kinds', (seed, bound, counts, isListed, share) => {
    const order = createRandomStream(seed, 3, 2).address;
    const kinds = createRandomStream(seed, 3, 3).address;
    const limit = Math.ceil(share * 2 ** 53);
    expectSame(
      results((memory) => {
        let first = 5;
        const found = counts.map((count) => {
          const { key, trial, purpose } = order;
          const fresh = memory.functions.markDraws(
            ...[key[0], key[1], trial, purpose, first, count],
            ...[bound, BITS, isListed ? LIST : 0, SCRATCH],
          );
          first += count;
          const list = new Uint32Array(memory.buffer, LIST, isListed ? fresh : 0);
          memory.functions.markKinds(
            ...[kinds.key[0], kinds.key[1], kinds.trial, kinds.purpose, LIST, list.length],
            ...[bound, Math.floor(limit / 2 ** 32), limit % 2 ** 32, KINDS, SCRATCH],
          );
          return [fresh, ...list.toSorted()];
        });
        return [found, bytesAt(memory, BITS, 2 ** 18), bytesAt(memory, KINDS, 2 ** 18)];
      }),
    );
  });

  test.prop([fc.maxSafeNat(), fc.integer({ min: 1, max: 2 ** 20 })], { numRuns: 20 })(
    'marked are the numbers of the stream',
    (seed, bound) => {
      const stream = createRandomStream(seed, 1, 2);
      const { key, trial, purpose } = stream.address;
      const drawn = new Set(
        Array.from({ length: 100 }, (_, index) => stream.integerBelow(bound, index)),
      );
      const lists = results((memory) => {
        const fresh = memory.functions.markDraws(
          ...[key[0], key[1], trial, purpose, 0, 100, bound, BITS, LIST, SCRATCH],
        );
        return Array.from(new Uint32Array(memory.buffer, LIST, fresh).toSorted());
      });
      for (const list of lists) expect(list).toEqual([...drawn].sort((a, b) => a - b));
    },
  );

  example('so many draws that bins overflow, and the last index', () => {
    const counts = results((memory) => {
      const draw = (first: number, count: number) =>
        memory.functions.markDraws(1, 2, 3, 2, first, count, 64, BITS, 0, SCRATCH);
      return [draw(0, 20_000), draw(2 ** 32 - 7, 7), bytesAt(memory, BITS, 16)];
    });
    expect(counts[0].slice(0, 2)).toEqual([64, 0]);
    expectSame(counts);
  });

  const shapes = fc.oneof(
    fc.record({
      columnMux: fc.constantFrom(1, 2, 4, 8, 16, 32),
      wordBits: fc.constantFrom(8, 16, 32, 64, 72, 128),
    }),
    fc.record({
      columnMux: fc.constantFrom(1, 2, 4, 8),
      wordBits: fc.integer({ min: 1, max: 70 }),
    }),
  );

  test.prop(
    [
      fc.integer({ min: 0, max: 20 }),
      shapes,
      fc.nat(),
      fc.boolean(),
      fc.infiniteStream(fc.nat(255)),
    ],
    { numRuns: 150 },
  )('bits in the order of words', (rows, { columnMux, wordBits }, draw, isWhole, stream) => {
    const usedBits = isWhole ? wordBits : 1 + (draw % wordBits);
    const cells = rows * columnMux * wordBits;
    const source = Uint8Array.from(
      { length: Math.ceil(cells / 64) * 8 },
      () => stream.next().value,
    );
    expectSame(
      results((memory) => {
        new Uint8Array(memory.buffer, BITS).set(source);
        memory.functions.arrangeBits(BITS, KINDS, rows, columnMux, wordBits, usedBits);
        const words = source.length / 8;
        return [bytesAt(memory, KINDS, 2 ** 16), memory.functions.countBits(BITS, words)];
      }),
    );
  });
});
