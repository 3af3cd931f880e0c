import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import {
  type ConvolutionShape,
  featureCount,
  fullyConnectedShape,
  InputError,
  weightCount,
  windowSize,
} from '../../core/index.js';
import { weightBits } from '../../models/index.js';
import {
  type ArrayFaults,
  disturbedSums,
  registerPatches,
  runFloat32Layer,
  runInt8Layer,
  type SystolicArray,
  type WordFaults,
} from '../../sim/index.js';
import { convolutionShapes, xorshift } from '../../testing/index.js';
import {
  type Float32Case,
  faultySums,
  type Int8Case,
  isInt8Case,
  type LayerCase,
} from './faulty-sums.js';

/** Random cases of each storage, array and format; the claim of 1,000 cases each takes minutes. */
const CASES = Number(process.env.BITCELL_TEST_ARRAY_FAULTS ?? 30);

const FORMATS = ['int8', 'float32'] as const;
type Format = (typeof FORMATS)[number];

/** Arrays as far as their registers differ. */
const ARRAYS: Readonly<Record<string, Pick<SystolicArray, 'dataflow' | 'preload'>>> = {
  'output-stationary': { dataflow: 'output-stationary' },
  'weight-stationary': { dataflow: 'weight-stationary' },
  'preloading weight-stationary': { dataflow: 'weight-stationary', preload: true },
  'input-stationary': { dataflow: 'input-stationary' },
};

const STORAGES = [
  'weightRegisters',
  'shiftRegisters',
  'products',
  'sums',
  'accumulatorMemory',
] as const;
type Storage = (typeof STORAGES)[number];

function hasStorage(
  { dataflow, preload }: Pick<SystolicArray, 'dataflow' | 'preload'>,
  storage: Storage,
): boolean {
  if (storage === 'shiftRegisters') return preload === true;
  return storage !== 'accumulatorMemory' || dataflow !== 'output-stationary';
}

function bitsOf(storage: Storage, format: Format): number {
  if (format === 'float32') return 32;
  return { weightRegisters: 8, shiftRegisters: 8, products: 18, sums: 32, accumulatorMemory: 32 }[
    storage
  ];
}

const KINDS = ['flip', 'stuck-at-0', 'stuck-at-1'] as const;

function soundWords(count: number): WordFaults {
  return {
    and: new Uint32Array(count).fill(0xffffffff),
    or: new Uint32Array(count),
    xor: new Uint32Array(count),
  };
}

function addFault(words: WordFaults, word: number, bit: number, kind: (typeof KINDS)[number]) {
  const mask = (1 << bit) >>> 0;
  if (kind === 'stuck-at-0') words.and[word] &= ~mask;
  else if (kind === 'stuck-at-1') words.or[word] |= mask;
  else words.xor[word] |= mask;
  return words;
}

/** Few or many faults, of one kind or of all; several may meet in a bit. */
function randomFaults(random: () => number, count: number, bits: number): WordFaults {
  const pick = (limit: number) => Math.floor(random() * limit);
  const kinds = random() < 0.5 ? KINDS : [KINDS[pick(3)]];
  const words = soundWords(count);
  const faults = random() < 0.4 ? 1 : 1 + pick(2 * count);
  for (let fault = 0; fault < faults; fault++) {
    addFault(words, pick(count), pick(bits), kinds[pick(kinds.length)]);
  }
  return words;
}

const shapes = fc.oneof(
  { weight: 3, arbitrary: convolutionShapes().filter((shape) => weightCount(shape) <= 200) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 10 }))
      .map(([inputs, outputs]) => fullyConnectedShape(inputs, outputs)),
  },
);

function randomInt8(shape: ConvolutionShape, random: () => number): Int8Case {
  const byte = () => Math.floor(random() * 256);
  const channels = { length: shape.output.channels };
  return {
    shape,
    inputZeroPoint: byte(),
    weights: Int8Array.from({ length: weightCount(shape) }, () => byte() - 128),
    weightZeroPoints: Int32Array.from(channels, () => byte() - 128),
    wordMask: random() < 0.3 ? 0x80 : 0,
    bias: Int32Array.from(channels, () => Math.floor((random() - 0.5) * 2 ** 32)),
    input: Uint8Array.from({ length: featureCount(shape.input) }, byte),
  };
}

