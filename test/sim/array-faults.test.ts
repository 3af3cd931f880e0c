import { fc } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import {
  type ConvolutionShape,
  featureCount,
  fullyConnectedShape,
  weightCount,
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
  return faultySums(patched(layer, array, faults), disturbedSums(layer, faults, array));
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
