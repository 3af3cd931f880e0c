import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { cellCount } from '../../fault/index.js';
import {
  createPricing,
  gatesOf,
  MECHANISMS,
  type MemoryPart,
  type MitigationPart,
  memoryNeeds,
  PRICE_COMPONENTS,
  PRICE_OF_NOTHING,
  type Price,
  type PriceFigures,
  parityCode,
} from '../../mitigation/index.js';
import { arrayLayers, type Network } from '../../models/index.js';
import {
  type Accelerator,
  firstWeightOfLayers,
  inferenceCost,
  loadAccelerator,
  memoryGeometry,
  type Placement,
  placeNetwork,
  type WeightMemory,
} from '../../sim/index.js';
import { FLOAT32_NETWORK, INT8_NETWORK } from '../cli/tiny-network.js';
import { codeNamed, readCases } from './memory/cases.js';

const EDGE = loadAccelerator('edge-16x16');

/** Five banks of 256 words, of which the int8 network fills a little more than four. */
const BANKS: WeightMemory = { banks: 5, rows: 64, wordBits: 64, columnMux: 4 };

interface Setting {
  readonly network?: Network;
  readonly memory?: WeightMemory;
  readonly kind?: Placement['kind'];
  readonly figures?: PriceFigures | undefined;
  readonly accelerator?: Partial<Accelerator>;
}

function place({
  network = INT8_NETWORK,
  memory = BANKS,
  kind = 'resident',
  ...rest
}: Setting = {}) {
  const accelerator = { ...EDGE, weightMemory: memory, ...rest.accelerator };
  const placement = placeNetwork(network, accelerator, kind);
  return { network, placement, accelerator, figures: rest.figures };
}

function priceOf(parts: readonly MitigationPart[], setting?: Setting): Price {
  return createPricing(place(setting))(parts);
}

/** Mechanisms that keep their check bits in float32 words. */
const FLOAT32_ONLY: readonly string[] = ['mset', 'cep'];

/** Of each mechanism for int8 words, with its defaults; the memory has no spare lines of its own. */
const DEFAULT_PARTS = Object.keys(MECHANISMS)
  .filter((use) => !FLOAT32_ONLY.includes(use))
  .map((use) => (use === 'spares' ? { use, rows: 2, columns: 1 } : { use }) as MemoryPart);

const one = (value: number) => ({ value, source: 'a test' });
const FIGURES: PriceFigures = {
  cellFactor: one(3),
  cellArea: one(1e-13),
  readEnergy: one(1e-15),
  xorGateArea: one(1e-12),
  xorGateDelay: one(2e-11),
};

/** Equal but for the rounding of sums. */
function expectNearly(found: number | null, expected: number): void {
  expect(found).not.toBeNull();
  expect(Math.abs(Number(found) - expected)).toBeLessThanOrEqual(1e-12 * expected);
}

const DATA_CELLS = 5 * 64 * 4 * 64;

describe('state beside the words', () => {
  test.each<[MemoryPart, number]>([
    // Two bits of eight weights, two cells more each, in 5 · 256 words.
    [{ use: 'tmr' }, 5 * 256 * 8 * 2 * 2],
    [{ use: 'word-masking' }, 5 * 256],
    [{ use: 'word-masking', unit: 'row' }, 5 * 64],
    [{ use: 'word-masking', unit: 'bank', banks: [1, 3] }, 2],
    // A spare word has 64 data cells, 8 bits of an address among 256, and an enable bit.
    [{ use: 'word-masking', spareWords: 3 }, 5 * 256 + 5 * 3 * (64 + 8 + 1)],
    // Rows of 256 columns with 6 address bits, a column of 64 rows with 8, both where they cross, an enable bit each.
    [{ use: 'spares', rows: 2, columns: 1 }, 5 * (2 * 256 + 64 + 2 + 2 * (6 + 1) + 8 + 1)],
  ])('%j takes %d cells', (part, cells) => {
    expect(priceOf([part]).cells.count).toBe(cells);
  });
});

