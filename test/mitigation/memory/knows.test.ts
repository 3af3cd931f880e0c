import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import {
  dataIndexOfCell,
  FAULT_KINDS,
  type FaultMap,
  knownFaults,
  uniformFaultMap,
} from '../../../fault/index.js';
import {
  chooseInversion,
  closestInt8,
  type Knowledge,
  type KnownMaps,
  type MemoryPart,
  memorySideOf,
  type PlacedWeights,
  parseMitigation,
} from '../../../mitigation/index.js';
import {
  applyFaultMap,
  defineWeightMemory,
  forEachStruckWord,
  loadAccelerator,
  memoryGeometry,
  type Placement,
  placeNetwork,
  storedWords,
  type WeightMemory,
  type WordFaults,
} from '../../../sim/index.js';
import { smallNetwork } from '../../campaign/small-network.js';
import { faultMapsOf } from '../../sim/reference.js';
import { faultsWhere, placedCases, plain } from './placed-networks.js';
import { read } from './support.js';

/** Room for the cells of every part. */
const EXTRAS = { checkBits: 20, spareRows: 3, spareColumns: 2 };

const KNOWING = [
  'rotate',
  'rotate:by=data',
  'invert',
  'invert:group=word',
  'closest-value',
  'word-masking:spareWords=2',
  'word-masking:unit=row:spareWords=3',
  'spares:rows=2:columns=2',
  'reorder',
] as const;

const BESIDE = [
  'secded+rotate',
  'secded+invert',
  'tmr+rotate+range-check',
  'spares:rows=1:columns=1+word-masking:spareWords=2',
  'spares:rows=1:columns=2+secded+rotate+reorder',
  'word-masking:unit=row+harden+invert+reorder',
] as const;

function partsOf(words: string): readonly MemoryPart[] {
  return parseMitigation(words).parts as MemoryPart[];
}

/** A test that knows these cells, whatever parts say of themselves. */
function knowing(known: FaultMap): KnownMaps {
  return () => known;
}

/** All that is read with what a test knows. */
function found(words: string, placed: PlacedWeights, map: FaultMap, knownTo?: KnownMaps) {
  const repairs = { banks: 0, repaired: 0, notProvedOptimal: 0, uncoveredCells: 0 };
  const verdicts = { noError: 0, corrected: 0, detected: 0, miscorrected: 0, undetected: 0 };
  const side = memorySideOf(partsOf(words), placed);
  const { effectiveFaults, ...patches } = side.patchesOf(
    map,
    undefined,
    verdicts,
    repairs,
    knownTo,
  );
  return { ...plain(patches), effectiveFaults, repairs, verdicts };
}

const cases = placedCases('int8', EXTRAS, [64]);

describe.each([...KNOWING, ...BESIDE])('%s', (words) => {
  property.prop([cases], { numRuns: 20 })(
    'that knows a share of 1 knows all',
    ({ placed, map }) => {
      const known = knownFaults(map, 1, 3, 0);
      expect(known).not.toBe(map);
      expect(found(words, placed, map, knowing(known))).toEqual(found(words, placed, map));
    },
  );
});

describe.each(KNOWING)('%s', (words) => {
  property.prop([cases], { numRuns: 20 })(
    'that knows nothing is not there, but for its own cells',
    ({ placed, map }) => {
      const use = words.includes('closest') || words === 'reorder' ? words : reliable(words);
      const nothing = knowing(knownFaults(map, 0, 3, 0));
      expect(plain(memorySideOf(partsOf(use), placed).patchesOf(map, ...NONE, nothing))).toEqual(
        plain(applyFaultMap(map, placed.placement, storedWords(placed.network))),
      );
    },
  );
});

/** The others write other weights, or zeros, where a cell is thought to be faulty. */
const HARMLESS = KNOWING.filter((words) => !/^(closest|word)/.test(words));

describe.each(HARMLESS)('%s', (words) => {
  property.prop([cases], { numRuns: 20 })(
    'that takes sound cells for stuck ones does no harm',
    ({ placed, map }) => {
      const side = memorySideOf(partsOf(words), placed);
      const none = faultsWhere(map, () => false);
      // Where a number or flag is thought to flip, its inverse is written.
      const stuck = faultsWhere(map, (_, kind) => kind !== 'flip');
      expect(side.patchesOf(none, ...NONE, knowing(stuck)).weights).toHaveLength(0);
    },
  );
});

/** No buffers, verdicts or repairs. */
const NONE = [undefined, undefined, undefined] as const;

function reliable(words: string): string {
  return `${words}:metadata=reliable`;
}

