import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type ConvolutionShape,
  featureCount,
  multiplyAccumulates,
  weightCount,
} from '../../core/index.js';
import type { Int8ConvolutionSpecification } from '../../kernels/index.js';
import { planInt8Native } from '../../kernels/native/plan.js';
import {
  transformInput,
  transformOutput,
  transformWeights,
  WINOGRAD_4X4_LIMIT,
} from '../../kernels/reference/winograd.js';
import { channelBounds, largestSum } from '../../kernels/wasm/int8/bounds.js';
import { planInt8Convolution, SIDE_CHANNELS } from '../../kernels/wasm/int8/plan.js';
import { type Int8Case, int8Case, int8CaseOf, plain3x3, sameConvolution } from './arbitraries.js';
import {
  describeBackends,
  fastBackends,
  reference,
  runInt8,
  runInt8Kernel,
  unobserved,
  wasm,
} from './support.js';

function matrix(rows: number, columns: number, low: number, high: number) {
  const row = fc.array(fc.integer({ min: low, max: high }), {
    minLength: columns,
    maxLength: columns,
  });
  return fc.array(row, { minLength: rows, maxLength: rows });
}

/** Valid correlation of a 6×6 tile with a 3×3 kernel. */
function correlate(input: number[][], weights: number[][]): number[][] {
  return [0, 1, 2, 3].map((y) =>
    [0, 1, 2, 3].map((x) =>
      weights
        .flatMap((row, ky) => row.map((weight, kx) => weight * input[y + ky][x + kx]))
        .reduce((sum, product) => sum + product, 0),
    ),
  );
}

function products(input: number[][], weights: number[][], copies: number): number[][] {
  const a = transformInput(input);
  const b = transformWeights(weights);
  return a.map((row, i) => row.map((value, j) => Math.imul(Math.imul(value, b[i][j]), copies)));
}

describe('F(4×4, 3×3) in integers modulo 2^32', () => {
  const tile = fc.integer({ min: 0, max: 255 }).chain((zeroPoint) =>
    fc.record({
      input: matrix(6, 6, -zeroPoint, 255 - zeroPoint),
      weights: matrix(3, 3, -255, 255),
      copies: fc.integer({ min: 1, max: 57 }),
    }),
  );

  test('sums of equal channels are exact below the limit, whatever overflows on the way', () => {
    fc.assert(
      fc.property(tile, ({ input, weights, copies }) => {
        // 57 · 9 · 255 · 255 < 2^25.
        const expected = correlate(input, weights).map((row) => row.map((sum) => sum * copies));
        expect(transformOutput(products(input, weights, copies))).toEqual(expected);
      }),
    );
  });

  test('at the limit the first output of a tile is wrong', () => {
    const input = [...Array(6)].map(() => Array<number>(6).fill(128));
    const weights = [...Array(3)].map(() => Array<number>(3).fill(0));
    weights[0][0] = 128;
    const exact = WINOGRAD_4X4_LIMIT / (128 * 128);
    expect(transformOutput(products(input, weights, exact - 1))[0][0]).toBe(
      WINOGRAD_4X4_LIMIT - 128 * 128,
    );
    expect(transformOutput(products(input, weights, exact))[0][0]).toBe(-WINOGRAD_4X4_LIMIT);
  });

  test('operands fit int16 at every extreme', () => {
    const corners = fc.integer({ min: 0, max: 255 }).chain((zeroPoint) =>
      fc.record({
        input: fc.array(
          fc.array(fc.constantFrom(-zeroPoint, 255 - zeroPoint), { minLength: 6, maxLength: 6 }),
          { minLength: 6, maxLength: 6 },
        ),
        weights: fc.array(fc.array(fc.constantFrom(-255, 255), { minLength: 3, maxLength: 3 }), {
          minLength: 3,
          maxLength: 3,
        }),
      }),
    );
    fc.assert(
      fc.property(corners, ({ input, weights }) => {
        expect(Math.max(...transformInput(input).flat().map(Math.abs))).toBeLessThanOrEqual(17_340);
        expect(Math.max(...transformWeights(weights).flat().map(Math.abs))).toBeLessThanOrEqual(
          12_495,
        );
      }),
    );
  });

  test('largestSum bounds every sum, and some input reaches it', () => {
    const channel = fc.record({
      weights: fc.array(fc.integer({ min: -255, max: 255 }), { minLength: 1, maxLength: 20 }),
      zeroPoint: fc.integer({ min: 0, max: 255 }),
    });
    fc.assert(
      fc.property(channel, ({ weights, zeroPoint }) => {
        const positive = weights.reduce((sum, weight) => sum + Math.max(weight, 0), 0);
        const negative = weights.reduce((sum, weight) => sum + Math.max(-weight, 0), 0);
        const sumOf = (sign: number) =>
          weights.reduce(
            (sum, weight) => sum + weight * (weight * sign > 0 ? 255 - zeroPoint : -zeroPoint),
            0,
          );
        expect(largestSum(positive, negative, zeroPoint)).toBe(Math.max(sumOf(1), -sumOf(-1)));
      }),
    );
  });
});