describe('cells that never fail', () => {
  test.each<[MemoryPart, failing: number, registers: number]>([
    [{ use: 'rotate' }, 5 * 256 * 3, 0],
    [{ use: 'invert', group: 'word' }, 5 * 256, 0],
    [{ use: 'secded' }, 5 * 256 * 8, 0],
    [{ use: 'tmr' }, 5 * 256 * 8 * 2 * 2, 0],
    // Registers stand as they are: which words, and which lines, are replaced.
    [{ use: 'word-masking', spareWords: 3 }, 5 * (256 + 3 * 64), 5 * 3 * (8 + 1)],
    [{ use: 'spares', rows: 2, columns: 1 }, 5 * (2 * 256 + 64 + 2), 5 * (2 * (6 + 1) + 8 + 1)],
  ])('of %j count as cellFactor cells, where that is given', (part, failing, registers) => {
    const reliable: MemoryPart = { ...part, metadata: 'reliable' } as MemoryPart;
    expect(priceOf([part], { figures: FIGURES }).cells.count).toBe(failing + registers);
    const price = priceOf([reliable], { figures: FIGURES });
    expect(price.cells.count).toBe(3 * failing + registers);
    expect(price.energy).toBeNull();
    const { cellFactor: _, ...others } = FIGURES;
    const without = priceOf([reliable], { figures: others });
    expect(without.cells).toEqual({ count: null, share: null });
    expect(without.notGiven.find(({ component }) => component === 'cells')?.reason).toContain(
      'a prices file can, as cellFactor',
    );
  });
});

test('what a part knows costs nothing', () => {
  for (const use of ['rotate', 'invert', 'closest-value', 'reorder', 'word-masking'] as const) {
    expect(priceOf([{ use, knows: { share: 0.5 } }])).toEqual(priceOf([{ use }]));
  }
});