/** Numbers of different sizes, whose sums depend on their order; zeros of both signs, an infinity and no numbers. */
function randomFloat32(shape: ConvolutionShape, random: () => number): Float32Case {
  const number = () => {
    const share = random();
    if (share < 0.05) return share < 0.025 ? -0 : 0;
    if (share > 0.999) return share > 0.9995 ? Number.NaN : Number.POSITIVE_INFINITY;
    return (random() - 0.5) * 10 ** Math.floor(random() * 12 - 6);
  };
  return {
    shape,
    weights: Float32Array.from({ length: weightCount(shape) }, number),
    bias: Float32Array.from({ length: shape.output.channels }, number),
    input: Float32Array.from({ length: featureCount(shape.input) }, number),
  };
}

function randomLayer(format: Format, shape: ConvolutionShape, random: () => number): LayerCase {
  return format === 'int8' ? randomInt8(shape, random) : randomFloat32(shape, random);
}

/** Faults of one storage, and in some cases of the array's others as well. */
function randomArrayFaults(
  random: () => number,
  array: SystolicArray,
  format: Format,
  storage: Storage,
): ArrayFaults {
  const chosen = STORAGES.filter(
    (other) => other === storage || (hasStorage(array, other) && random() < 0.25),
  );
  const faults = chosen.map((name) => {
    const bits = bitsOf(name, format);
    if (name !== 'accumulatorMemory') {
      return [name, randomFaults(random, array.rows * array.columns, bits)];
    }
    const slots = 1 + Math.floor(random() * 3 * array.columns);
    return [name, { slots, faults: randomFaults(random, slots, bits) }];
  });
  return Object.fromEntries(faults);
}

const sizes = fc.record({
  rows: fc.integer({ min: 1, max: 5 }),
  columns: fc.integer({ min: 1, max: 5 }),
});
const seeds = fc.integer({ min: 1, max: 2 ** 31 - 1 });

/** Sums of the array, cycle by cycle, as words. */
function arraySums(layer: LayerCase, array: SystolicArray, faults: ArrayFaults): Int32Array {
  const { accumulators } = isInt8Case(layer)
    ? runInt8Layer(layer, layer.input, array, { faults })
    : runFloat32Layer(layer, layer.input, array, { faults });
  return new Int32Array(accumulators.buffer);
}

/** The layer with the weights that the registers of a weight-stationary array change for all positions. */
function patched(layer: LayerCase, array: SystolicArray, faults: ArrayFaults): LayerCase {
  const { weights: numbers, words } = registerPatches(layer, faults, array);
  const weights = layer.weights.slice();
  const bits = weightBits(weights);
  const mask = isInt8Case(layer) ? (layer.wordMask ?? 0) : 0;
  for (const [patch, number] of numbers.entries()) bits[number] = words[patch] ^ mask;
  return { ...layer, weights } as LayerCase;
}

function plannedSums(layer: LayerCase, array: SystolicArray, faults: ArrayFaults): Int32Array {
  return faultySums(patched(layer, array, faults), [...disturbedSums(layer, faults, array)]);
}

for (const [name, kind] of Object.entries(ARRAYS)) {
  describe(`planned sums of a faulty ${name} array are those of the array, cycle by cycle`, () => {
    for (const format of FORMATS) {
      const storages = STORAGES.filter((storage) => hasStorage(kind, storage));
      test.each(storages)(`${format}, %s`, (storage) => {
        fc.assert(
          fc.property(shapes, sizes, seeds, (shape, size, seed) => {
            const random = xorshift(seed);
            const array = { ...kind, ...size };
            const layer = randomLayer(format, shape, random);
            const faults = randomArrayFaults(random, array, format, storage);
            expect(plannedSums(layer, array, faults)).toEqual(arraySums(layer, array, faults));
          }),
          { numRuns: CASES },
        );
      });
    }
  });
}