describe('planInt8Convolution', () => {
  const square = (channels: number, outputs: number, size: number): ConvolutionShape => ({
    input: { channels, height: size, width: size },
    output: { channels: outputs, height: size, width: size },
    kernel: [3, 3],
    strides: [1, 1],
    pads: [1, 1, 1, 1],
    dilations: [1, 1],
    groups: 1,
  });

  test('the layers of VGG-16 for 32×32 images', () => {
    const algorithms = [
      square(3, 64, 32),
      square(64, 64, 32),
      square(128, 256, 8),
      square(512, 512, 4),
      square(512, 512, 2),
    ].map((shape) => planInt8Convolution(shape).algorithm);
    expect(algorithms).toEqual([
      'direct',
      'winograd-4x4',
      'winograd-4x4',
      'winograd-4x4',
      'toeplitz-2x2',
    ]);
  });

  test('blocks fit the memory they share', () => {
    fc.assert(
      fc.property(plain3x3, fc.constantFrom(1, 7, 60), ({ input, output, ...rest }, factor) => {
        const plan = planInt8Convolution({
          ...rest,
          input: { ...input, channels: input.channels * factor },
          output: { ...output, channels: output.channels * factor },
        });
        if (!('elements' in plan)) return;
        expect(plan.elements * plan.inputElement).toBeLessThanOrEqual(2.5 * 2 ** 20);
        expect(plan.elements * plan.productElement).toBeLessThanOrEqual(1.25 * 2 ** 20);
        expect(plan.keptTiles * plan.side ** 2 * plan.accumulatorRow).toBeLessThanOrEqual(2 ** 19);
        expect(Math.min(plan.blockTiles, plan.blockPanels, plan.keptTiles)).toBeGreaterThan(0);
      }),
    );
  });
});

/** A 3×3 layer whose channels all have a proof at first, and random changes to it. */
const faultyLayer = fc.record({
  testCase: int8Case.filter(
    ({ specification }) => 'elements' in planInt8Convolution(specification.shape),
  ),
  draws: fc.array(fc.tuple(fc.nat(), fc.integer({ min: -128, max: 127 })), {
    minLength: 1,
    maxLength: 60,
  }),
});

describeBackends('an int8 kernel', (backend) => {
  test('random faults act like a layer built with them; undone, the outputs are the original ones', () => {
    fc.assert(
      fc.property(faultyLayer, ({ testCase, draws }) => {
        const { weights } = testCase.specification;
        const changed = weights.slice();
        const kernel = backend.int8Convolution(testCase.specification);
        kernel.setClip(testCase.clip);
        const before = runInt8Kernel(backend, kernel, testCase);
        for (const [draw, value] of draws) {
          changed[draw % weights.length] = value;
          kernel.setWeight(draw % weights.length, value);
        }
        const faulty = {
          ...testCase,
          specification: { ...testCase.specification, weights: changed },
        };
        expect(runInt8Kernel(backend, kernel, testCase)).toEqual(runInt8(reference, faulty));
        for (const [draw] of draws)
          kernel.setWeight(draw % weights.length, weights[draw % weights.length]);
        expect(runInt8Kernel(backend, kernel, testCase)).toEqual(before);
      }),
      { numRuns: 40 },
    );
  });
});