describe('codes', () => {
  const parts: Readonly<Record<string, MemoryPart>> = {
    'secded-72-64': { use: 'secded' },
    'secded-39-32': { use: 'secded', dataBits: 32 },
    'secded-22-16': { use: 'secded', dataBits: 16 },
    'bch-18-8': { use: 'bch-dec', dataBits: 8 },
    'bch-26-16': { use: 'bch-dec', dataBits: 16 },
    'bch-44-32': { use: 'bch-dec', dataBits: 32 },
    'bch-78-64': { use: 'bch-dec' },
    'bch-144-128': { use: 'bch-dec', dataBits: 128 },
    'parity-9-8': { use: 'parity', group: 'weight' },
    'parity-65-64': { use: 'parity' },
    'parity-interleaved-68-64': { use: 'parity', bits: 4, interleaved: true },
    'parity-interleaved-72-64': { use: 'parity', bits: 8, interleaved: true },
    'parity-blocks-72-64': { use: 'parity', bits: 8 },
    'parity-blocks-66-64': { use: 'parity', bits: 2 },
  };
  const known = readCases('prices').filter(({ code }) => code in parts);

  test('of every case that a part can have are here', () => {
    expect(known).toHaveLength(Object.keys(parts).length);
    const others = readCases('prices').filter(({ code }) => !(code in parts));
    expect(others.map(({ code }) => code)).toEqual(['secded-64-57', 'bch-15-7', 'parity-33-32']);
  });

  test.each(known)('$code has the known cells and gates, in a word that holds two', (row) => {
    const memory = { ...BANKS, wordBits: 128 };
    const price = priceOf([parts[row.code]], { memory });
    const codeWords = 128 / Number(row.k);
    expect(price.cells.count).toBe(5 * 256 * codeWords * (Number(row.n) - Number(row.k)));
    expect(100 * Number(price.cells.share)).toBeCloseTo(Number(row.cells_percent), 1);
    expect(price.xorGates).toEqual({
      encoder: codeWords * Number(row.encoder_xor2),
      syndrome: codeWords * Number(row.syndrome_xor2),
      corrector: codeWords * Number(row.corrector_xor2),
    });
    expect(price.readLatency.levels).toBe(Number(row.syndrome_levels));
    expect(price.cycles).toBe(0);
  });

  test('take the cells that the memory gains', () => {
    for (const part of Object.values(parts)) {
      const placed = place({ memory: { ...BANKS, wordBits: 128 } });
      const { memory } = placed.placement;
      const checkBits = memoryNeeds([part], placed).checkBits;
      const gained =
        cellCount(memoryGeometry({ ...memory, checkBits })) - cellCount(memoryGeometry(memory));
      expect(createPricing(placed)([part]).cells.count).toBe(gained);
    }
  });

  test('in the weights have gates alone', () => {
    const inPlace = readCases('prices').find(({ code }) => code === 'secded-64-57');
    expect(priceOf([{ use: 'in-place-ecc' }])).toMatchObject({
      cells: { count: 0 },
      xorGates: {
        encoder: Number(inPlace?.encoder_xor2),
        syndrome: Number(inPlace?.syndrome_xor2),
      },
    });
    const setting = { network: FLOAT32_NETWORK, memory: { ...BANKS, banks: 20 } };
    const { encoder, syndrome } = gatesOf(parityCode(28, 4));
    expect(priceOf([{ use: 'cep' }], setting)).toMatchObject({
      cells: { count: 0 },
      xorGates: { encoder: 2 * encoder, syndrome: 2 * syndrome, corrector: 0 },
    });
    expect(priceOf([{ use: 'mset' }], setting)).toMatchObject({
      cells: { count: 0 },
      xorGates: null,
    });
  });

  test('of parity follow the width of weights', () => {
    const network = FLOAT32_NETWORK;
    const memory = { ...BANKS, banks: 20 };
    const { encoder, syndrome } = gatesOf(codeNamed('parity-33-32'));
    const price = priceOf([{ use: 'parity', group: 'weight' }], { network, memory });
    expect(price.xorGates).toEqual({ encoder: 2 * encoder, syndrome: 2 * syndrome, corrector: 0 });
    expect(price.cells.share).toBe(1 / 32);
  });

  test('wider than a memory word are refused', () => {
    expect(() => priceOf([{ use: 'bch-dec', dataBits: 128 }])).toThrow(
      'bch-dec: a code word of 128 data bits does not fit into a memory word of 64 bits',
    );
  });
});

describe('state', () => {
  const words = 5 * 256;

  test.each<[MemoryPart, number]>([
    [{ use: 'rotate' }, 3 * words],
    [{ use: 'invert' }, 8 * words],
    [{ use: 'invert', group: 'word' }, words],
    [{ use: 'closest-value' }, 0],
    [{ use: 'range-check' }, 3 * 2 * 8],
    [{ use: 'range-check', granularity: 'channel' }, (8 + 16 + 10) * 2 * 8],
  ])('of %j', (part, cells) => {
    expect(priceOf([part]).cells).toEqual({ count: cells, share: cells / DATA_CELLS });
  });

  test('of float32 words', () => {
    const setting = { network: FLOAT32_NETWORK, memory: { ...BANKS, banks: 20 } };
    expect(priceOf([{ use: 'rotate' }], setting).cells.count).toBe(5 * 20 * 256);
    expect(priceOf([{ use: 'invert' }], setting).cells.count).toBe(2 * 20 * 256);
    expect(priceOf([{ use: 'range-check' }], setting).cells.count).toBe(3 * 2 * 32);
  });

  test.each<[MitigationPart, Network, number]>([
    // conv1 has 8 channels of 16 × 16, fc1 has 16; fc2 has no activation.
    [{ use: 'clip' }, INT8_NETWORK, 32 * (8 + 16)],
    [{ use: 'clip', position: 'requantised' }, INT8_NETWORK, 8 * (8 + 16)],
    [{ use: 'clamp', granularity: 'neuron' }, INT8_NETWORK, 32 * (8 * 256 + 16)],
    [{ use: 'clip', layers: ['fc1'] }, INT8_NETWORK, 32 * 16],
    [{ use: 'clip' }, FLOAT32_NETWORK, 32 * 2],
    [{ use: 'clip', granularity: 'channel' }, FLOAT32_NETWORK, 32 * (8 + 16)],
    [{ use: 'clip-tuned' }, FLOAT32_NETWORK, 32 * 2],
  ])('of %j', (part, network, cells) => {
    const memory = { ...BANKS, banks: 20 };
    expect(priceOf([part], { network, memory }).cells.count).toBe(cells);
  });

  test('of float32 words after requantisation there is none to clip', () => {
    const setting = { network: FLOAT32_NETWORK, memory: { ...BANKS, banks: 20 } };
    expect(() => priceOf([{ use: 'clip', position: 'requantised' }], setting)).toThrow(
      'has no requantisation to clip after',
    );
  });
});

