import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type ConvolutionShape,
  featureCount,
  fullyConnectedShape,
  windowSize,
} from '../../core/index.js';
import { type Int8ConvolutionSpecification, requantize } from '../../kernels/index.js';
import { xorshift } from '../../testing/index.js';
import { type Int8Case, int8Case, int8CaseOf, mostlyPaddingShape } from './arbitraries.js';
import {
  describeBackends,
  fastBackends,
  reference,
  runInt8,
  runInt8Kernel,
  unobserved,
} from './support.js';

/** ONNX's definition of Conv on one output value, in exact integers, then wrapped to 32 bits. */
function exactAccumulator(testCase: Int8Case, row: number, channel: number): number {
  const { shape, inputZeroPoint, weights, weightZeroPoints, bias } = testCase.specification;
  const { input, output, kernel, strides, pads, dilations, groups } = shape;
  const positions = output.height * output.width;
  const image = Math.floor(row / positions);
  const y = Math.floor((row % positions) / output.width);
  const x = row % output.width;
  const groupInputs = input.channels / groups;
  const group = Math.floor((channel * groups) / output.channels);
  let sum = BigInt(bias[channel]);
  for (let c = 0; c < groupInputs; c++) {
    for (let ky = 0; ky < kernel[0]; ky++) {
      for (let kx = 0; kx < kernel[1]; kx++) {
        const inputY = y * strides[0] + ky * dilations[0] - pads[0];
        const inputX = x * strides[1] + kx * dilations[1] - pads[1];
        if (inputY < 0 || inputY >= input.height || inputX < 0 || inputX >= input.width) continue;
        const pixel = (image * input.height + inputY) * input.width + inputX;
        const value = testCase.input[pixel * input.channels + group * groupInputs + c];
        const weight = weights[((channel * groupInputs + c) * kernel[0] + ky) * kernel[1] + kx];
        sum += BigInt(value - inputZeroPoint) * BigInt(weight - weightZeroPoints[channel]);
      }
    }
  }
  return Number(BigInt.asIntN(32, sum));
}

describeBackends('int8 convolution', (backend) => {
  test('accumulators equal exact integer arithmetic modulo 2^32', () => {
    fc.assert(
      fc.property(int8Case, fc.nat(), (testCase, start) => {
        const { accumulators } = runInt8(backend, testCase);
        const { channels } = testCase.specification.shape.output;
        const step = Math.ceil(accumulators.length / 20);
        for (let i = start % step; i < accumulators.length; i += step) {
          const expected = exactAccumulator(testCase, Math.floor(i / channels), i % channels);
          expect(accumulators[i]).toBe(expected);
        }
      }),
      { numRuns: 40 },
    );
  });

  const shape: ConvolutionShape = {
    input: { channels: 1, height: 2, width: 2 },
    output: { channels: 1, height: 2, width: 2 },
    kernel: [2, 2],
    strides: [1, 1],
    pads: [0, 0, 1, 1],
    dilations: [1, 1],
    groups: 1,
  };
  const specification: Int8ConvolutionSpecification = {
    shape,
    inputZeroPoint: 10,
    weights: Int8Array.of(1, 2, 3, -128),
    weightZeroPoints: Int32Array.of(1),
    bias: Int32Array.of(5),
    multipliers: Float32Array.of(0.5),
    outputZeroPoint: 4,
    low: 0,
    high: 255,
  };
  // Centred input 1 2 / 3 4, centred weights 0 1 / 2 -129; zeros right and below.
  const input = Uint8Array.of(11, 12, 13, 14);
  const accumulators = [2 + 6 - 516 + 5, 8 + 5, 4 + 5, 0 + 5];

  test('a convolution computed by hand', () => {
    const run = runInt8(backend, { specification, input, images: 1, clip: undefined });
    expect(run.accumulators).toEqual(accumulators);
    // -251.5 saturates, 6.5 -> 6, 4.5 -> 4, 2.5 -> 2.
    expect(run.output).toEqual([0, 10, 8, 6]);
  });

  test('clip-zero and clamp act on accumulators above the threshold only', () => {
    const kernel = backend.int8Convolution(specification);
    const outputs = [];
    for (const mode of ['clip-zero', 'clamp'] as const) {
      kernel.setClip({ mode, thresholds: Int32Array.of(9) });
      const run = runInt8Kernel(backend, kernel, { input, images: 1 });
      expect(run.accumulators).toEqual(accumulators);
      outputs.push(run.output);
    }
    kernel.setClip(undefined);
    outputs.push(runInt8Kernel(backend, kernel, { input, images: 1 }).output);
    expect(outputs).toEqual([
      [0, 4, 8, 6],
      [0, 8, 8, 6],
      [0, 10, 8, 6],
    ]);
  });

  test('a changed weight acts like a kernel built with it, and can be taken back', () => {
    const property = fc.property(
      int8Case,
      fc.nat(),
      fc.integer({ min: -128, max: 127 }),
      (testCase, draw, value) => {
        const { weights, shape } = testCase.specification;
        const index = draw % weights.length;
        const original = weights[index];
        const changed = weights.slice();
        changed[index] = value;
        const kernel = backend.int8Convolution(testCase.specification);
        kernel.setClip(testCase.clip);
        const before = runInt8Kernel(backend, kernel, testCase);
        expect(kernel.getWeight(index)).toBe(original);
        kernel.setWeight(index, value);
        expect(kernel.getWeight(index)).toBe(value);
        const neighbour = (index + windowSize(shape)) % weights.length;
        expect(kernel.getWeight(neighbour)).toBe(changed[neighbour]);
        const fresh = {
          ...testCase,
          specification: { ...testCase.specification, weights: changed },
        };
        expect(runInt8Kernel(backend, kernel, testCase)).toEqual(runInt8(backend, fresh));
        kernel.setWeight(index, original);
        expect(runInt8Kernel(backend, kernel, testCase)).toEqual(before);
        expect(weights[index]).toBe(original);
      },
    );
    fc.assert(property, { numRuns: 25 });
  });
});

