import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import {
  type CellGeometry,
  cellAt,
  dataIndexOfCell,
  type FaultMap,
  uniformFaultMap,
} from '../../../fault/index.js';
import {
  bitCost,
  chooseInversion,
  chooseReadableInversion,
  chooseReadableRotation,
  chooseRotation,
  type InversionGroup,
  type MemoryPart,
  memoryNeeds,
  memorySideOf,
  parseMitigation,
  type RotationRule,
} from '../../../mitigation/index.js';
import {
  applyFaultMap,
  defineWeightMemory,
  memoryGeometry,
  storedWords,
} from '../../../sim/index.js';
import { faultsWhere, type PlacedCase, placedCases, plain } from './placed-networks.js';
import { bitOf, type CellFault, faultsOf, struckWords, weightSizes } from './support.js';

/** Of a number written in cells, what is read. */
function readNumber(written: number, cells: ReadonlyMap<number, CellFault>): number {
  let read = written;
  for (const [bit, fault] of cells) {
    if (fault === 'flip') read ^= 1 << bit;
    else if (fault === 'stuck-at-1') read |= 1 << bit;
    else read &= ~(1 << bit);
  }
  return read;
}

function readCell(bit: number, fault: CellFault | undefined): number {
  if (fault === undefined) return bit;
  return fault === 'flip' ? 1 - bit : Number(fault === 'stuck-at-1');
}

const kinds = fc.constantFrom<CellFault>('stuck-at-0', 'stuck-at-1', 'flip');

const numberCells = (bits: number) =>
  fc
    .uniqueArray(fc.tuple(fc.nat(bits - 1), kinds), { selector: ([bit]) => bit, maxLength: bits })
    .map((cells) => new Map(cells));

describe('a rotation number with failing cells', () => {
  property.prop(
    [struckWords, weightSizes, fc.constantFrom<RotationRule>('data', 'position'), numberCells(3)],
    { numRuns: 300 },
  )(
    'is the smallest of least cost among those that can be read, bit by bit',
    (word, weightBits, by, number) => {
      const { wordBits, data, cells, faults } = word;
      const faultAt = new Map(cells);
      const readOf = (rotation: number) => readNumber(rotation, number);
      const costOf = (rotation: number) => {
        let cost = 0;
        for (let bit = 0; bit < wordBits; bit++) {
          const fault = faultAt.get((bit + rotation) % wordBits);
          const isWrong =
            by === 'position'
              ? fault !== undefined
              : readCell(bitOf(data, bit), fault) !== bitOf(data, bit);
          if (isWrong) cost += bitCost(bit % weightBits, weightBits);
        }
        return cost;
      };
      const readable = Array.from({ length: weightBits }, (_, written) => readOf(written));
      const least = Math.min(...readable.map(costOf));
      const best = Math.min(...readable.filter((rotation) => costOf(rotation) === least));
      const chosen = chooseReadableRotation(data, faults, weightBits, by, readOf);
      expect(chosen).toBe(best);
      expect(readOf(readOf(chosen))).toBe(chosen);
    },
  );

  property.prop([struckWords, weightSizes, fc.constantFrom<RotationRule>('data', 'position')])(
    'that is read as written is the one of sound cells',
    ({ data, faults }, weightBits, by) => {
      expect(chooseReadableRotation(data, faults, weightBits, by, (rotation) => rotation)).toBe(
        chooseRotation(data, faults, weightBits, by),
      );
    },
  );
});

