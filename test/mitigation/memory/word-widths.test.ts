import { fc, test } from '@fast-check/vitest';
import { describe, expect, test as only } from 'vitest';
import { cellIndex, FAULT_KINDS, type FaultMap } from '../../../fault/index.js';
import {
  bchDecCode,
  bitCost,
  createPricing,
  type LinearCode,
  type MemoryPart,
  memoryNeeds,
  memorySideOf,
  type PlacedWeights,
  parityCode,
  rotateBitsLeft,
  rotateBitsRight,
  shortenedSecded,
} from '../../../mitigation/index.js';
import { dequantize } from '../../../models/index.js';
import {
  cellOfWordBit,
  defineWeightMemory,
  memoryGeometry,
  placeNetwork,
  storedWords,
  type WeightMemory,
  weightsOfCell,
  wordCount,
} from '../../../sim/index.js';
import { smallNetwork } from '../../campaign/small-network.js';
import { type PlacedCase, placedCases, plain } from './placed-networks.js';

const ARRAY = { rows: 4, columns: 4, dataflow: 'weight-stationary' } as const;

/** Words that hold whole weights and bits beside them, and words of which a weight takes several. */
const WIDTHS = {
  int8: [2, 4, 8, 9, 12, 16, 24, 40, 48, 70],
  float32: [4, 8, 16, 33, 40, 48, 72, 100],
} as const;

type Kind = (typeof FAULT_KINDS)[number];

const READ: Readonly<Record<Kind, (stored: number) => number>> = {
  'stuck-at-0': () => 0,
  'stuck-at-1': () => 1,
  flip: (stored) => 1 - stored,
};

/** Reads what a bit of a memory word stores. */
function cellReader({ geometry, cells, kinds }: FaultMap, memory: WeightMemory) {
  const faults = new Map([...cells].map((cell, fault) => [cell, FAULT_KINDS[kinds[fault]]]));
  return (address: number, bit: number, stored: number) => {
    // Check cells that the memory does not have are sound.
    if (bit >= memory.wordBits + (memory.checkBits ?? 0)) return stored;
    const kind = faults.get(cellIndex(geometry, cellOfWordBit(memory, { address, bit })));
    return kind === undefined ? stored : READ[kind](stored);
  };
}

/** The weights' zero, bit by bit. */
function zeroBitOf({ network }: PlacedWeights) {
  const zeros = network.layers.flatMap((layer) =>
    'zeroPoints' in layer && 'weights' in layer
      ? Array.from({ length: layer.weights.length }, () => layer.zeroPoints[0] & 0xff)
      : [],
  );
  return (weight: number, bit: number) => ((zeros[weight] ?? 0) >>> bit) & 1;
}

/** A code word decoded by trying every error that is corrected. */
function decodeByTrying(code: LinearCode, read: readonly number[], corrects: number) {
  const syndrome = read.reduce((sum, bit, at) => (bit ? sum ^ code.columns[at] : sum), 0);
  if (syndrome === 0) return { bits: read, isDetected: false };
  for (let a = 0; a < read.length; a++) {
    for (let b = a; b < read.length; b++) {
      if (b !== a && corrects < 2) break;
      const error = b === a ? code.columns[a] : code.columns[a] ^ code.columns[b];
      if (corrects === 0 || error !== syndrome) continue;
      const bits = read.map((bit, at) => (at === a || at === b ? 1 - bit : bit));
      return { bits, isDetected: false };
    }
  }
  return { bits: read, isDetected: true };
}