describe('places', () => {
  const names = arrayLayers(INT8_NETWORK).map(({ name }) => name);

  /** Words, and words each time they are filled, that a place reaches, weight by weight. */
  function wordsOf({ layers, banks }: Pick<MemoryPart, 'layers' | 'banks'>, setting: Setting) {
    const { network, placement } = place(setting);
    const { memory, weightBits, occupancy, weightAt } = placement;
    const first = firstWeightOfLayers(network);
    const slots = memory.wordBits / weightBits;
    const all = Array.from({ length: placement.weights }, (_, weight) => {
      const slot = placement.slotOf(weight);
      const fills = Array.from({ length: occupancy(slot) }, (__, fill) => weightAt(slot, fill));
      const layer = names[first.findLastIndex((start) => start <= weight)];
      const address = Math.floor(slot / slots);
      return { layer, address, filled: `${address} ${fills.indexOf(weight)}` };
    });
    const inBanks = (address: number) =>
      banks?.includes(Math.floor(address / (memory.rows * memory.columnMux))) ?? true;
    const reached = all.filter(
      ({ layer, address }) => (layers?.includes(layer) ?? true) && inBanks(address),
    );
    const filled = new Set(reached.map((weight) => weight.filled));
    return {
      words: new Set(reached.map(({ address }) => address)).size,
      share: (name: string) => {
        const mine = all.filter(({ layer }) => layer === name);
        return mine.filter((weight) => filled.has(weight.filled)).length / mine.length;
      },
    };
  }

  property.prop(
    {
      layers: fc.subarray(names, { minLength: 1 }),
      banks: fc.option(fc.subarray([0, 1, 2, 3, 4], { minLength: 1 }), { nil: undefined }),
      kind: fc.constantFrom('resident' as const, 'streamed' as const),
    },
    { numRuns: 20 },
  )('are priced for their words alone', ({ layers, banks, kind }) => {
    const memory = kind === 'streamed' ? { ...BANKS, rows: 8 } : BANKS;
    const setting = { kind, memory, figures: FIGURES };
    const { words, share } = wordsOf({ layers, banks }, setting);
    const price = priceOf([{ use: 'secded', layers, banks }], setting);
    expect(price.cells.count).toBe(8 * words);
    const reads = inferenceCost(INT8_NETWORK, place(setting).accelerator).timing.layers;
    const bits = names.map((name, index) => share(name) * reads[index].sram.weightReads);
    expectNearly(price.energy, bits.reduce((sum, each) => sum + each, 0) * 1e-15);
  });

  test('of all banks are the whole memory', () => {
    const banks = [0, 1, 2, 3, 4];
    expect(priceOf([{ use: 'rotate', banks }])).toEqual(priceOf([{ use: 'rotate' }]));
  });

  test('of a range check are the layers with weights there', () => {
    // Of 8,568 weights the first 2,048 lie in bank 0, the last 376 in bank 4.
    const cells = (banks: number[]) => priceOf([{ use: 'range-check', banks }]).cells.count;
    expect([cells([0]), cells([1]), cells([4]), cells([0, 4])]).toEqual([32, 16, 32, 48]);
    expect(priceOf([{ use: 'range-check', layers: ['fc1'] }]).cells.count).toBe(16);
  });

  test('that the network or its memory lacks are refused', () => {
    expect(() => priceOf([{ use: 'secded', layers: ['fc3'] }])).toThrow('fc3');
    expect(() => priceOf([{ use: 'harden', layers: ['fc3'] }])).toThrow('fc3');
    expect(() => priceOf([{ use: 'secded', banks: [5] }])).toThrow('has banks 0 to 4');
  });
});