describe('inversion flags with failing cells', () => {
  const groups = fc.constantFrom<InversionGroup>('weight', 'word');
  const flagCells = fc.array(fc.tuple(fc.nat(63), kinds), { maxLength: 12 });

  property.prop([struckWords, weightSizes, groups, flagCells], { numRuns: 300 })(
    'are of least cost as they are read, bit by bit',
    ({ wordBits, data, cells }, weightBits, group, flagFaults) => {
      const faultAt = new Map(cells);
      const groupBits = group === 'word' ? wordBits : weightBits;
      const flagCount = wordBits / groupBits;
      const flagAt = new Map(flagFaults.map(([bit, fault]) => [bit % flagCount, fault]));
      const width = wordBits + 32 * Math.ceil(flagCount / 32);
      const withFlags = faultsOf(
        [...cells, ...[...flagAt].map(([bit, fault]) => [wordBits + bit, fault] as const)],
        width,
      );
      const flags = new Uint32Array(Math.ceil(flagCount / 32));
      chooseReadableInversion(data, withFlags, weightBits, group, wordBits, flags);
      for (let index = 0; index < flagCount; index++) {
        const costOf = (inverted: number) => {
          let cost = 0;
          for (let bit = index * groupBits; bit < (index + 1) * groupBits; bit++) {
            const delivered = readCell(bitOf(data, bit) ^ inverted, faultAt.get(bit)) ^ inverted;
            if (delivered !== bitOf(data, bit)) cost += bitCost(bit % weightBits, weightBits);
          }
          return cost;
        };
        const readable = [0, 1].map((flag) => readCell(flag, flagAt.get(index)));
        const least = Math.min(...readable.map(costOf));
        const best = Math.min(...readable.filter((inverted) => costOf(inverted) === least));
        expect(bitOf(flags, index)).toBe(best);
      }
    },
  );

  property.prop([struckWords, weightSizes, groups])(
    'that are read as written are those of sound cells',
    ({ wordBits, data, cells }, weightBits, group) => {
      const [flags, expected] = [0, 0].map(
        () => new Uint32Array(Math.ceil(wordBits / weightBits / 32)),
      );
      const faults = faultsOf(cells, wordBits + 128);
      chooseReadableInversion(data, faults, weightBits, group, wordBits, flags);
      chooseInversion(data, faults, weightBits, group, expected);
      expect(flags).toEqual(expected);
    },
  );
});

/** Every part that adds cells, also beside others. */
const PARTS: readonly (readonly MemoryPart[])[] = [
  'secded',
  'bch-dec',
  'parity:group=weight',
  'tmr',
  'rotate',
  'rotate:by=data',
  'invert',
  'invert:group=word',
  'word-masking:spareWords=2',
  'word-masking:unit=row:spareWords=3',
  'word-masking:unit=bank',
  'spares:rows=1:columns=1',
  'tmr+secded+rotate:by=data',
  'secded+invert',
  'spares:rows=1:columns=0+word-masking:spareWords=1+secded+rotate',
].map((words) => parseMitigation(words).parts as MemoryPart[]);

const withReliable = (parts: readonly MemoryPart[]) =>
  parts.map((part) => ({ ...part, metadata: 'reliable' }) as MemoryPart);

/** A tiny network in a memory with all check bits and spare lines that the parts need, and more. */
const cases = (parts: readonly MemoryPart[]): fc.Arbitrary<PlacedCase> =>
  placedCases('int8', { checkBits: 56, spareRows: 4, spareColumns: 1 }, [64]).filter(
    ({ placed }) => memoryNeeds(parts, placed).checkBits <= 56,
  );

const isData = ({ geometry }: FaultMap, cell: number) =>
  dataIndexOfCell(geometry, cell) !== undefined;

describe.each(PARTS.map((parts) => [parts.map(({ use }) => use).join('+'), parts] as const))(
  '%s',
  (_, parts) => {
    property.prop([cases(parts)], { numRuns: 40 })(
      'with reliable cells reads as if no check or spare cell were faulty',
      ({ placed, map }) => {
        const dataAlone = faultsWhere(map, (cell) => isData(map, cell));
        const side = memorySideOf(withReliable(parts), placed);
        const patches = plain(side.patchesOf(map));
        expect(patches).toEqual(plain(memorySideOf(parts, placed).patchesOf(dataAlone)));
        expect(patches).toEqual(plain(side.patchesOf(dataAlone)));
      },
    );
  },
);