/** The weights that are read differently, from the bits of every memory word and its check bits. */
function patchesByBits(
  { placed, map }: PlacedCase,
  codeFor: (dataBits: number) => LinearCode,
  dataBits: number,
  corrects: number,
  onDetect: 'keep' | 'zero',
) {
  const { placement, network } = placed;
  const { memory } = placement;
  const words = storedWords(network);
  const readCell = cellReader(map, memory);
  const zeroBit = zeroBitOf(placed);
  const read = Uint32Array.from(words);
  for (let address = 0; address < wordCount(memory); address++) {
    const held = Array.from({ length: memory.wordBits }, (_, bit) =>
      weightsOfCell(placement, cellOfWordBit(memory, { address, bit })),
    );
    const fills = placement.kind === 'resident' ? 1 : Math.max(1, ...held.map((all) => all.length));
    for (let fill = 0; fill < fills; fill++) {
      const stored = held.map(({ [fill]: one }) => one && (words[one.weight] >>> one.bit) & 1);
      let firstCheck = memory.wordBits;
      for (let first = 0; first < memory.wordBits; first += dataBits) {
        const code = codeFor(Math.min(dataBits, memory.wordBits - first));
        const data = stored.slice(first, first + code.dataBits).map((bit) => bit ?? 0);
        const sum = data.reduce((total, bit, at) => (bit ? total ^ code.columns[at] : total), 0);
        const written = [
          ...data,
          ...Array.from({ length: code.checkBits }, (_, check) => (sum >>> check) & 1),
        ];
        const cells = written.map((bit, at) =>
          at < code.dataBits
            ? readCell(address, first + at, bit)
            : readCell(address, firstCheck + at - code.dataBits, bit),
        );
        const { bits, isDetected } = decodeByTrying(code, cells, corrects);
        for (let at = 0; at < code.dataBits; at++) {
          const one = held[first + at][fill];
          if (!one) continue;
          const isZero = isDetected && onDetect === 'zero';
          const bit = isZero ? zeroBit(one.weight, one.bit) : bits[at];
          read[one.weight] = ((read[one.weight] & ~(1 << one.bit)) | (bit << one.bit)) >>> 0;
        }
        firstCheck += code.checkBits;
      }
    }
  }
  const weights = [...read.keys()].filter((weight) => read[weight] !== words[weight]);
  return { weights, words: weights.map((weight) => read[weight]) };
}

/** Data bits to ask for: those, or none where a memory word has fewer. */
function fitting<Bits extends number>({ placed }: PlacedCase, dataBits: Bits): Bits | undefined {
  return dataBits <= placed.placement.memory.wordBits ? dataBits : undefined;
}

/** The case with few faults, so that codes correct some. */
function thinned({ placed, map }: PlacedCase, each: number): PlacedCase {
  const kept = [...map.cells.keys()].filter((fault) => fault % each === 0);
  return {
    placed,
    map: {
      ...map,
      cells: Float64Array.from(kept, (fault) => map.cells[fault]),
      kinds: Uint8Array.from(kept, (fault) => map.kinds[fault]),
    },
  };
}

describe.each(['int8', 'float32'] as const)(
  'codes of %s weights in words of any width',
  (format) => {
    const cases = fc
      .tuple(
        fc
          .constantFrom(0, 5, 16)
          .chain((checkBits) => placedCases(format, { checkBits }, WIDTHS[format])),
        fc.constantFrom(1, 4, 20),
      )
      .map(([one, each]) => thinned(one, each));

    test.prop([cases, fc.constantFrom(16 as const, 32 as const, 64 as const)], { numRuns: 30 })(
      'secded equals decoding bit by bit',
      (one, dataBits) => {
        const asked = fitting(one, dataBits);
        const side = memorySideOf([{ use: 'secded', dataBits: asked }], one.placed);
        expect(plain(side.patchesOf(one.map))).toEqual(
          patchesByBits(one, shortenedSecded, asked ?? 64, 1, 'keep'),
        );
      },
    );

    test.prop([cases, fc.constantFrom(8 as const, 32 as const, 128 as const)], { numRuns: 15 })(
      'bch-dec equals decoding bit by bit',
      (one, dataBits) => {
        const asked = fitting(one, dataBits);
        const part = { use: 'bch-dec', dataBits: asked, onDetect: 'zero' } as const;
        expect(plain(memorySideOf([part], one.placed).patchesOf(one.map))).toEqual(
          patchesByBits(one, bchDecCode, asked ?? 64, 2, 'zero'),
        );
      },
    );

    test.prop([cases], { numRuns: 20 })('parity equals decoding bit by bit', (one) => {
      const side = memorySideOf([{ use: 'parity' }], one.placed);
      expect(plain(side.patchesOf(one.map))).toEqual(
        patchesByBits(one, (bits) => parityCode(bits), 64, 0, 'zero'),
      );
    });
  },
);

