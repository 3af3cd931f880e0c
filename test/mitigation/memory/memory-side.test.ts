import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import {
  FAULT_KINDS,
  type FaultKind,
  type FaultMap,
  uniformFaultMap,
} from '../../../fault/index.js';
import {
  MECHANISMS,
  type MemoryPart,
  memoryNeeds,
  memorySideOf,
  parseMitigation,
} from '../../../mitigation/index.js';
import {
  applyFaultMap,
  forEachStruckWord,
  loadAccelerator,
  type Placement,
  placeNetwork,
  storedWords,
} from '../../../sim/index.js';
import { smallNetwork } from '../../campaign/small-network.js';

const network = smallNetwork();
const words = storedWords(network);
const accelerator = loadAccelerator('edge-16x16');

/** Codes that keep their check bits in the weights change these without faults; two are for float32 alone. */
const IN_WEIGHTS = ['mset', 'cep', 'in-place-ecc'];

const uses = (Object.keys(MECHANISMS) as MemoryPart['use'][]).filter(
  (use) => !IN_WEIGHTS.includes(use),
);

/** A channel that takes another place takes the next layer's inputs with it, whatever words these lie in. */
const inWords = uses.filter((use) => use !== 'reorder');

/** What a part cannot do without. */
const REQUIRED: Partial<Record<MemoryPart['use'], object>> = { spares: { rows: 2, columns: 2 } };

function partOf(use: MemoryPart['use'], more: object = {}): MemoryPart {
  const [part] = parseMitigation({ use, ...REQUIRED[use], ...more }).parts;
  return part as MemoryPart;
}

/** Weights of a memory word; below 1 where a weight takes several. */
function slotsOf(wordBits: number): number {
  return wordBits < 8 ? wordBits / 8 : Math.floor(wordBits / 8);
}

/** Words of whole weights, of weights and unused bits, and of half a weight. */
const widths = fc.constantFrom(64, 64, 12, 16, 4);

/** The network in a memory with the check bits that a part needs: a small one in turns, or one that holds all. */
function placedFor(part: MemoryPart, kind: Placement['kind'], wordBits = 64) {
  const rows = ((kind === 'streamed' ? 16 : 256) * 8) / slotsOf(wordBits);
  const weightMemory = { banks: 2, rows, wordBits, columnMux: 4 } as const;
  const small = { ...accelerator, weightMemory };
  const placement = placeNetwork(network, small, kind);
  const needs = memoryNeeds([part], { network, placement });
  return { network, placement: placeNetwork(network, small, kind, needs) };
}

const faults = fc.record({
  rate: fc.constantFrom(1e-4, 1e-3, 1e-2, 0.1),
  faults: fc.constantFrom<FaultKind | 'stuck-at'>('flip', 'stuck-at', 'stuck-at-0'),
  seed: fc.nat(1000),
});

const kinds = fc.constantFrom<Placement['kind']>('resident', 'streamed');

function mapFor(
  { geometry }: Placement,
  options: { rate: number; faults: FaultKind | 'stuck-at'; seed: number },
): FaultMap {
  return uniformFaultMap({ geometry, ...options, trial: 0 });
}

describe.each(uses)('%s', (use) => {
  test.each(['resident', 'streamed'] as const)('reads a sound %s memory as it is', (kind) => {
    const placed = placedFor(partOf(use), kind);
    const map = mapFor(placed.placement, { rate: 0, faults: 'flip', seed: 1 });
    expect(memorySideOf([partOf(use)], placed).patchesOf(map).weights).toHaveLength(0);
  });
});

describe.each(inWords)('%s', (use) => {
  property.prop([faults, kinds, widths], { numRuns: 20 })(
    'leaves words alone that have no faulty cell, and tells of weights that change',
    (options, kind, wordBits) => {
      const placed = placedFor(partOf(use), kind, wordBits);
      const map = mapFor(placed.placement, options);
      const patches = memorySideOf([partOf(use)], placed).patchesOf(map);
      const struck = new Set<number>();
      forEachStruckWord(map, placed.placement.memory, (address) => struck.add(address));
      const weights = [...patches.weights];
      expect(weights).toEqual([...new Set(weights)].sort((a, b) => a - b));
      expect(weights.filter((weight, at) => patches.words[at] === words[weight])).toEqual([]);
      const slots = slotsOf(wordBits);
      const isStruck = (weight: number) => {
        const first = Math.floor(placed.placement.slotOf(weight) / slots);
        return struck.has(first) || (slots < 1 && struck.has(first + 1));
      };
      expect(weights.filter((weight) => !isStruck(weight))).toEqual([]);
    },
  );

  property.prop([faults, widths], { numRuns: 10 })(
    'in no bank that is struck reads as without it',
    (options, wordBits) => {
      const limited = partOf(use, { banks: [1] });
      const placed = placedFor(limited, 'streamed', wordBits);
      const map = mapFor(placed.placement, options);
      const { rows, columns } = placed.placement.geometry;
      const first = { ...map, cells: map.cells.filter((cell) => cell < rows * columns) };
      const kindsOfFirst = map.kinds.slice(0, first.cells.length);
      const inFirst = { ...first, kinds: kindsOfFirst };
      expect(byWeight(memorySideOf([limited], placed).patchesOf(inFirst))).toEqual(
        byWeight(applyFaultMap(inFirst, placed.placement, words)),
      );
    },
  );
});