describe('together', () => {
  const distinct = fc
    .uniqueArray(fc.constantFrom<MitigationPart>(...DEFAULT_PARTS, { use: 'clip' }), {
      selector: ({ use }) =>
        use in MECHANISMS ? MECHANISMS[use as MemoryPart['use']].group : 'activation unit',
      maxLength: 5,
    })
    .filter((parts) => parts.length > 1);

  property.prop([distinct], { numRuns: 30 })('parts of different kinds add up', (parts) => {
    const setting = { figures: FIGURES };
    const together = priceOf(parts, setting);
    const each = parts.map((part) => priceOf([part], setting));
    const added = (of: (price: Price) => number | null) =>
      each.map(of).reduce((sum, value) => (sum === null || value === null ? null : sum + value));
    const figures = [
      (price: Price) => price.cells.count,
      (price: Price) => price.cells.share,
      (price: Price) => price.xorGates?.encoder ?? null,
      (price: Price) => price.xorGates?.syndrome ?? null,
      (price: Price) => price.xorGates?.corrector ?? null,
      (price: Price) => price.readLatency.levels,
      (price: Price) => price.readLatency.seconds,
      (price: Price) => price.cycles,
      (price: Price) => price.energy,
      (price: Price) => price.area,
    ];
    for (const of of figures) {
      const [found, expected] = [of(together), added(of)];
      if (expected === null) expect(found).toBeNull();
      else expectNearly(found, expected);
    }
    expect(together.cells.share).toBe(Number(together.cells.count) / DATA_CELLS);
  });

  test('what two parts hold in the same place is there once', () => {
    const cells = (...bits: (readonly number[])[]) =>
      priceOf(
        bits.map((each) => ({ use: 'harden', bits: each }) as const),
        { figures: FIGURES },
      ).cells.count;
    expect(cells([7, 6], [6, 5])).toBe(cells([7, 6, 5]));
    const [everywhere, somewhere] = [
      { use: 'secded' },
      { use: 'secded', layers: ['fc2'] },
    ] as const;
    expect(priceOf([everywhere, somewhere]).cells).toEqual(priceOf([everywhere]).cells);
    const parity = { use: 'parity', banks: [0] } as const;
    expect(priceOf([parity, { ...somewhere, banks: [1] }]).cells.count).toBe(256);
  });

  test('nothing costs nothing', () => {
    expect(priceOf([])).toEqual({
      cells: { count: 0, share: 0 },
      xorGates: { encoder: 0, syndrome: 0, corrector: 0 },
      readLatency: { levels: 0, seconds: 0 },
      ...{ cycles: 0, energy: 0, area: 0, notGiven: [] },
    });
    expect(PRICE_OF_NOTHING).toEqual(priceOf([]));
  });
});

/** The number, or null, of each component that can be null. */
function valuesOf(price: Price): Record<(typeof PRICE_COMPONENTS)[number], unknown> {
  return {
    cells: price.cells.count,
    xorGates: price.xorGates,
    'readLatency.levels': price.readLatency.levels,
    'readLatency.seconds': price.readLatency.seconds,
    cycles: price.cycles,
    energy: price.energy,
    area: price.area,
  };
}