describe('shortened codes', () => {
  test.prop([fc.integer({ min: 1, max: 64 }), fc.infiniteStream(fc.nat())])(
    'correct what the next larger ones do',
    (dataBits, draws) => {
      const draw = (below: number) => (draws.next().value ?? 0) % below;
      for (const [code, corrects] of [
        [shortenedSecded(dataBits), 1],
        [bchDecCode(dataBits), 2],
      ] as const) {
        const data = Array.from({ length: dataBits }, () => draw(2));
        const sum = data.reduce((total, bit, at) => (bit ? total ^ code.columns[at] : total), 0);
        const checks = Array.from({ length: code.checkBits }, (_, check) => (sum >>> check) & 1);
        const word = [...data, ...checks];
        const errors = new Set(Array.from({ length: corrects }, () => draw(word.length)));
        const struck = word.map((bit, at) => (errors.has(at) ? 1 - bit : bit));
        expect(decodeByTrying(code, struck, corrects).bits).toEqual(word);
        expect(new Set(code.columns).size).toBe(code.columns.length);
      }
    },
  );

  only.each([
    [8, 6],
    [12, 6],
    [16, 6],
    [24, 7],
    [48, 8],
  ])('%i data bits take %i check bits of SEC-DED', (dataBits, checkBits) => {
    const { name, columns } = shortenedSecded(dataBits);
    expect(name).toBe(`secded-${dataBits + checkBits}-${dataBits}`);
    const next = shortenedSecded(dataBits <= 16 ? 16 : dataBits <= 32 ? 32 : 64);
    expect(columns.slice(0, dataBits)).toEqual(next.columns.slice(0, dataBits));
  });
});

test.prop([fc.integer({ min: 8, max: 200 }), fc.nat(31), fc.infiniteStream(fc.nat())])(
  'rotations of words of any width are those of numbers',
  (bits, turns, draws) => {
    const r = Math.min(turns, bits);
    const lanes = Math.ceil(bits / 32);
    const word = Uint32Array.from({ length: lanes }, () => draws.next().value ?? 0);
    const numberOf = (from: Uint32Array) =>
      from.reduce((sum, lane, at) => sum + (BigInt(lane) << BigInt(32 * at)), 0n);
    const data = BigInt.asUintN(bits, numberOf(word));
    const rotated = new Uint32Array(lanes);
    rotateBitsLeft(word, rotated, bits, r);
    expect(numberOf(rotated)).toBe(
      BigInt.asUintN(bits, data << BigInt(r)) | (data >> BigInt(bits - r)),
    );
    rotateBitsRight(rotated, rotated, bits, r);
    expect(numberOf(rotated)).toBe(data);
  },
);

describe('rotation of words with unused bits', () => {
  test.prop([placedCases('int8', {}, [9, 12, 20, 44, 70])], { numRuns: 30 })(
    'is the one of least cost, and moves nothing into unused cells',
    ({ placed, map }) => {
      const { memory, geometry } = placed.placement;
      const used = 8 * Math.floor(memory.wordBits / 8);
      const words = storedWords(placed.network);
      const faulty = new Set(map.cells);
      const readCell = cellReader(map, memory);
      const read = Uint32Array.from(words);
      const isFaulty = (address: number, bit: number) =>
        faulty.has(cellIndex(geometry, cellOfWordBit(memory, { address, bit })));
      for (let address = 0; address < wordCount(memory); address++) {
        const held = Array.from({ length: used }, (_, bit) =>
          weightsOfCell(placed.placement, cellOfWordBit(memory, { address, bit })),
        );
        const costs = Array.from({ length: 8 }, (_, r) =>
          held.reduce(
            (sum, _, bit) => sum + (isFaulty(address, (bit + r) % used) ? bitCost(bit % 8, 8) : 0),
            0,
          ),
        );
        const r = costs.indexOf(Math.min(...costs));
        for (const [bit, all] of held.entries()) {
          for (const { weight, bit: of } of all) {
            const got = readCell(address, (bit + r) % used, (words[weight] >>> of) & 1);
            read[weight] = (read[weight] & ~(1 << of)) | (got << of);
          }
        }
      }
      const weights = [...read.keys()].filter((weight) => read[weight] !== words[weight]);
      expect(plain(memorySideOf([{ use: 'rotate' }], placed).patchesOf(map))).toEqual({
        weights,
        words: weights.map((weight) => read[weight]),
      });
    },
  );
});

/**
 * The placed network in another memory, with the faults where `placeOf` puts them.
 *
 * @param faulty bits of every third word that are faulty besides
 */