/** Changes of a kernel's weights, one after the other: bits of all, or some of them. */
const weightChanges = fc.array(
  fc.tuple(
    fc.constantFrom('bits', 'list'),
    fc.nat(),
    fc.constantFrom(0.001, 0.1, 0.5, 1),
    fc.infiniteStream(fc.integer({ min: -128, max: 127 })),
  ),
  { minLength: 1, maxLength: 4 },
);

test('weights changed all at once, as bits or as lists, act like a kernel built with them', () => {
  const property = fc.property(int8Case, weightChanges, (testCase, all) => {
    const { weights } = testCase.specification;
    const backends = [reference, ...fastBackends];
    const kernels = backends.map((backend) => backend.int8Convolution(testCase.specification));
    for (const kernel of kernels) kernel.setClip(testCase.clip);
    const now = weights.slice();
    for (const [kind, seed, share, values] of all) {
      const random = xorshift(seed + 1);
      const bits = Uint8Array.from(weights, () =>
        random() < share ? values.next().value & 0xff : 0,
      );
      for (const [index, inverted] of bits.entries()) now[index] ^= inverted;
      const indices = Uint32Array.from(bits.keys()).filter((index) => bits[index] !== 0);
      const changed = Int8Array.from(indices, (index) => now[index]);
      const specification = { ...testCase.specification, weights: now };
      const expected = runInt8(reference, { ...testCase, specification });
      for (const [place, kernel] of kernels.entries()) {
        if (kind === 'bits') kernel.invertBits(bits);
        else kernel.setWeights(indices, changed);
        expect(Array.from(now.keys(), (index) => kernel.getWeight(index))).toEqual([...now]);
        const { name } = backends[place];
        expect(runInt8Kernel(backends[place], kernel, testCase), name).toEqual(expected);
      }
    }
  });
  fc.assert(property, { numRuns: 60 });
});

test('bits of another number of weights are refused', () => {
  const [{ specification }] = fc.sample(int8Case, 1);
  for (const backend of [reference, ...fastBackends]) {
    const kernel = backend.int8Convolution(specification);
    const wrong = new Uint8Array(specification.weights.length + 1);
    expect(() => kernel.invertBits(wrong)).toThrow('give a byte for each');
  }
});

test('every backend equals the reference to the bit', () => {
  fc.assert(
    fc.property(int8Case, (testCase) => {
      const expected = runInt8(reference, testCase);
      for (const backend of fastBackends) {
        expect(runInt8(backend, testCase), backend.name).toEqual(expected);
      }
    }),
    { numRuns: 300 },
  );
});

test('outputs that nobody observes are the same', () => {
  fc.assert(
    fc.property(int8Case, (testCase) => {
      const { output } = runInt8(reference, testCase);
      for (const backend of fastBackends) {
        const kernel = backend.int8Convolution(testCase.specification);
        kernel.setClip(testCase.clip);
        expect(unobserved(backend, kernel, testCase), backend.name).toEqual(output);
      }
    }),
    { numRuns: 100 },
  );
});