describe('what is not given', () => {
  const settings = fc.record({
    kind: fc.constantFrom('resident' as const, 'streamed' as const),
    figures: fc.constantFrom(undefined, FIGURES),
  });
  const parts = fc.subarray<MitigationPart>([...DEFAULT_PARTS, { use: 'clamp' }]);

  property.prop([parts, settings], { numRuns: 30 })(
    'is null and named, never 0',
    (some, setting) => {
      const price = priceOf(some, setting);
      const values = valuesOf(price);
      const missing = PRICE_COMPONENTS.filter((component) => values[component] === null);
      expect([...new Set(price.notGiven.map(({ component }) => component))]).toEqual(missing);
      for (const { reason } of price.notGiven) expect(reason.length).toBeGreaterThan(20);
      expect(price.cells.share === null).toBe(price.cells.count === null);
    },
  );

  const nullsOf = (part: MitigationPart, setting?: Setting) => [
    ...new Set(priceOf([part], setting).notGiven.map(({ component }) => component)),
  ];

  test('is what no source has, by mechanism', () => {
    const physical = ['readLatency.seconds', 'energy', 'area'];
    expect(nullsOf({ use: 'secded' })).toEqual(physical);
    expect(nullsOf({ use: 'harden' })).toEqual(['cells', 'energy', 'area']);
    expect(nullsOf({ use: 'closest-value' })).toEqual([]);
    expect(nullsOf({ use: 'invert' }, { kind: 'streamed' })).toEqual([
      'readLatency.seconds',
      'cycles',
      'energy',
      'area',
    ]);
    const logic = ['xorGates', 'readLatency.levels', ...physical];
    expect(nullsOf({ use: 'rotate' })).toEqual(logic);
    expect(nullsOf({ use: 'range-check' })).toEqual(logic);
    expect(nullsOf({ use: 'clip' })).toEqual(['xorGates', 'energy', 'area']);
  });

  test('is filled by figures', () => {
    expect(nullsOf({ use: 'secded' }, { figures: FIGURES })).toEqual([]);
    expect(nullsOf({ use: 'harden' }, { figures: FIGURES })).toEqual(['energy']);
    expect(nullsOf({ use: 'clip' }, { figures: FIGURES })).toEqual(['xorGates', 'energy', 'area']);
    const price = priceOf([{ use: 'secded' }], { figures: FIGURES });
    expectNearly(price.readLatency.seconds, 5 * 2e-11);
    expectNearly(price.area, 8 * 1280 * 1e-13 + (200 + 208 + 64) * 1e-12);
    const [seven, six] = [7, 6].map((bit) =>
      priceOf([{ use: 'harden', bits: [bit] }], { figures: FIGURES }),
    );
    expect(seven).toEqual(six);
    // A cell in eight counts as two more.
    expect(seven.cells.share).toBe(2 / 8);
  });
});

describe('energy', () => {
  const TABLE = {
    name: 'test-table',
    sram: [{ upTo: 64 * 1024, accessBits: 64, read: 6.4e-12 }],
  } as const;

  test('is that of the bits that are read beside the weights', () => {
    const accelerator = { energyTable: TABLE };
    const { timing } = inferenceCost(INT8_NETWORK, { ...EDGE, weightMemory: BANKS });
    const weights = timing.layers.reduce((sum, { sram }) => sum + sram.weightReads, 0);
    // A check bit for each weight, 0.1 pJ a bit.
    expectNearly(priceOf([{ use: 'secded' }], { accelerator }).energy, weights * 1e-13);
    const figures = { readEnergy: one(1e-12) };
    expectNearly(priceOf([{ use: 'secded' }], { accelerator, figures }).energy, weights * 1e-12);
  });

  test.each([
    [{}, 'edge-16x16 has no energy table: a prices file can, as readEnergy'],
    [
      { energyTable: { ...TABLE, sram: [{ upTo: 1024, accessBits: 64, read: 1e-12 }] } },
      'energy table test-table has no SRAM of 10KiB or more: a prices file can, as readEnergy',
    ],
  ])('is not given without a figure', (accelerator, reason) => {
    const { energy, notGiven } = priceOf([{ use: 'secded' }], { accelerator });
    expect(energy).toBeNull();
    expect(notGiven).toContainEqual({ component: 'energy', reason });
  });
});