function movedCase(
  { placed, map }: PlacedCase,
  memory: WeightMemory,
  placeOf: (address: number, bit: number) => readonly [address: number, bit: number] | undefined,
  faulty: readonly number[] = [],
): PlacedCase {
  const { network, placement } = placed;
  const accelerator = { name: 'tiny', array: ARRAY, weightMemory: memory };
  const geometry = memoryGeometry(memory);
  const cells = new Map<number, number>();
  const bits = placement.memory.wordBits + (placement.memory.checkBits ?? 0);
  const kindOf = new Map([...map.cells].map((cell, fault) => [cell, map.kinds[fault]]));
  for (let address = 0; address < wordCount(placement.memory); address++) {
    for (let bit = 0; bit < bits; bit++) {
      const own = cellIndex(map.geometry, cellOfWordBit(placement.memory, { address, bit }));
      const kind = kindOf.get(own);
      const to = placeOf(address, bit);
      if (kind === undefined || !to) continue;
      cells.set(cellIndex(geometry, cellOfWordBit(memory, { address: to[0], bit: to[1] })), kind);
    }
  }
  for (let address = 0; address < wordCount(memory); address += 3) {
    for (const bit of faulty) {
      const kind = (address + bit) % FAULT_KINDS.length;
      cells.set(cellIndex(geometry, cellOfWordBit(memory, { address, bit })), kind);
    }
  }
  const sorted = [...cells].toSorted(([a], [b]) => a - b);
  return {
    placed: { network, placement: placeNetwork(network, accelerator, placement.kind) },
    map: {
      ...map,
      geometry,
      cells: Float64Array.from(sorted, ([cell]) => cell),
      kinds: Uint8Array.from(sorted, ([, kind]) => kind),
    },
  };
}

function expectSamePatches(parts: readonly MemoryPart[], one: PlacedCase, other: PlacedCase) {
  const [found, expected] = [one, other].map(({ placed, map }) => {
    const side = memorySideOf(parts, placed);
    return { ...plain(side.patchesOf(map)), faultFree: side.faultFree && plain(side.faultFree) };
  });
  expect(found).toEqual(expected);
}

describe.each<readonly [MemoryPart]>([
  [{ use: 'harden' }],
  [{ use: 'tmr', bits: [7, 0, 3] }],
  [{ use: 'parity', group: 'weight', bits: 2 }],
  [{ use: 'invert' }],
  [{ use: 'invert', group: 'word' }],
  [{ use: 'rotate', by: 'data' }],
  [{ use: 'closest-value' }],
  [{ use: 'reorder' }],
  [{ use: 'range-check', granularity: 'channel' }],
])('%j', (part) => {
  const checkBits = 8;

  test.prop([placedCases('int8', { checkBits }, [8, 16, 64])], { numRuns: 20 })(
    'reads words with unused bits as words without them',
    (one) => {
      const { memory } = one.placed.placement;
      const wider = { ...memory, wordBits: memory.wordBits + 5 };
      const unused = Array.from({ length: 5 }, (_, bit) => memory.wordBits + bit);
      const placeOf = (address: number, bit: number) =>
        [address, bit < memory.wordBits ? bit : bit + 5] as const;
      const moved = movedCase(one, wider, placeOf, unused);
      expectSamePatches([part], moved, one);
    },
  );
});

describe.each<readonly [MemoryPart, number]>([
  [{ use: 'harden' }, 0],
  [{ use: 'tmr', bits: [7, 0] }, 4],
  [{ use: 'parity', group: 'weight' }, 1],
  [{ use: 'invert' }, 1],
  [{ use: 'closest-value' }, 0],
  [{ use: 'range-check' }, 0],
])('%j', (part, checkBits) => {
  test.prop([placedCases('int8', { checkBits: 4 * checkBits }, [32])], { numRuns: 20 })(
    'reads words of one weight as it does words of four',
    (one) => {
      const { banks, rows, columnMux } = one.placed.placement.memory;
      const narrow = { banks, rows, wordBits: 8, columnMux: 4 * columnMux, checkBits };
      const moved = movedCase(one, defineWeightMemory(narrow), (address, bit) => {
        if (bit < 32) return [4 * address + Math.floor(bit / 8), bit % 8];
        const check = bit - 32;
        return [4 * address + Math.floor(check / checkBits), 8 + (check % checkBits)];
      });
      expectSamePatches([part], moved, one);
    },
  );
});