describe('channels whose proof a fault breaks', () => {
  const outputs = 40;
  const inputs = 120;
  const shape: ConvolutionShape = {
    input: { channels: inputs, height: 5, width: 6 },
    output: { channels: outputs, height: 5, width: 6 },
    kernel: [3, 3],
    strides: [1, 1],
    pads: [1, 1, 1, 1],
    dilations: [1, 1],
    groups: 1,
  };
  const window = inputs * 9;
  const specification: Int8ConvolutionSpecification = {
    shape,
    inputZeroPoint: 0,
    weights: Int8Array.from({ length: weightCount(shape) }, (_, i) => (i % 101) - 125),
    // Extreme weights of the channels with this zero point leave the limit: 1080 · 255 · 254 > 2^25.
    weightZeroPoints: new Int32Array(outputs).fill(-127),
    bias: Int32Array.from({ length: outputs }, (_, channel) => 1000 * channel),
    multipliers: new Float32Array(outputs).fill(2 ** -20),
    outputZeroPoint: 3,
    low: 0,
    high: 255,
  };
  const input = new Uint8Array(2 * inputs * 30).fill(255);
  const testCase = { specification, input, images: 2, clip: undefined };

  test.each([
    ['one', 1],
    ['as many as the side panel holds', SIDE_CHANNELS],
    ['more: the layer runs directly', SIDE_CHANNELS + 1],
    ['all', outputs],
  ])('%s', (_name, broken) => {
    const kernel = wasm.int8Convolution(specification);
    const before = runInt8Kernel(wasm, kernel, testCase);
    const changed = specification.weights.slice();
    for (let channel = 0; channel < broken; channel++) {
      const first = ((channel * 7) % outputs) * window;
      for (let index = first; index < first + window; index++) {
        changed[index] = 127;
        kernel.setWeight(index, 127);
      }
    }
    const faulty = { ...testCase, specification: { ...specification, weights: changed } };
    const bounds = [specification, faulty.specification].map(channelBounds);
    const unproven = bounds.map(
      ({ isProven }) => [...Array(outputs).keys()].filter((channel) => !isProven(channel)).length,
    );
    expect(unproven).toEqual([0, broken]);
    const expected = runInt8(reference, faulty);
    expect(Math.max(...expected.accumulators)).toBeGreaterThan(WINOGRAD_4X4_LIMIT);
    expect(runInt8Kernel(wasm, kernel, testCase)).toEqual(expected);
    // A change while the fallback is in force.
    changed[5] = -128;
    kernel.setWeight(5, -128);
    expect(runInt8Kernel(wasm, kernel, testCase)).toEqual(runInt8(reference, faulty));
    for (const [index, weight] of specification.weights.entries()) kernel.setWeight(index, weight);
    expect(runInt8Kernel(wasm, kernel, testCase)).toEqual(before);
  });

  test('without an observer the outputs are the same', () => {
    const kernel = wasm.int8Convolution(specification);
    for (let index = window; index < 3 * window; index++) kernel.setWeight(index, 127);
    const ownInput = wasm.allocateUint8(input.length);
    ownInput.set(input);
    const output = wasm.allocateUint8(2 * outputs * 30);
    kernel.run(ownInput, output, 2);
    expect([...output]).toEqual(runInt8Kernel(wasm, kernel, testCase).output);
  });
});

/** From so many images on, kernels in C transform this layer; undefined: never. */
function transformedImages(shape: ConvolutionShape): number | undefined {
  const tiles = { tileRows: 6, tilePanels: 4, tileSteps: 1, dotProducts: true, transforms: true };
  return planInt8Native(shape, tiles).transform?.images;
}

/** Layers of several blocks of channels, whose maps are multiples of no tile, with as few images as are transformed. */
const transformedCase = int8CaseOf(
  fc
    .record({
      inputs: fc.integer({ min: 2, max: 9 }),
      outputs: fc.integer({ min: 1, max: 9 }),
      // Outputs that nearly fill their tiles.
      lines: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.nat({ max: 1 })),
      columns: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.nat({ max: 1 })),
      pads: fc.tuple(
        fc.nat({ max: 2 }),
        fc.nat({ max: 2 }),
        fc.nat({ max: 2 }),
        fc.nat({ max: 2 }),
      ),
    })
    .map(({ inputs, outputs, lines, columns, pads }): ConvolutionShape => {
      const [top, left, bottom, right] = pads;
      const height = 4 * lines[0] - lines[1];
      const width = 4 * columns[0] - columns[1];
      return {
        ...sameConvolution(16 * inputs, 16 * outputs, 1),
        input: {
          channels: 16 * inputs,
          height: height + 2 - top - bottom,
          width: width + 2 - left - right,
        },
        output: { channels: 16 * outputs, height, width },
        pads,
      };
    })
    .filter((shape) => {
      if (shape.input.height < 1 || shape.input.width < 1) return false;
      const images = transformedImages(shape);
      return images !== undefined && images * multiplyAccumulates(shape) < 1e7;
    }),
).map((testCase): Int8Case => {
  const { shape } = testCase.specification;
  const images = transformedImages(shape) ?? 1;
  const values = images * featureCount(shape.input);
  return {
    ...testCase,
    // Kernels in C transform weights whose zero points are zero.
    specification: {
      ...testCase.specification,
      weightZeroPoints: new Int32Array(shape.output.channels),
    },
    images,
    input: Uint8Array.from({ length: values }, (_, i) =>
      i < testCase.input.length ? testCase.input[i] : Math.imul(i, 0x9e3779b1) >>> 24,
    ),
  };
});