describe('a plan', () => {
  const everyArray = fc.constantFrom(...Object.values(ARRAYS));

  property.prop([shapes, sizes, everyArray, fc.constantFrom(...FORMATS), seeds])(
    'holds each output at most once, in order, with steps that disturb',
    (shape, size, kind, format, seed) => {
      const random = xorshift(seed);
      const array = { ...kind, ...size };
      const storage = STORAGES.filter((name) => hasStorage(kind, name))[Math.floor(random() * 3)];
      const layer = randomLayer(format, shape, random);
      const faults = randomArrayFaults(random, array, format, storage);
      const groups = [...disturbedSums(layer, faults, array)];

      const filters = shape.output.channels / shape.groups;
      const outputs = groups.flatMap(({ positions, parts }) =>
        parts.flatMap(({ channels }) =>
          [...positions].flatMap((m) => [...channels].map((c) => `${m} ${c}`)),
        ),
      );
      expect(new Set(outputs).size).toBe(outputs.length);
      for (const { positions, parts } of groups) {
        expect(isAscending(positions)).toBe(true);
        for (const { channels, weights, steps } of parts) {
          expect(isAscending(channels)).toBe(true);
          expect(new Set(channels.map((channel) => Math.floor(channel / filters))).size).toBe(1);
          expect(weights.length).toBe(channels.length * windowSize(shape));
          expect(isAscending(steps.at)).toBe(true);
          for (const [step] of steps.at.entries()) {
            const { product, sum } = steps;
            const isSound = [product, sum].every(
              ({ and, or, xor }) => and[step] === 0xffffffff && or[step] === 0 && xor[step] === 0,
            );
            expect(isSound).toBe(false);
          }
        }
      }
    },
  );

  test.each(Object.values(ARRAYS))('of a sound array is empty: %o', (kind) => {
    const array = { ...kind, rows: 2, columns: 3 };
    const layer = randomInt8(fullyConnectedShape(7, 5), xorshift(1));
    expect([...disturbedSums(layer, {}, array)]).toEqual([]);
    expect(registerPatches(layer, {}, array).weights.length).toBe(0);
    const sound = { weightRegisters: soundWords(6), products: soundWords(6), sums: soundWords(6) };
    expect([...disturbedSums(layer, sound, array)]).toEqual([]);
    expect(registerPatches(layer, sound, array).weights.length).toBe(0);
  });

  test('leaves filters out whose weights a stuck register does not change', () => {
    const layer = zeroLayer('int8', fullyConnectedShape(4, 3));
    const weights = layer.weights.slice();
    weights[2 * 4] = 1;
    const array = { rows: 2, columns: 1, dataflow: 'output-stationary' } as const;
    const weightRegisters = addFault(soundWords(2), 0, 0, 'stuck-at-0');
    const groups = [
      ...disturbedSums({ ...layer, weights } as LayerCase, { weightRegisters }, array),
    ];
    expect(groups.map(({ parts }) => parts.map(({ channels }) => [...channels]))).toEqual([[[2]]]);
  });

  property.prop([shapes, sizes, everyArray, fc.constantFrom(...FORMATS), seeds])(
    'changes neither weights nor faults; nor does the array',
    (shape, size, kind, format, seed) => {
      const random = xorshift(seed);
      const array = { ...kind, ...size };
      const layer = randomLayer(format, shape, random);
      const faults = randomArrayFaults(random, array, format, 'weightRegisters');
      const before = structuredClone({ layer, faults });
      plannedSums(layer, array, faults);
      arraySums(layer, array, faults);
      expect({ layer, faults }).toEqual(before);
    },
  );
});

function isAscending(values: Uint32Array): boolean {
  return values.every((value, index) => index === 0 || values[index - 1] < value);
}

/** All operands are 0 and stored as 0: of a sum is left what faults make of it. */
function zeroLayer(format: Format, shape: ConvolutionShape): LayerCase {
  const inputs = featureCount(shape.input);
  const { channels } = shape.output;
  return format === 'int8'
    ? {
        shape,
        inputZeroPoint: 0,
        weights: new Int8Array(weightCount(shape)),
        weightZeroPoints: new Int32Array(channels),
        bias: new Int32Array(channels),
        input: new Uint8Array(inputs),
      }
    : {
        shape,
        weights: new Float32Array(weightCount(shape)),
        bias: new Float32Array(channels),
        input: new Float32Array(inputs),
      };
}

/** One fault in a place of one storage hits a residue class of outputs. */
interface Hit {
  readonly storage: Storage;
  readonly kind: Pick<SystolicArray, 'dataflow' | 'preload'>;
  /** Whether output position m of filter n of a group is hit. */
  hits(m: number, n: number, place: Place): boolean;
  /** How often one of its sums is: K products, folds of R. */
  times(place: Place, window: number): number;
}

interface Place {
  readonly rows: number;
  readonly columns: number;
  /** Of the element, or in `r` the slot. */
  readonly r: number;
  readonly c: number;
  readonly slots: number;
}

/** Numbers below `count` with a remainder of `of` from `least` to `most`. */
function countRemainders(count: number, of: number, least: number, most: number): number {
  return Array.from({ length: count }, (_, number) => number % of).filter(
    (remainder) => remainder >= least && remainder <= most,
  ).length;
}

const { 'output-stationary': OS, 'weight-stationary': WS, 'input-stationary': IS } = ARRAYS;
const PRELOAD = ARRAYS['preloading weight-stationary'];