/** A case with a map that a test believes in: some of the faulty cells, and others. */
function believedCases(extras: Partial<WeightMemory>) {
  return placedCases('int8', extras, [64]).chain(({ placed, map }) =>
    faultMapsOf(placed.placement.memory).map((known) => ({ placed, map, known })),
  );
}

property.prop([believedCases({})])(
  'closest-value writes the weight that is nearest with the cells that are known',
  ({ placed, map, known }) => {
    fc.pre(placed.placement.kind === 'resident');
    const words = storedWords(placed.network);
    const expected = byWord(placed, map, known, (data, knownFaults, faults) => {
      const bytes = new Uint8Array(data.buffer);
      const [faulty, delivered] = [
        data.map(
          (_, lane) => ~knownFaults.and[lane] | knownFaults.or[lane] | knownFaults.xor[lane],
        ),
        read(data, knownFaults),
      ].map((lanes) => new Uint8Array(lanes.buffer));
      const stored = bytes.map((weight, at) => {
        if (delivered[at] === weight) return weight;
        const closest = closestInt8(weight, faulty[at], delivered[at]);
        return (closest & ~faulty[at]) | (weight & faulty[at]);
      });
      return read(new Uint32Array(stored.buffer), faults);
    });
    const side = memorySideOf(partsOf('closest-value'), placed);
    expect(plain(side.patchesOf(map, ...NONE, knowing(known)))).toEqual(
      changes(words as Uint8Array, expected),
    );
  },
);

property.prop([believedCases({ checkBits: 8 })])(
  'invert chooses flags by the cells that are known, and reads them through those that are there',
  ({ placed, map, known }) => {
    fc.pre(placed.placement.kind === 'resident');
    const words = storedWords(placed.network);
    const side = memorySideOf(partsOf('invert:metadata=reliable'), placed);
    const expected = byWord(placed, map, known, (data, knownFaults, faults) => {
      const flags = new Uint32Array(1);
      chooseInversion(data, knownFaults, 8, 'weight', flags);
      const inverted = data.map((_, lane) =>
        [0, 1, 2, 3].reduce(
          (mask, byte) => mask | ((flags[0] >>> (4 * lane + byte)) & 1 ? 0xff << (8 * byte) : 0),
          0,
        ),
      );
      const stored = data.map((lane, at) => lane ^ inverted[at]);
      return read(stored, faults).map((lane, at) => lane ^ inverted[at]);
    });
    expect(plain(side.patchesOf(map, ...NONE, knowing(known)))).toEqual(
      changes(words as Uint8Array, expected),
    );
    // Without a known cell no flag is set; one that is read wrongly inverts its weight.
    const failing = memorySideOf(partsOf('invert'), placed);
    const nothing = knowing(faultsWhere(map, () => false));
    const byFlag = byWord(placed, map, known, (data, _, faults) =>
      read(data, faults).map((lane, at) =>
        [0, 1, 2, 3].reduce((word, byte) => {
          const flag = 4 * at + byte;
          const isRead = ((faults.or[2] ^ faults.xor[2]) >>> flag) & 1;
          return isRead ? word ^ (0xff << (8 * byte)) : word;
        }, lane),
      ),
    );
    expect(plain(failing.patchesOf(map, ...NONE, nothing))).toEqual(
      changes(words as Uint8Array, byFlag),
    );
  },
);

property.prop([believedCases({})])(
  'word-masking masks the words with a known faulty cell, and reads the others as they are',
  ({ placed, map, known }) => {
    fc.pre(placed.placement.kind === 'resident');
    const words = storedWords(placed.network);
    const zero = zeroOf(placed);
    const expected = byWord(placed, map, known, (data, knownFaults, faults) => {
      const isKnown = read(data, knownFaults).some((_, lane) => isStruck(knownFaults, lane));
      return isKnown
        ? new Uint32Array(new Uint8Array(4 * data.length).fill(zero).buffer)
        : read(data, faults);
    });
    const side = memorySideOf(partsOf('word-masking'), placed);
    expect(plain(side.patchesOf(map, ...NONE, knowing(known)))).toEqual(
      changes(words as Uint8Array, expected),
    );
  },
);

function isStruck({ and, or, xor }: WordFaults, lane: number): boolean {
  return (~and[lane] | or[lane] | xor[lane]) !== 0;
}

function zeroOf({ network: { layers } }: PlacedWeights): number {
  const layer = layers.find((one) => 'zeroPoints' in one);
  return (layer && 'zeroPoints' in layer ? layer.zeroPoints[0] : 0) & 0xff;
}