// A spare line is right in the words of all layers.
describe.each(inWords.filter((use) => use !== 'spares'))('%s', (use) => {
  // The first convolution has 8 · 3 · 3 · 3 = 216 weights: whole memory words of all widths.
  property.prop([faults, widths], { numRuns: 10 })(
    'in a layer alone leaves the others as without it',
    (options, wordBits) => {
      const layer = network.layers.find(({ kind }) => kind === 'convolution')?.name;
      const limited = partOf(use, { layers: [layer] });
      const placed = placedFor(limited, 'resident', wordBits);
      const map = mapFor(placed.placement, options);
      const [found, whole] = [[limited], [partOf(use)]].map((parts) =>
        byWeight(memorySideOf(parts, placed).patchesOf(map)),
      );
      const raw = byWeight(applyFaultMap(map, placed.placement, words));
      const expected = [
        ...[...whole].filter(([weight]) => weight < 216),
        ...[...raw].filter(([weight]) => weight >= 216),
      ];
      expect(found).toEqual(new Map(expected));
    },
  );
});

function byWeight(patches: { readonly weights: Uint32Array; readonly words: Uint32Array }) {
  return new Map(Array.from(patches.weights, (weight, at) => [weight, patches.words[at]]));
}

property.prop([faults, kinds, fc.uniqueArray(fc.nat(7), { minLength: 1 })])(
  'hardened bits are read as if their cells were sound',
  (options, kind, bits) => {
    const part = partOf('harden', { bits });
    const placed = placedFor(part, kind);
    const map = mapFor(placed.placement, options);
    const hardened = bits.reduce((mask, bit) => mask | (1 << bit), 0);
    const raw = applyFaultMap(map, placed.placement, words);
    const expected = new Map(
      Array.from(raw.weights, (weight, at) => {
        const word = (raw.words[at] & ~hardened) | (words[weight] & hardened);
        return [weight, word] as const;
      }).filter(([weight, word]) => word !== words[weight]),
    );
    expect(byWeight(memorySideOf([part], placed).patchesOf(map))).toEqual(expected);
  },
);

property.prop([faults, kinds])('a code corrects what it can in every tile', (options, kind) => {
  const [one, two] = [partOf('secded'), partOf('bch-dec')];
  for (const [part, most] of [
    [one, 1],
    [two, 2],
  ] as const) {
    const placed = placedFor(part, kind);
    const map = mapFor(placed.placement, options);
    const { memory } = placed.placement;
    const columns = (memory.wordBits + (memory.checkBits ?? 0)) * memory.columnMux;
    const wordOf = (cell: number) =>
      Math.floor(cell / columns) * memory.columnMux + ((cell % columns) % memory.columnMux);
    const counts = new Map<number, number>();
    const few = Array.from(map.cells.keys()).filter((fault) => {
      const word = wordOf(map.cells[fault]);
      counts.set(word, (counts.get(word) ?? 0) + 1);
      return (counts.get(word) ?? 0) <= most;
    });
    const correctable = {
      ...map,
      cells: Float64Array.from(few, (fault) => map.cells[fault]),
      kinds: Uint8Array.from(few, (fault) => map.kinds[fault]),
    };
    const patches = memorySideOf([part], placed).patchesOf(correctable);
    expect(patches.weights).toHaveLength(0);
    expect(patches.effectiveFaults).toBe(0);
  }
});

test('check bits beyond those of the memory are sound, the others fail', () => {
  const weightMemory = { banks: 2, rows: 256, wordBits: 64, columnMux: 4, checkBits: 8 } as const;
  const placement = placeNetwork(network, { ...accelerator, weightMemory }, 'resident');
  const { columns } = placement.geometry;
  // Check bits 0 and 7 of the first memory word, two of the 14 of the code.
  const cells = Float64Array.of(64 * 4, 71 * 4);
  expect(cells[1]).toBeLessThan(columns);
  const map = { ...mapFor(placement, { rate: 0, faults: 'flip', seed: 1 }), cells };
  const flips = {
    ...map,
    kinds: Uint8Array.of(FAULT_KINDS.indexOf('flip'), FAULT_KINDS.indexOf('flip')),
  };
  const verdicts = { noError: 0, corrected: 0, detected: 0, miscorrected: 0, undetected: 0 };
  const side = memorySideOf([partOf('bch-dec')], { network, placement });
  expect(side.patchesOf(flips, undefined, verdicts).weights).toHaveLength(0);
  expect(verdicts).toEqual({ ...verdicts, noError: 0, corrected: 1 });
});

test.each([
  [{ use: 'secded', layers: ['fc9'] }, 'has no layer "fc9"'],
  [{ use: 'rotate', banks: [99] }, 'bank 99: the weight memory has banks 0 to '],
  [{ use: 'parity', bits: 16, group: 'weight' }, 'parity: 16 parity bits take a group of at least'],
  [{ use: 'harden', bits: [9] }, 'has weights of 8 bits, 0 to 7, and no bit 9'],
])('%j does not fit', (input, message) => {
  const [part] = parseMitigation(input).parts as MemoryPart[];
  const placement = placeNetwork(network, accelerator, 'resident');
  expect(() => memorySideOf([part], { network, placement })).toThrow(message);
});