describe.each<readonly [readonly MemoryPart[], number]>([
  [[{ use: 'harden', bits: [30, 22, 3] }], 0],
  [[{ use: 'tmr' }], 2],
  [[{ use: 'parity', group: 'weight' }], 1],
  [[{ use: 'secded', dataBits: 16 }], 6],
  [[{ use: 'secded', dataBits: 16 }, { use: 'rotate' }], 9],
  [[{ use: 'invert' }], 1],
  [[{ use: 'rotate', by: 'data' }], 3],
  [[{ use: 'closest-value' }], 0],
  [[{ use: 'reorder' }], 0],
  [[{ use: 'word-masking' }], 1],
  [[{ use: 'mset' }], 0],
  [[{ use: 'cep' }, { use: 'range-check' }], 0],
])('%j of weights in two words', (parts, checkBits) => {
  const codeChecks = parts.some(({ use }) => use === 'secded') ? 6 : 0;

  test.prop([placedCases('float32', { checkBits: 2 * checkBits }, [32])], { numRuns: 20 })(
    'reads them as it does those in one with the same cells',
    (one) => {
      const { banks, rows, columnMux } = one.placed.placement.memory;
      const narrow = { banks, rows, wordBits: 16, columnMux: 2 * columnMux, checkBits };
      const moved = movedCase(one, defineWeightMemory(narrow), (address, bit) => {
        const check = bit - 32;
        if (check < 0) return [2 * address + Math.floor(bit / 16), bit % 16];
        if (check < 2 * codeChecks) {
          return [2 * address + Math.floor(check / codeChecks), 16 + (check % codeChecks)];
        }
        return [2 * address + (check % 2), 16 + Math.floor(check / 2)];
      });
      expectSamePatches(parts, moved, one);
      expect(memoryNeeds(parts, moved.placed).checkBits).toBe(checkBits);
    },
  );
});

describe('cells of a price are those that the memory gains', () => {
  const parts: readonly MemoryPart[] = [
    { use: 'secded' },
    { use: 'secded', dataBits: 16 },
    { use: 'bch-dec', dataBits: 32 },
    { use: 'parity' },
    { use: 'parity', group: 'weight' },
    { use: 'rotate' },
    { use: 'invert' },
    { use: 'tmr' },
    { use: 'word-masking' },
  ];
  const network = smallNetwork();
  const codes = parts.slice(0, 4);
  const fitsInto = (wordBits: number) => (part: MemoryPart) =>
    !('dataBits' in part) || (part.dataBits ?? 0) <= wordBits;

  only.each([
    ...[8, 12, 16, 24, 48, 100].flatMap((wordBits) =>
      parts.filter(fitsInto(wordBits)).map((part) => ({ wordBits, part, format: 'int8' as const })),
    ),
    ...[8, 16, 40].flatMap((wordBits) =>
      codes
        .filter(fitsInto(wordBits))
        .map((part) => ({ wordBits, part, format: 'float32' as const })),
    ),
  ])('$format weights in words of $wordBits bits with $part', ({ wordBits, part, format }) => {
    const weightMemory = { banks: 2, rows: 64, wordBits, columnMux: 4 };
    const accelerator = { name: 'tiny', array: ARRAY, weightMemory };
    const stored = format === 'int8' ? network : dequantize(network);
    const placed = { network: stored, placement: placeNetwork(stored, accelerator, 'streamed') };
    const { checkBits } = memoryNeeds([part], placed);
    const { count, share } = createPricing({ ...placed, accelerator })([part]).cells;
    expect(count).toBe(checkBits * wordCount(weightMemory));
    expect(share).toBe(checkBits / wordBits);
  });
});

only.each([
  [
    { use: 'spares', rows: 1 },
    'spares: a weight takes 4 words of 8 bits, more than a row of 2 has',
  ],
  [{ use: 'word-masking', unit: 'row' }, 'word-masking: a weight takes 4 words of 8 bits'],
] as const)('%j needs rows of whole weights', (part, message) => {
  const network = dequantize(smallNetwork());
  const weightMemory = { banks: 2, rows: 64, wordBits: 8, columnMux: 2 };
  const accelerator = { name: 'tiny', array: ARRAY, weightMemory };
  const placed = { network, placement: placeNetwork(network, accelerator, 'streamed') };
  expect(() => memorySideOf([part], placed)).toThrow(message);
  expect(() => memoryNeeds([part], placed)).toThrow(message);
  expect(() => createPricing({ ...placed, accelerator })([part])).toThrow(message);
});