/** What is read of the bytes of a network in a resident memory, word by word. */
function byWord(
  placed: PlacedWeights,
  map: FaultMap,
  known: FaultMap,
  readWord: (data: Uint32Array, known: WordFaults, faults: WordFaults) => Uint32Array,
): Uint8Array {
  const { memory } = placed.placement;
  const words = storedWords(placed.network);
  const [of, ofKnown] = [map, known].map((one) => {
    const masks = new Map<number, WordFaults>();
    forEachStruckWord(one, memory, (address, { and, or, xor }) => {
      masks.set(address, { and: and.slice(), or: or.slice(), xor: xor.slice() });
    });
    return masks;
  });
  const sound = {
    and: new Uint32Array(3).fill(-1),
    or: new Uint32Array(3),
    xor: new Uint32Array(3),
  };
  const delivered = new Uint8Array(Math.ceil(words.length / 8) * 8);
  for (let address = 0; address * 8 < words.length; address++) {
    const bytes = new Uint8Array(8);
    bytes.set((words as Uint8Array).subarray(address * 8, address * 8 + 8));
    const word = readWord(
      new Uint32Array(bytes.buffer),
      ofKnown.get(address) ?? sound,
      of.get(address) ?? sound,
    );
    delivered.set(new Uint8Array(word.buffer, 0, 8), address * 8);
  }
  return delivered.subarray(0, words.length);
}

function changes(words: Uint8Array, delivered: Uint8Array) {
  const weights = [...words.keys()].filter((weight) => words[weight] !== delivered[weight]);
  return { weights, words: weights.map((weight) => delivered[weight]) };
}

const network = smallNetwork();

/** The small network in a memory with spare lines, of which a test knows none of the faults. */
function spareCase(cells: readonly (readonly [row: number, column: number])[]) {
  const weightMemory = defineWeightMemory({
    banks: 1,
    rows: 512,
    wordBits: 64,
    columnMux: 4,
    spareRows: 2,
    spareColumns: 2,
  });
  const placement: Placement = placeNetwork(
    network,
    { ...loadAccelerator('edge-16x16'), weightMemory },
    'resident',
  );
  const { columns } = memoryGeometry(placement.memory);
  const numbers = cells.map(([row, column]) => row * columns + column).sort((a, b) => a - b);
  const map: FaultMap = {
    geometry: placement.geometry,
    cells: Float64Array.from(numbers),
    kinds: new Uint8Array(numbers.length).fill(FAULT_KINDS.indexOf('flip')),
    provenance: { source: 'file', file: 'test' },
  };
  const unprotected = ([row, column]: readonly [number, number]) =>
    plain(
      applyFaultMap(
        { ...map, cells: Float64Array.of(row * columns + column), kinds: map.kinds.slice(0, 1) },
        placement,
        storedWords(network),
      ),
    );
  return { placed: { network, placement }, map, columns, unprotected };
}

describe('spare lines and words', () => {
  test.each([
    // The first spare row stands for row 3, the first spare column, 256, for column 9.
    ['a spare row', 'spares:rows=1:columns=0', [3, 5], [512, 17], [3, 17]],
    ['a spare column', 'spares:rows=0:columns=1', [3, 9], [7, 256], [7, 9]],
    // Spare word 0 stands for word 2 of row 3: columns 2, 6, 10 … of it.
    ['a spare word', 'word-masking:spareWords=1', [3, 6], [512, 16], [3, 18]],
  ] as const)(
    '%s with a fault that nobody knows brings it along',
    (_, words, faulty, spare, place) => {
      const { placed, map, columns, unprotected } = spareCase([faulty, spare]);
      const known = faultsWhere(map, (cell) => cell === faulty[0] * columns + faulty[1]);
      const side = memorySideOf(partsOf(words), placed);
      expect(plain(side.patchesOf(map, ...NONE, knowing(known)))).toEqual(unprotected(place));
      const repairs = { banks: 0, repaired: 0, notProvedOptimal: 0, uncoveredCells: 0 };
      side.patchesOf(map, undefined, undefined, repairs, knowing(known));
      if (side.hasSpareLines) {
        expect(repairs).toEqual({ ...repairs, banks: 1, repaired: 0, uncoveredCells: 1 });
      }
    },
  );

  test('of lines stand before those of words in the spare rows', () => {
    // The one spare row stands for one of the two rows, the first word of the next one for the word of the other.
    const words = 'spares:rows=1:columns=0+word-masking:spareWords=1';
    const { placed, map, columns, unprotected } = spareCase([
      [3, 6],
      [5, 6],
      [513, 16],
    ]);
    const known = faultsWhere(map, (cell) => cell < 512 * columns);
    const side = memorySideOf(partsOf(words), placed);
    const found = plain(side.patchesOf(map, ...NONE, knowing(known)));
    expect([unprotected([3, 18]), unprotected([5, 18])]).toContainEqual(found);
    // A test that knows of it uses no faulty spare word.
    const masked = plain(memorySideOf(partsOf(words), placed).patchesOf(map));
    expect(masked.weights.length).toBeGreaterThan(found.weights.length);
  });

  test('of spare words the first that are not known to be faulty are used', () => {
    const { placed, map, unprotected } = spareCase([
      [3, 6],
      [512, 16],
      [512, 17],
    ]);
    const words = 'word-masking:spareWords=2';
    // Both are known: the word is masked.
    const both = memorySideOf(partsOf(words), placed).patchesOf(map);
    expect(both.weights.length).toBeGreaterThan(0);
    const { columns } = placed.placement.geometry;
    const known = faultsWhere(map, (cell) => cell !== 512 * columns + 17);
    const side = memorySideOf(partsOf(words), placed);
    expect(plain(side.patchesOf(map, ...NONE, knowing(known)))).toEqual(unprotected([3, 18]));
  });
});