const inRow = (place: Place, window: number) =>
  countRemainders(window, place.rows, place.r, place.r);
const fromRow = (place: Place, window: number) =>
  countRemainders(window, place.rows, place.r, place.rows - 1);
const folds = (place: Place, window: number) => Math.ceil(window / place.rows);
const ofColumn = (_m: number, n: number, place: Place) => n % place.columns === place.c;
const atColumn = (m: number, _n: number, place: Place) => m % place.columns === place.c;
const inElement = (m: number, n: number, place: Place) =>
  m % place.rows === place.r && n % place.columns === place.c;
const all = (_place: Place, window: number) => window;

const HITS: readonly Hit[] = [
  { storage: 'sums', kind: OS, hits: inElement, times: all },
  { storage: 'sums', kind: WS, hits: ofColumn, times: folds },
  { storage: 'sums', kind: PRELOAD, hits: ofColumn, times: folds },
  { storage: 'sums', kind: IS, hits: atColumn, times: folds },
  { storage: 'products', kind: OS, hits: inElement, times: all },
  { storage: 'products', kind: WS, hits: ofColumn, times: inRow },
  { storage: 'products', kind: PRELOAD, hits: ofColumn, times: inRow },
  { storage: 'products', kind: IS, hits: atColumn, times: inRow },
  {
    storage: 'weightRegisters',
    kind: OS,
    hits: (m, n, place) => m % place.rows >= place.r && n % place.columns === place.c,
    times: all,
  },
  { storage: 'weightRegisters', kind: WS, hits: ofColumn, times: fromRow },
  { storage: 'weightRegisters', kind: PRELOAD, hits: ofColumn, times: inRow },
  { storage: 'shiftRegisters', kind: PRELOAD, hits: ofColumn, times: fromRow },
  {
    storage: 'weightRegisters',
    kind: IS,
    hits: (m, _n, place) => m % place.columns >= place.c,
    times: inRow,
  },
  ...[WS, PRELOAD].map(
    (kind): Hit => ({
      storage: 'accumulatorMemory',
      kind,
      hits: (m, n, { columns, slots, r }) => (m * columns + (n % columns)) % slots === r,
      times: folds,
    }),
  ),
  {
    storage: 'accumulatorMemory',
    kind: IS,
    hits: (m, n, { columns, slots, r }) => (n * columns + (m % columns)) % slots === r,
    times: folds,
  },
];

function faultAt(
  { rows, columns, r, c, slots }: Place,
  hit: Hit,
  bit: number,
  kind: (typeof KINDS)[number],
): ArrayFaults {
  if (hit.storage === 'accumulatorMemory') {
    return { accumulatorMemory: { slots, faults: addFault(soundWords(slots), r, bit, kind) } };
  }
  return { [hit.storage]: addFault(soundWords(rows * columns), r * columns + c, bit, kind) };
}

const places = fc
  .record({
    rows: fc.integer({ min: 1, max: 5 }),
    columns: fc.integer({ min: 1, max: 5 }),
    slots: fc.integer({ min: 1, max: 40 }),
    row: fc.nat(),
    column: fc.nat(),
  })
  .map(({ row, column, ...sizes }) => ({ ...sizes, r: row, c: column }));

/** The place within the storage. */
function placed(place: Place, { storage }: Hit): Place {
  const { rows, columns, slots } = place;
  return {
    ...place,
    r: place.r % (storage === 'accumulatorMemory' ? slots : rows),
    c: place.c % columns,
  };
}

