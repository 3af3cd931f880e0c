import { fc, test as property } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { cellCount, FAULT_KINDS, type FaultMap } from '../../../fault/index.js';
import {
  featureMapSideOf,
  memoryNeeds,
  memoryPartsOf,
  parseMitigation,
  shortenedSecded,
} from '../../../mitigation/index.js';
import {
  defineWeightMemory,
  type FeatureMaps,
  placeFeatureMaps,
  type ReadThrough,
} from '../../../sim/index.js';
import { xorshift } from '../../../testing/index.js';
import {
  definedCellIndex,
  definedValueCells,
  mapOf,
  type PlacedMaps,
  placedFeatureMaps,
  randomMap,
  randomWords,
} from '../../sim/placed-feature-maps.js';
import { drawOf, seeds } from '../../sim/storage-networks.js';

const partsOf = (mitigation: string) => memoryPartsOf(parseMitigation(mitigation));

/** Feature maps in a memory that has what a mitigation needs beside the data. */
function protectedMaps({ network, featureMaps }: PlacedMaps, mitigation: string): PlacedMaps {
  const { memory, kind, tensors } = featureMaps;
  const parts = partsOf(mitigation);
  const needs = memoryNeeds(parts, { network, placement: tensors[0].placement });
  const own = defineWeightMemory({ ...memory, ...needs });
  return { network, featureMaps: placeFeatureMaps(network, own, kind) };
}

function readsOf(
  { network, featureMaps }: PlacedMaps,
  mitigation: string,
  map: FaultMap,
): Map<number, ReadThrough> {
  const { tensors } = featureMaps;
  return featureMapSideOf(partsOf(mitigation), { network, featureMaps, tensors }).readsOf(
    map,
    () => map,
  );
}

/** Words wide enough for a value: protected words hold whole values. */
const cases = fc.tuple(placedFeatureMaps([32, 64, 128]), seeds);

/** Random words of each tensor, without NaN, of which there is one alone. */
function stored({ network, featureMaps }: PlacedMaps, random: () => number) {
  return featureMaps.tensors.map(({ tensor, placement }) => ({
    tensor,
    inFile: network.tensors[tensor].quantization?.signed ? 0x80 : 0,
    words: randomWords(featureMaps.valueBits, placement.weights, random).map((word) =>
      featureMaps.valueBits === 32 && (word & 0x7f800000) === 0x7f800000 ? word & 0x3fffffff : word,
    ),
  }));
}

function expectUnchanged(placed: PlacedMaps, mitigation: string, map: FaultMap, seed: number) {
  const reads = readsOf(placed, mitigation, map);
  for (const { tensor, words } of stored(placed, xorshift(seed))) {
    const after = words.slice();
    reads.get(tensor)?.(after);
    expect(after).toEqual(words);
  }
}

/** At most one faulty cell of each memory word, data and check cells alike. */
function oneFaultAWord({ memory, geometry }: FeatureMaps, random: () => number): FaultMap {
  const draw = drawOf(random);
  const words = memory.banks * memory.rows * memory.columnMux;
  const bits = memory.wordBits + (memory.checkBits ?? 0);
  const cells = Array.from({ length: words }, (_, address) =>
    definedCellIndex(memory, geometry, BigInt(address), BigInt(draw(0, bits - 1))),
  );
  const share = random();
  return mapOf(
    geometry,
    cells.filter(() => random() < share),
    random,
  );
}

/** The bit that a faulty cell, or a sound one, gives of a stored one. */
function readBit(map: ReadonlyMap<number, number>, cell: number, bit: number): number {
  const kind = map.get(cell);
  return kind === undefined
    ? bit
    : { flip: bit ^ 1, 'stuck-at-0': 0, 'stuck-at-1': 1 }[FAULT_KINDS[kind]];
}

