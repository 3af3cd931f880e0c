import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { libraryFile, libraryProblem, SCRATCH_BYTES } from '../../core/index.js';
import { fieldNames, type LayoutName } from '../../kernels/layouts.js';
import { loadLibrary } from '../../kernels/native/library.js';

/** Bins of `markDraws` take 8.4 MB. */
const MEMORY_BYTES = 384 * 1024;
const BINS = 384 * 1024;
const DESCRIPTOR = 64;
const FINISH = 512;
const INT8_FINISH = 704;
const DATA = 1024;
const SUMS = 8192;
const OUTPUT = 12_288;
/** Transformed weights of a block take most of the memory. */
const TRANSFORMED = 16_384;
const PRODUCTS = 32_768;
const TRANSFORMED_WEIGHTS = 65_536;

/** A small convolution, pooling or product, whose parts lie within the memory. */
const FIELDS: Readonly<Record<string, number>> = {
  ...{ inputHeight: 4, inputWidth: 4, inputChannels: 16, outputHeight: 4, outputWidth: 4 },
  ...{ outputChannels: 16, kernelHeight: 3, kernelWidth: 3, strideY: 1, strideX: 1 },
  ...{ padTop: 1, padLeft: 1, dilationY: 1, dilationX: 1, groups: 1, channels: 16 },
  ...{ inputZeroPoint: 3, windowStride: 192, steps: 48, panelsPerGroup: 1, rowStride: 16 },
  ...{ blockRows: 4, blockSteps: 16, depthwise: 0, weights: DATA, bias: DATA, multipliers: DATA },
  ...{ weightZeroPoints: DATA, thresholds: DATA, thresholdStride: 0, clip: 1, high: 255, low: 0 },
  ...{ outputZeroPoint: 0, windows: SUMS, accumulators: 9216, groupChannels: 16, zeroPoint: 0 },
  ...{ rowBytes: 64, panelBytes: 1024, panels: 1, sumBytes: 64, positions: 16, relu: 1 },
  ...{ tileOutputs: 4, tileRows: 1, tileColumns: 1, inputPlane: 64, outputPlane: 64 },
  ...{ weightPlane: 64, packed: 0, zeros: DATA, scratch: DATA },
  ...{
    panelRows: 4,
    unpaddedImages: 1,
    unpaddedBlock: 1,
    transformedImages: 2,
    blockTiles: 2,
    blockChannels: 64,
    keepsWeights: 0,
  },
  ...{ firstInputs: DATA, taps: DATA },
  ...{ padding: DATA, transformedInputs: TRANSFORMED, transformedWeights: TRANSFORMED_WEIGHTS },
  ...{ products: PRODUCTS, finish: INT8_FINISH, rowChannels: 16 },
  ...{ starts: SUMS, differences: SUMS + 128, usedBlocks: SUMS + 2048 },
};

/** A byte of bits for each weight of the convolution, or the first ones and their values. */
const WEIGHTS = 16 * 16 * 9;
const BITS = new Uint8Array(WEIGHTS).fill(3);
const INDICES = Uint32Array.of(0, 5, WEIGHTS - 1);
const VALUES = Int8Array.of(-1, 2, 127);

/** Zero points that add nothing, for every tile of products: of AMX it has 64 taps. */
const SMALLEST = {
  ...{ weightZeroPoints: 0, inputZeroPoint: 0, inputChannels: 64, steps: 144, windowStride: 576 },
  ...{ blockRows: 1, panelRows: 1, accumulators: 45_056, windows: 44_032, weights: 16_384 },
  ...{ transformedImages: 0 },
};

/**
 * A function, the layout of the descriptor that its first argument is, its arguments after memory and instruction set,
 * fields of the descriptor other than these, and the arrays that follow.
 */
type Call = readonly [
  string,
  LayoutName | undefined,
  readonly number[],
  Readonly<Record<string, number>>,
  ...arrays: readonly (Uint8Array | Int8Array | Uint32Array)[],
];