/** Small maps of many images and zero points that add nothing: kernels in C leave padding out. */
const zeroPaddedCase = fc
  .tuple(
    int8CaseOf(
      mostlyPaddingShape.map((shape) => ({
        ...shape,
        input: { ...shape.input, channels: 4 * Math.ceil(shape.input.channels / 4) },
      })),
    ),
    fc.constantFrom(3, 12, 17, 64),
  )
  .map(([testCase, images]): Int8Case => {
    const { shape } = testCase.specification;
    const values = images * featureCount(shape.input);
    return {
      ...testCase,
      specification: {
        ...testCase.specification,
        inputZeroPoint: 0,
        weightZeroPoints: new Int32Array(shape.output.channels),
      },
      images,
      input: Uint8Array.from({ length: values }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 24),
    };
  });

test('outputs of maps whose windows are mostly zeros of padding equal the reference', () => {
  fc.assert(
    fc.property(zeroPaddedCase, (testCase) => {
      const { output } = runInt8(reference, testCase);
      for (const backend of fastBackends) {
        const kernel = backend.int8Convolution(testCase.specification);
        kernel.setClip(testCase.clip);
        expect(unobserved(backend, kernel, testCase), backend.name).toEqual(output);
      }
    }),
    { numRuns: 40 },
  );
});

test('some generated accumulators wrap', () => {
  const wraps = fc.sample(int8Case, { numRuns: 50, seed: 1 }).some((testCase) => {
    const { accumulators } = runInt8(reference, testCase);
    const { shape, bias } = testCase.specification;
    const largestSum = windowSize(shape) * 255 * 255;
    return accumulators.some(
      (sum, i) => Math.abs(sum - bias[i % shape.output.channels]) > largestSum,
    );
  });
  expect(wraps).toBe(true);
});

describeBackends('requantisation in the convolution', (backend) => {
  /** One accumulator per channel: no window but a zero weight, so the bias is the accumulator. */
  function requantizeBiases(bias: Int32Array, multipliers: Float32Array, zeroPoint: number): Run {
    const channels = bias.length;
    const specification: Int8ConvolutionSpecification = {
      shape: fullyConnectedShape(1, channels),
      inputZeroPoint: 0,
      weights: new Int8Array(channels),
      weightZeroPoints: new Int32Array(channels),
      bias,
      multipliers,
      outputZeroPoint: zeroPoint,
      low: 0,
      high: 255,
    };
    const testCase = { specification, input: new Uint8Array(1), images: 1, clip: undefined };
    return runInt8(backend, testCase).output;
  }
  type Run = readonly number[];

  test('equals the scalar function at near ties: accumulators on either side of n + 1/2', () => {
    const nearTie = fc
      .tuple(
        fc.integer({ min: -140, max: 260 }),
        fc.double({ min: 1e-7, max: 0.9, noNaN: true }),
        fc.integer({ min: -1, max: 1 }),
      )
      .map(([n, multiplier, offset]) => ({
        multiplier: Math.fround(multiplier),
        accumulator: Math.trunc((n + 0.5) / Math.fround(multiplier)) + offset,
      }))
      .filter(({ accumulator }) => accumulator === (accumulator | 0));
    fc.assert(
      fc.property(
        fc.array(nearTie, { minLength: 1, maxLength: 100 }),
        fc.nat({ max: 255 }),
        (ties, zeroPoint) => {
          const output = requantizeBiases(
            Int32Array.from(ties, ({ accumulator }) => accumulator),
            Float32Array.from(ties, ({ multiplier }) => multiplier),
            zeroPoint,
          );
          expect(output).toEqual(
            ties.map(({ accumulator, multiplier }) =>
              requantize(accumulator, multiplier, zeroPoint, 0, 255),
            ),
          );
        },
      ),
      { numRuns: 200 },
    );
  });

  test('the extremes of int32 times extreme multipliers saturate', () => {
    const bias = Int32Array.of(-(2 ** 31), 2 ** 31 - 1, -(2 ** 31), 2 ** 31 - 1, 0);
    const multipliers = Float32Array.of(3e38, 3e38, 1e-45, 1e-45, 3e38);
    expect(requantizeBiases(bias, multipliers, 100)).toEqual([0, 255, 100, 100, 100]);
  });
});