/** What SEC-DED delivers of a tensor, word by word and bit by bit. */
function deliveredBySecded(
  { network, featureMaps }: PlacedMaps,
  index: number,
  map: FaultMap,
  words: Uint8Array | Uint32Array,
  inFile: number,
): number[] {
  const { memory, valueBits, geometry } = featureMaps;
  const kinds = new Map([...map.cells].map((cell, fault) => [cell, map.kinds[fault]]));
  const slots = definedValueCells(featureMaps, network, index).map(({ slot }) => slot);
  const perWord = Math.floor(memory.wordBits / valueBits);
  const result = Array.from(words);
  // Values that are in one word at one time: those of a slot take turns.
  const turns = new Map<number, number>();
  const together = new Map<string, number[]>();
  for (const [value, slot] of slots.entries()) {
    const turn = turns.get(slot) ?? 0;
    turns.set(slot, turn + 1);
    const key = `${Math.floor(slot / perWord)} ${turn}`;
    together.set(key, [...(together.get(key) ?? []), value]);
  }
  for (const [key, values] of together) {
    const address = BigInt(key.split(' ')[0]);
    const bits = new Array<number>(memory.wordBits).fill(0);
    for (const value of values) {
      for (let bit = 0; bit < valueBits; bit += 1) {
        bits[(slots[value] % perWord) * valueBits + bit] = ((words[value] ^ inFile) >>> bit) & 1;
      }
    }
    const cellOf = (bit: number) => definedCellIndex(memory, geometry, address, BigInt(bit));
    const read = bits.map((bit, place) => readBit(kinds, cellOf(place), bit));
    let firstCheck = memory.wordBits;
    for (let first = 0; first < memory.wordBits; first += 64) {
      const length = Math.min(64, memory.wordBits - first);
      const { columns, checkBits } = shortenedSecded(length);
      const checksOf = (data: readonly number[]) =>
        data.reduce((sum, bit, place) => sum ^ (bit === 1 ? columns[place] : 0), 0);
      const written = checksOf(bits.slice(first, first + length));
      let syndrome = checksOf(read.slice(first, first + length));
      for (let check = 0; check < checkBits; check += 1) {
        syndrome ^= readBit(kinds, cellOf(firstCheck + check), (written >>> check) & 1) << check;
      }
      firstCheck += checkBits;
      const wrong = syndrome === 0 ? -1 : columns.indexOf(syndrome);
      // A check bit needs no correction; no single bit: it is detected, and stays.
      if (wrong >= 0 && wrong < length) read[first + wrong] ^= 1;
    }
    for (const value of values) {
      const at = (slots[value] % perWord) * valueBits;
      const word = read
        .slice(at, at + valueBits)
        .reduce((sum, bit, place) => sum + bit * 2 ** place, 0);
      result[value] = (word ^ inFile) >>> 0;
    }
  }
  return result;
}