const CALLS: readonly Call[] = [
  ['runInt8', 'Int8Descriptor', [DESCRIPTOR, DATA, OUTPUT, 2], {}],
  // Without zero points of weights, tiles are transformed.
  ['runInt8', 'Int8Descriptor', [DESCRIPTOR, DATA, OUTPUT, 2], { weightZeroPoints: 0 }],
  // Of a single image padding is left out.
  ['runInt8', 'Int8Descriptor', [DESCRIPTOR, DATA, OUTPUT, 1], { ...SMALLEST }],
  ['accumulateInt8', 'Int8Descriptor', [DESCRIPTOR, DATA, 2, 3, 4], {}],
  ['finishInt8', 'Int8Descriptor', [DESCRIPTOR, DATA, 2, 3, 4], {}],
  ['invertInt8Weights', 'Int8Descriptor', [DESCRIPTOR], {}, BITS],
  ['setInt8Weights', 'Int8Descriptor', [DESCRIPTOR], {}, INDICES, VALUES],
  [
    'updateConvolution',
    'DeltaConvolutionDescriptor',
    [DESCRIPTOR, 256, 2, 288, 1, DATA, DATA, OUTPUT, TRANSFORMED],
    {},
  ],
  ['markDraws', undefined, [1, 2, 3, 4, 5, 600, 1000, 64, DATA, BINS], {}],
  ['markKinds', undefined, [1, 2, 3, 4, DATA, 100, 1000, 7, 8, 64], {}],
  ['arrangeBits', undefined, [64, DATA, 8, 4, 64, 64], {}],
  ['countBits', undefined, [64, 50], {}],
  ['poolUint8', 'PoolingDescriptor', [DESCRIPTOR, DATA, OUTPUT, 2], {}],
  ['poolFloat32', 'PoolingDescriptor', [DESCRIPTOR, DATA, OUTPUT, 2], {}],
  ['gatherFloat32', 'GatherDescriptor', [DESCRIPTOR, DATA, SUMS, 3, 2, 0], {}],
  ['multiplyFloat32Panels', 'ProductDescriptor', [DESCRIPTOR, DATA, 2048, SUMS, 3, 16, DATA], {}],
  ['finishFloat32Rows', 'Float32FinishDescriptor', [DESCRIPTOR, DATA, 64, SUMS, 64, 3, 2, 1], {}],
  ['scatterFloat32Channels', 'Float32FinishDescriptor', [DESCRIPTOR, DATA, SUMS, 3, 256, 2, 1], {}],
  ['collectFloat32Channels', undefined, [DATA, 4096, 16, 256, 2], {}],
  ['addFloat32Groups', 'Float32GroupsDescriptor', [DESCRIPTOR, DATA, SUMS, 3, 2], {}],
  ['exceedsFloat32', undefined, [DATA, 100, 7], {}],
  ['transformFloat32Kernels', 'WinogradDescriptor', [DESCRIPTOR, 3, 4, 2], {}],
  ['transformFloat32Inputs', 'WinogradDescriptor', [DESCRIPTOR, DATA, SUMS, 0, 1], {}],
  ['transformFloat32Outputs', 'WinogradDescriptor', [DESCRIPTOR, FINISH, DATA, SUMS, 0, 1], {}],
];

const NAMED = CALLS.map((call) => [call[0], call] as const);

function writeFields(
  memory: ArrayBuffer,
  address: number,
  layout: LayoutName,
  others: Readonly<Record<string, number>> = {},
): Int32Array {
  const names = fieldNames(layout);
  const fields = new Int32Array(memory, address, names.length);
  for (const [index, name] of names.entries()) fields[index] = others[name] ?? FIELDS[name];
  // Windows of float32 values take four times the bytes.
  if (layout === 'GatherDescriptor') fields[names.length - 1] = 576;
  return fields;
}

/** Memory with the descriptors of a call; the fields of its own, or the list of channels where it has none. */
function memoryFor(
  name: string,
  layout: LayoutName | undefined,
  others?: Readonly<Record<string, number>>,
): { memory: ArrayBuffer; fields: Int32Array } {
  const bytes = name === 'markDraws' ? BINS + SCRATCH_BYTES : MEMORY_BYTES;
  const memory = new ArrayBuffer(bytes);
  writeFields(memory, FINISH, 'Float32FinishDescriptor');
  writeFields(memory, INT8_FINISH, 'Int8FinishDescriptor');
  const fields = layout
    ? writeFields(memory, DESCRIPTOR, layout, others)
    : new Int32Array(memory, 256, 2);
  return { memory, fields };
}

/** Numbers that break sums, products, signs and alignment. */
const extreme = fc.oneof(
  fc.constantFrom(0, 1, 2, 3, 4, -1, 2 ** 31 - 1, -(2 ** 31), 2 ** 30, 65_536, MEMORY_BYTES),
  fc.integer({ min: -20, max: 20_000 }),
  fc.integer(),
);

const changes = fc.array(fc.tuple(fc.nat(), extreme), { maxLength: 3 });

const file = libraryFile();
const problem = libraryProblem(file);
const suite = problem === undefined ? describe : describe.skip;