test('transformed layers have the outputs of the reference, before and after a fault', () => {
  fc.assert(
    fc.property(
      transformedCase,
      fc.nat(),
      fc.integer({ min: -128, max: 127 }),
      (testCase, draw, value) => {
        const { specification, clip } = testCase;
        const weights = specification.weights.slice();
        weights[draw % weights.length] = value;
        const faulty = { ...testCase, specification: { ...specification, weights } };
        const expected = runInt8(reference, testCase).output;
        const expectedFaulty = runInt8(reference, faulty).output;
        for (const backend of fastBackends) {
          const kernel = backend.int8Convolution(specification);
          kernel.setClip(clip);
          expect(unobserved(backend, kernel, testCase), backend.name).toEqual(expected);
          kernel.setWeight(draw % weights.length, value);
          expect(unobserved(backend, kernel, testCase), backend.name).toEqual(expectedFaulty);
        }
      },
    ),
    { numRuns: 8 },
  );
});

describe('groups of channels whose proof a fault breaks', () => {
  const shape = sameConvolution(128, 80, 8);
  const images = transformedImages(shape) ?? 1;
  const window = 128 * 9;
  const specification: Int8ConvolutionSpecification = {
    shape,
    inputZeroPoint: 9,
    weights: Int8Array.from({ length: weightCount(shape) }, (_, i) => (i % 101) - 50),
    weightZeroPoints: new Int32Array(80),
    bias: Int32Array.from({ length: 80 }, (_, channel) => 1000 * channel),
    multipliers: new Float32Array(80).fill(2 ** -18),
    outputZeroPoint: 100,
    low: 0,
    high: 255,
  };
  const input = new Uint8Array(images * 128 * 64).fill(255);
  const testCase = { specification, input, images, clip: undefined };
  const before = runInt8(reference, testCase).output;

  // Kernels in C compute 64 channels by one algorithm: 1152 · 127 · 255 > 2^25.
  test.each([
    ['the first', [3], 127],
    ['the last, by negative weights', [79], -128],
    ['both', [0, 63, 64, 70], 127],
  ])('%s', (_name, broken, value) => {
    const weights = specification.weights.slice();
    for (const channel of broken) {
      weights.fill(value, channel * window, (channel + 1) * window);
    }
    const faulty = { ...testCase, specification: { ...specification, weights } };
    const expected = runInt8(reference, faulty);
    const largest = expected.accumulators.reduce((most, sum) => Math.max(most, Math.abs(sum)), 0);
    expect(largest).toBeGreaterThan(WINOGRAD_4X4_LIMIT);
    for (const backend of fastBackends) {
      const kernel = backend.int8Convolution(specification);
      expect(unobserved(backend, kernel, testCase), backend.name).toEqual(before);
      for (const [index, weight] of weights.entries()) kernel.setWeight(index, weight);
      expect(unobserved(backend, kernel, testCase), backend.name).toEqual(expected.output);
      for (const [index, weight] of specification.weights.entries()) {
        kernel.setWeight(index, weight);
      }
      expect(unobserved(backend, kernel, testCase), backend.name).toEqual(before);
    }
  });
});

test('outputs do not depend on the observer', () => {
  fc.assert(
    fc.property(
      int8Case.filter(
        ({ specification }) => 'elements' in planInt8Convolution(specification.shape),
      ),
      (testCase) => {
        const kernel = wasm.int8Convolution(testCase.specification);
        kernel.setClip(testCase.clip);
        const observed = runInt8Kernel(wasm, kernel, testCase).output;
        const input = wasm.allocateUint8(testCase.input.length);
        input.set(testCase.input);
        const output = wasm.allocateUint8(observed.length);
        kernel.run(input, output, testCase.images);
        expect([...output]).toEqual(observed);
      },
    ),
    { numRuns: 60 },
  );
});