describe('a protected feature-map memory', () => {
  property.prop([cases, fc.constantFrom('secded', 'tmr', 'harden', 'spares:rows=1:columns=1')])(
    'that is sound is read as it is',
    ([placed, seed], mitigation) => {
      const own = protectedMaps(placed, mitigation);
      const { geometry } = own.featureMaps;
      const map = mapOf(geometry, [], xorshift(seed));
      expect(readsOf(own, mitigation, map).size).toBe(0);
    },
  );

  property.prop([cases], { numRuns: 60 })(
    'with SEC-DED corrects a faulty cell of each word',
    ([placed, seed]) => {
      const own = protectedMaps(placed, 'secded');
      expectUnchanged(own, 'secded', oneFaultAWord(own.featureMaps, xorshift(seed)), seed);
    },
  );

  property.prop([cases], { numRuns: 60 })(
    'with SEC-DED delivers what the code makes of any faults',
    ([placed, seed]) => {
      const own = protectedMaps(placed, 'secded');
      const random = xorshift(seed);
      const map = randomMap(own.featureMaps.geometry, random);
      const reads = readsOf(own, 'secded', map);
      for (const [index, { tensor, words, inFile }] of stored(own, random).entries()) {
        const after = words.slice();
        reads.get(tensor)?.(after);
        expect(Array.from(after)).toEqual(deliveredBySecded(own, index, map, words, inFile));
      }
    },
  );

  property.prop([cases], { numRuns: 40 })(
    'with hardened bits is read as one whose other cells alone are faulty',
    ([placed, seed]) => {
      const { network, featureMaps } = placed;
      const random = xorshift(seed);
      const map = randomMap(featureMaps.geometry, random);
      const { valueBits } = featureMaps;
      const hardened = valueBits === 8 ? [6, 7] : [29, 30];
      const safe = new Set(
        featureMaps.tensors.flatMap((_, index) =>
          definedValueCells(featureMaps, network, index).flatMap(({ cells }) =>
            hardened.map((bit) => cells[bit]),
          ),
        ),
      );
      const others = [...map.cells.keys()].filter((fault) => !safe.has(map.cells[fault]));
      const left: FaultMap = {
        ...map,
        cells: Float64Array.from(others, (fault) => map.cells[fault]),
        kinds: Uint8Array.from(others, (fault) => map.kinds[fault]),
      };
      const [reads, plain] = [readsOf(placed, 'harden', map), readsOf(placed, 'none', left)];
      for (const { tensor, words } of stored(placed, random)) {
        const [after, expected] = [words.slice(), words.slice()];
        reads.get(tensor)?.(after);
        plain.get(tensor)?.(expected);
        expect(after).toEqual(expected);
      }
    },
  );

  property.prop([cases], { numRuns: 40 })(
    'with three cells for a bit outvotes one of them',
    ([placed, seed]) => {
      const own = protectedMaps(placed, 'tmr');
      const { memory, geometry, valueBits } = own.featureMaps;
      const random = xorshift(seed);
      const draw = drawOf(random);
      const perWord = Math.floor(memory.wordBits / valueBits);
      const bits = valueBits === 8 ? [6, 7] : [29, 30];
      const words = memory.banks * memory.rows * memory.columnMux;
      // The copies of a bit stand behind the data bits: of each value of the word two for each bit.
      const cells = Array.from({ length: words }, (_, address) => {
        const [value, which, copy] = [draw(0, perWord - 1), draw(0, 1), draw(0, 2)];
        const bit =
          copy === 2
            ? value * valueBits + bits[which]
            : memory.wordBits + value * 4 + which * 2 + copy;
        return definedCellIndex(memory, geometry, BigInt(address), BigInt(bit));
      });
      expectUnchanged(own, 'tmr', mapOf(geometry, cells, random), seed);
    },
  );

  property.prop([cases], { numRuns: 40 })(
    'with spare lines in each bank is read as it is where these replace all faulty cells',
    ([placed, seed]) => {
      const mitigation = 'spares:rows=1:columns=1';
      const own = protectedMaps(placed, mitigation);
      const { memory, geometry } = own.featureMaps;
      const random = xorshift(seed);
      const draw = drawOf(random);
      const { rows, columns } = geometry;
      // The spare lines are the last ones.
      const cells = Array.from({ length: geometry.banks }, (_, bank) => {
        const [row, column] = [draw(0, memory.rows - 1), draw(0, columns - 2)];
        const inRow = Array.from({ length: columns - 1 }, (_, place) => row * columns + place);
        const inColumn = Array.from(
          { length: memory.rows },
          (_, place) => place * columns + column,
        );
        return [...inRow, ...inColumn].map((cell) => bank * rows * columns + cell);
      }).flat();
      expect(Math.max(...cells)).toBeLessThan(cellCount(geometry));
      const faulty = cells.filter(() => random() < 0.5);
      expectUnchanged(own, mitigation, mapOf(geometry, faulty, random), seed);
    },
  );
});