suite(`functions of the native library${problem === undefined ? '' : `: ${problem}`}`, () => {
  const library = problem === undefined ? loadLibrary(file) : undefined;
  const sets = (library?.instructionSets ?? []).flatMap(({ supported }, set) =>
    supported ? [set] : [],
  );

  function call(
    name: string,
    memory: ArrayBuffer,
    set: number,
    numbers: readonly number[],
    arrays: readonly unknown[],
  ) {
    const functions = library as unknown as Readonly<Record<string, (...all: unknown[]) => void>>;
    functions[name](memory, set, ...numbers, ...arrays);
  }

  test.each(NAMED)(
    '%s runs where all is within the memory',
    (_, [name, layout, numbers, others, ...arrays]) => {
      for (const set of sets)
        call(name, memoryFor(name, layout, others).memory, set, numbers, arrays);
    },
  );

  // What they write shows nothing; a build with sanitizers ends where they leave the memory (.ci/slow).
  test.each(NAMED)(
    '%s refuses what is not, whatever it is told',
    (_, [name, layout, numbers, others, ...arrays]) => {
      const refusals = new Set<string>();
      fc.assert(
        fc.property(
          changes,
          changes,
          fc.constantFrom(...sets),
          (fieldChanges, numberChanges, set) => {
            const { memory, fields } = memoryFor(name, layout, others);
            for (const [place, value] of fieldChanges) fields[place % fields.length] = value;
            const changed = [...numbers];
            for (const [place, value] of numberChanges) changed[place % changed.length] = value;
            try {
              call(name, memory, set, changed, arrays);
            } catch (error) {
              expect(error).toBeInstanceOf(TypeError);
              refusals.add((error as TypeError).message);
            }
          },
        ),
        { numRuns: name === 'markDraws' ? 300 : 2000 },
      );
      expect(refusals).toContain('an address lies outside the memory');
    },
  );

  test('other arguments are refused', () => {
    const { memory } = memoryFor('runInt8', 'Int8Descriptor');
    const numbers = [DESCRIPTOR, DATA, OUTPUT, 1];
    const wrong: [readonly unknown[], string][] = [
      [[], 'wrong number of arguments'],
      [[memory, ...numbers], 'wrong number of arguments'],
      [[new Uint8Array(8), 0, ...numbers], 'the memory is not an ArrayBuffer'],
      [[memory, 99, ...numbers], 'the processor lacks the instruction set'],
      [[memory, '0', ...numbers], 'an argument is not an integer of 32 bits'],
      [[memory, NaN, ...numbers], 'an argument is not an integer of 32 bits'],
      [[memory, -1, ...numbers], 'an argument is not an integer of 32 bits'],
      [[memory, 2 ** 32, ...numbers], 'an argument is not an integer of 32 bits'],
    ];
    const set = sets[0];
    const functions = library as unknown as Readonly<Record<string, (...all: unknown[]) => void>>;
    const wrongArrays: [string, readonly unknown[], string][] = [
      ['invertInt8Weights', [BITS.subarray(1)], 'a number of rows, channels or tiles'],
      ['invertInt8Weights', [INDICES], 'an argument is not an array of its type'],
      ['invertInt8Weights', [new Uint8Array(memory, 0, WEIGHTS)], 'an array lies in the memory'],
      ['setInt8Weights', [INDICES, VALUES.subarray(1)], 'a number of rows, channels or tiles'],
      ['setInt8Weights', [Uint32Array.of(0, 5, 5), VALUES], 'a number of rows, channels or tiles'],
      ['setInt8Weights', [Uint32Array.of(0, 5, WEIGHTS), VALUES], 'a number of rows, channels'],
    ];
    for (const [name, arrays, message] of wrongArrays) {
      expect(() => functions[name](memory, set, DESCRIPTOR, ...arrays)).toThrow(message);
    }
    new Uint32Array(memory, DATA, 100).fill(1000);
    expect(() => functions.markKinds(memory, set, 1, 2, 3, 4, DATA, 100, 1000, 7, 8, 64)).toThrow(
      'a number of rows, channels or tiles is out of range',
    );
    const { memory: large } = memoryFor('markDraws', undefined);
    const overlapping = [1, 2, 3, 4, 5, 600, 1000, BINS + 64, DATA, BINS];
    expect(() => functions.markDraws(large, set, ...overlapping)).toThrow(
      'what is written overlaps what is read',
    );
    const run = library?.runInt8 as unknown as (...all: unknown[]) => void;
    for (const [given, message] of wrong) {
      expect(() => run(...given)).toThrow(new TypeError(message));
    }
  });
});