describe('one faulty bit hits a residue class of outputs', () => {
  const named = HITS.map((hit) => {
    const [name] = Object.entries(ARRAYS).find(([, kind]) => kind === hit.kind)!;
    return [hit.storage, name, hit] as const;
  });

  test.each(named)('%s, %s', (_storage, _name, hit) => {
    const isSum = hit.storage === 'sums' || hit.storage === 'accumulatorMemory';
    const isWeight = hit.storage.endsWith('Registers');
    fc.assert(
      fc.property(
        shapes,
        places,
        fc.constantFrom(...FORMATS),
        fc.constantFrom('flip', 'stuck-at-1'),
        (shape, drawn, format, kind) => {
          // Of inputs of 1 the sum counts weights; padding would be counted as well.
          fc.pre(!isWeight || shape.pads.every((pad) => pad === 0));
          const place = placed(drawn, hit);
          const array = { ...hit.kind, rows: place.rows, columns: place.columns };
          const zeros = zeroLayer(format, shape);
          const layer = isWeight ? { ...zeros, input: zeros.input.fill(1) } : zeros;
          const times = hit.times(place, windowSize(shape));
          // A sum of which a bit is inverted an even number of times is what it was.
          const ofSum = kind === 'flip' ? times % 2 : Math.min(times, 1);
          // Bit 0 of an integer is 1; bit 30 of float32 alone is 2.
          const [bit, unit] = format === 'int8' ? [0, 1] : [30, 2];
          const expected = outputsOf(shape, format, (m, n) =>
            hit.hits(m, n, place) ? unit * (isSum ? ofSum : times) : 0,
          );
          const faults = faultAt(place, hit, bit, kind);
          expect(arraySums(layer as LayerCase, array, faults)).toEqual(expected);
          expect(plannedSums(layer as LayerCase, array, faults)).toEqual(expected);
        },
      ),
      { numRuns: CASES },
    );
  });

  test('bit 17 of an int8 product is its sign', () => {
    const layer = zeroLayer('int8', fullyConnectedShape(3, 2));
    const array = { ...OS, rows: 1, columns: 2 };
    const faults = { products: addFault(soundWords(2), 1, 17, 'stuck-at-1') };
    expect(arraySums(layer, array, faults)).toEqual(Int32Array.of(0, 3 * -(2 ** 17)));
    expect(plannedSums(layer, array, faults)).toEqual(Int32Array.of(0, 3 * -(2 ** 17)));
  });

  test('bit 7 of a uint8 word counts 128', () => {
    const zeros = zeroLayer('int8', fullyConnectedShape(1, 1));
    const layer = { ...zeros, input: Uint8Array.of(1), wordMask: 0x80 } as Int8Case;
    const array = { ...OS, rows: 1, columns: 1 };
    // The weight 0 is stored as 128.
    const faults = { weightRegisters: addFault(soundWords(1), 0, 7, 'stuck-at-0') };
    expect(arraySums(layer, array, faults)).toEqual(Int32Array.of(-128));
    expect(plannedSums(layer, array, faults)).toEqual(Int32Array.of(-128));
  });
});

/** Sums as words: output positions × channels. */
function outputsOf(
  { output, groups }: ConvolutionShape,
  format: Format,
  of: (m: number, n: number) => number,
): Int32Array {
  const filters = output.channels / groups;
  const values = Array.from(
    { length: output.height * output.width * output.channels },
    (_, place) => of(Math.floor(place / output.channels), (place % output.channels) % filters),
  );
  return format === 'int8'
    ? Int32Array.from(values)
    : new Int32Array(Float32Array.from(values).buffer);
}

describe('faults that an array cannot have are refused', () => {
  const layer = zeroLayer('int8', fullyConnectedShape(2, 2));
  const cases: readonly [SystolicArray, ArrayFaults, string][] = [
    [
      { rows: 2, columns: 2, dataflow: 'output-stationary' },
      { accumulatorMemory: { slots: 4, faults: soundWords(4) } },
      'Faults of an accumulator memory: an output-stationary array has none; its sums stay in their registers.',
    ],
    [
      { rows: 2, columns: 2, dataflow: 'weight-stationary' },
      { shiftRegisters: soundWords(4) },
      'Faults of shift registers: the array has none; only weight-stationary arrays with preload do.',
    ],
    [
      { rows: 2, columns: 2, dataflow: 'input-stationary', preload: true },
      { shiftRegisters: soundWords(4) },
      'Faults of shift registers: the array has none; only weight-stationary arrays with preload do.',
    ],
    [
      { rows: 2, columns: 3, dataflow: 'input-stationary' },
      { products: { ...soundWords(6), or: new Uint32Array(5) } },
      'Faults of products: `or` must hold 6 words, one for each element of 2 × 3, not 5.',
    ],
    [
      { rows: 2, columns: 2, dataflow: 'input-stationary' },
      { accumulatorMemory: { slots: 5, faults: soundWords(4) } },
      'Faults of accumulatorMemory: `and` must hold 5 words, one for each slot, not 4.',
    ],
    [
      { rows: 2, columns: 2, dataflow: 'input-stationary' },
      { accumulatorMemory: { slots: 0, faults: soundWords(0) } },
      'Faults of an accumulator memory: slots must be a positive integer, not 0.',
    ],
  ];

  test.each(cases)('%o, %o', (array, faults, message) => {
    const error = new InputError(message);
    expect(() => arraySums(layer, array, faults)).toThrow(error);
    expect(() => [...disturbedSums(layer, faults, array)]).toThrow(error);
    expect(() => registerPatches(layer, faults, array)).toThrow(error);
  });
});