const shares = fc.double({ min: 0, max: 1, noNaN: true });

property.prop([fc.nat(1000), fc.nat(5), shares, shares, fc.nat(40), fc.nat(3)])(
  'a larger share knows what a smaller one does, and check and spare cells change nothing in it',
  (seed, trial, one, other, checkBits, spareRows) => {
    const [less, more] = [one, other].sort((a, b) => a - b);
    const dataOf = (share: number, extras: Partial<WeightMemory>) => {
      const memory = { banks: 2, rows: 16, wordBits: 64, columnMux: 4, ...extras };
      const geometry = memoryGeometry(defineWeightMemory(memory));
      const map = uniformFaultMap({ geometry, rate: 0.05, faults: 'flip', seed, trial });
      const known = knownFaults(map, share, seed, trial);
      expect(known).toEqual(faultsWhere(map, (cell) => new Set(known.cells).has(cell)));
      const indices = Array.from(known.cells, (cell) => dataIndexOfCell(geometry, cell));
      return new Set(indices.filter((index) => index !== undefined));
    };
    const few = dataOf(less, {});
    expect([...few].filter((index) => !dataOf(more, {}).has(index))).toEqual([]);
    expect(dataOf(less, { checkBits, spareRows })).toEqual(few);
  },
);

test('a share is a share', () => {
  const geometry = memoryGeometry(
    defineWeightMemory({ banks: 2, rows: 256, wordBits: 64, columnMux: 4 }),
  );
  const map = uniformFaultMap({ geometry, rate: 0.1, faults: 'flip', seed: 1, trial: 0 });
  const { cells } = knownFaults(map, 0.3, 1, 0);
  // Within five standard deviations of a binomial count.
  const deviation = Math.sqrt(map.cells.length * 0.3 * 0.7);
  expect(Math.abs(cells.length - 0.3 * map.cells.length)).toBeLessThan(5 * deviation);
  expect(() => knownFaults(map, 1.5, 1, 0)).toThrow('The probability that a fault is known is 1.5');
});

test.each([
  ['rotate:knows=voltage/0.6', { voltage: 0.6 }],
  ['rotate:knows=share/0.95', { share: 0.95 }],
] as const)('%s', (words, knows) => {
  const mitigation = parseMitigation(words);
  expect(mitigation).toEqual({ name: words, parts: [{ use: 'rotate', knows }] });
  expect(parseMitigation({ use: 'rotate', knows })).toEqual(mitigation);
});

test.each([
  [
    'rotate:knows=share',
    'rotate: knows = "share": expected {voltage: VOLTS} or {share: PROBABILITY}',
  ],
  ['rotate:knows=share/2', 'rotate: knows'],
  ['rotate:knows=rate/0.1', 'rotate: knows'],
  ['rotate:knows=voltage/0', 'rotate: knows'],
  ['secded:knows=share/1', 'secded has no parameter "knows"'],
])('%s is refused', (words, message) => {
  expect(() => parseMitigation(words)).toThrow(message);
});

test('each part knows what it says', () => {
  const asked: (Knowledge | undefined)[] = [];
  const { placed, map } = spareCase([[3, 5]]);
  memorySideOf(
    partsOf('spares:rows=1:columns=0:knows=share/0.5+rotate:knows=voltage/0.6+reorder'),
    placed,
  ).patchesOf(map, ...NONE, (knows) => {
    asked.push(knows);
    return map;
  });
  expect(asked).toEqual([{ share: 0.5 }, { voltage: 0.6 }, undefined]);
});