describe('valid bits', () => {
  property.prop([
    placedCases('int8', { checkBits: 1 }, [64]),
    fc.constantFrom('word' as const, 'row' as const, 'bank' as const),
  ])(
    'are in the first word of a unit, and what they are read as masks it',
    ({ placed, map }, unit) => {
      const { memory } = placed.placement;
      const unitWords = { word: 1, row: memory.columnMux, bank: memory.rows * memory.columnMux }[
        unit
      ];
      const faulty = new Set<number>();
      const validRead = new Map<number, (written: number) => number>();
      const kindOf = ['stuck-at-0', 'stuck-at-1', 'flip'] as const;
      for (const [at, cell] of map.cells.entries()) {
        const { bank, row, column } = cellAt(map.geometry, cell);
        const bit = Math.floor(column / memory.columnMux);
        const address = (bank * memory.rows + row) * memory.columnMux + (column % memory.columnMux);
        const its = Math.floor(address / unitWords);
        if (bit < 64) faulty.add(its);
        else if (address % unitWords === 0) {
          validRead.set(its, (written) => readCell(written, kindOf[map.kinds[at]]));
        }
      }
      const words = storedWords(placed.network);
      const raw = new Map(rawReads(placed, map));
      const expected = [...words.keys()].flatMap((weight) => {
        const address = Math.floor(placed.placement.slotOf(weight) / 8);
        const its = Math.floor(address / unitWords);
        const written = faulty.has(its) ? 0 : 1;
        const isMasked = (validRead.get(its)?.(written) ?? written) === 0;
        const layer = placed.network.layers.find((one) => 'zeroPoints' in one);
        const zero = (layer && 'zeroPoints' in layer ? layer.zeroPoints[0] : 0) & 0xff;
        const read = isMasked ? zero : (raw.get(weight) ?? words[weight]);
        return read === words[weight] ? [] : [[weight, read]];
      });
      const patches = memorySideOf([{ use: 'word-masking', unit }], placed).patchesOf(map);
      expect(plain(patches)).toEqual({
        weights: expected.map(([weight]) => weight),
        words: expected.map(([, word]) => word),
      });
    },
  );
});

function rawReads({ placement, network }: PlacedCase['placed'], map: FaultMap): [number, number][] {
  const patches = applyFaultMap(map, placement, storedWords(network));
  return Array.from(patches.weights, (weight, at) => [weight, patches.words[at]]);
}

property.prop([fc.nat(60), fc.nat(60), fc.nat(6), fc.nat(1000)])(
  'the data faults of a map are the same whatever check bits and spare lines there are',
  (one, other, spareRows, seed) => {
    const dataOf = (checkBits: number, rows: number) => {
      const memory = defineWeightMemory({
        ...{ banks: 2, rows: 16, wordBits: 64, columnMux: 4 },
        ...{ checkBits, spareRows: rows },
      });
      const geometry: CellGeometry = memoryGeometry(memory);
      const map = uniformFaultMap({ geometry, rate: 0.02, faults: 'flip', seed, trial: 3 });
      const found: [number, number][] = [];
      for (const [at, cell] of map.cells.entries()) {
        const index = dataIndexOfCell(geometry, cell);
        if (index !== undefined) found.push([index, map.kinds[at]]);
      }
      return found;
    };
    expect(dataOf(one, spareRows)).toEqual(dataOf(other, 0));
  },
);

test('a parameter of the parts that have such cells, and of no others', () => {
  expect(parseMitigation('secded:metadata=failing').name).toBe('secded');
  const { name, parts } = parseMitigation({ use: 'rotate', by: 'data', metadata: 'reliable' });
  expect(name).toBe('rotate:by=data:metadata=reliable');
  expect(parts).toEqual([{ use: 'rotate', by: 'data', metadata: 'reliable' }]);
  expect(() => parseMitigation('harden:metadata=reliable')).toThrow('harden has no parameter');
});
