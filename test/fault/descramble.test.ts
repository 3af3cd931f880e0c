import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { InputError } from '../../core/index.js';
import { decodeFaultMap, descramble, type FaultMap, invertPermutation } from '../../fault/index.js';
import { faultMaps } from '../../testing/index.js';

/** 2 banks of 4 rows of two words of 8 data bits and 1 check bit, a spare row and a spare column. */
const geometry = {
  banks: 2,
  rows: 5,
  columns: 19,
  spareRows: 1,
  checkColumns: 2,
  spareColumns: 1,
};
const MUX = 2;

function shuffles(length: number): fc.Arbitrary<number[]> {
  const bits = Array.from({ length }, (_, bit) => bit);
  return fc.shuffledSubarray(bits, { minLength: length });
}

const permutations = fc.record({ addressBits: shuffles(4), dataBits: shuffles(8) });

describe('descrambling', () => {
  test.prop([faultMaps(fc.constant(geometry)), permutations])(
    'is undone by the inverse permutation, and keeps every fault',
    (map, permutation) => {
      const physical = descramble(map, permutation, MUX);
      expect(physical.cells.length).toBe(map.cells.length);
      expect(physical.kinds.toSorted()).toEqual(map.kinds.toSorted());
      expect(descramble(physical, invertPermutation(permutation), MUX)).toEqual(map);
    },
  );

  test.prop([fc.nat(15), fc.nat(7), permutations])(
    'puts bit p[i] of a logical address or word at bit i of the physical one',
    (address, bit, permutation) => {
      const { addressBits, dataBits } = permutation;
      const log = (a: number, b: number) => `${a},0x${(1 << b).toString(16)}`;
      const read = (text: string, options = {}) =>
        decodeFaultMap([{ file: 'f', bytes: new TextEncoder().encode(text) }], {
          format: 'mbist',
          geometry,
          columnMux: MUX,
          ...options,
        }).map.cells;
      const physicalAddress = addressBits.reduce((sum, from, to) => {
        return sum + (((address >> from) & 1) << to);
      }, 0);
      const descrambled = read(log(address, bit), { permutation });
      expect(descrambled).toEqual(read(log(physicalAddress, dataBits.indexOf(bit))));
    },
  );

  test('of lists that fit no memory', () => {
    const map: FaultMap = {
      geometry,
      cells: Float64Array.of(0),
      kinds: Uint8Array.of(0),
      provenance: { source: 'file', file: 'f' },
    };
    expect(() => descramble(map, { addressBits: [0, 2] }, MUX)).toThrow(
      new InputError(
        'The permutation of address bits is 0,2, but must hold each number from 0 to 1 once.',
      ),
    );
    expect(() => descramble(map, { dataBits: [1, 0] }, MUX)).toThrow(
      new InputError('The permutation has 2 data bits, but the words of this memory have 8.'),
    );
    expect(() => descramble(map, { addressBits: [4, 3, 2, 1, 0] }, MUX)).toThrow(
      new InputError(
        'The permutation has 5 address bits, but 16 addresses are no multiple of 2^5.',
      ),
    );
  });
});
