import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ConvolutionShape, fullyConnectedShape } from '../../core/index.js';
import { planFloat32Convolution } from '../../kernels/index.js';
import { float32Case, int8Case } from './arbitraries.js';
import {
  describeBackends,
  fastBackends,
  reference,
  runFloat32,
  runFloat32Kernel,
  runInt8,
} from './support.js';

describeBackends('float32 convolution', (backend) => {
  test('on small integers the sums are the exact sums of the int8 convolution', () => {
    fc.assert(
      fc.property(int8Case, ({ specification, input, images }) => {
        const { shape } = specification;
        // F(4×4,3×3) divides by 6.
        fc.pre(planFloat32Convolution(shape).algorithm !== 'winograd-4x4');
        const bias = new Int32Array(shape.output.channels);
        const weightZeroPoints = new Int32Array(shape.output.channels);
        // 7-bit weights: with at most 1,100 taps every sum stays below 2^24, where float32 is exact.
        const weights = specification.weights.map((weight) => weight >> 2);
        const clip = undefined;
        const integer = { ...specification, weights, weightZeroPoints, bias };
        const real = {
          shape,
          weights: Float32Array.from(weights),
          bias: Float32Array.from(bias),
          relu: false,
        };
        const centred = Float32Array.from(input, (value) => value - specification.inputZeroPoint);
        const exact = runInt8(reference, { specification: integer, input, images, clip });
        const run = runFloat32(backend, { specification: real, input: centred, images, clip });
        // Adding 0 turns -0 into +0.
        expect(run.output.map((sum) => sum + 0)).toEqual(exact.accumulators);
      }),
      { numRuns: 40 },
    );
  });

  test('the sum starts at the bias and adds each rounded product in ascending order', () => {
    const dot = (bias: number, weights: number[], input: number[], relu = false): number => {
      const specification = {
        shape: fullyConnectedShape(input.length, 1),
        weights: Float32Array.from(weights),
        bias: Float32Array.of(bias),
        relu,
      };
      const values = Float32Array.from(input);
      return runFloat32(backend, { specification, input: values, images: 1, clip: undefined })
        .output[0];
    };
    // 2^24 + 1 rounds to 2^24: the 1 survives only when it comes after the cancellation.
    expect(dot(2 ** 24, [1, 1], [1, -(2 ** 24)])).toBe(0);
    expect(dot(2 ** 24, [1, 1], [-(2 ** 24), 1])).toBe(1);
    expect(dot(1, [1, 1], [2 ** 24, -(2 ** 24)])).toBe(0);
    // (1 + 2^-12)^2 = 1 + 2^-11 + 2^-24: a fused multiply-add would leave 2^-24.
    expect(dot(-(1 + 2 ** -11), [1 + 2 ** -12], [1 + 2 ** -12])).toBe(0);
    expect(dot(3.4e38, [1, 1], [3.4e38, -3.4e38])).toBe(Infinity);
    expect(dot(0, [1e-45], [1])).toBe(Math.fround(1e-45));
    expect(dot(-0, [1], [-0])).toBe(-0);
    expect(dot(-0, [1], [-0], true)).toBe(0);
    expect(dot(-1, [1], [0], true)).toBe(0);
    expect(dot(NaN, [1], [0], true)).toBe(NaN);
    expect(dot(0, [-Infinity], [1], true)).toBe(0);
  });

  test('a window sums ky, then kx, then the input channel', () => {
    const shape: ConvolutionShape = {
      input: { channels: 2, height: 2, width: 2 },
      output: { channels: 1, height: 1, width: 1 },
      kernel: [2, 2],
      strides: [1, 1],
      pads: [0, 0, 0, 0],
      dilations: [1, 1],
      groups: 1,
    };
    // Channels innermost: the sum takes the inputs as they lie in memory.
    const big = 2 ** 24;
    const orders = [
      { input: [big, 1, -big, 0, 0, 0, 0, 0], expected: 0 },
      { input: [1, big, -big, 0, 0, 0, 0, 0], expected: 0 },
      { input: [big, -big, 1, 0, 0, 0, 0, 0], expected: 1 },
      { input: [0, big, 0, -big, 1, 0, 0, 0], expected: 1 },
      { input: [0, 0, big, 0, 1, 0, -big, 0], expected: 0 },
      { input: [0, 0, 0, 0, big, -big, 0, 1], expected: 1 },
    ];
    const specification = {
      shape,
      weights: new Float32Array(8).fill(1),
      bias: new Float32Array(1),
      relu: false,
    };
    for (const { input, expected } of orders) {
      const values = Float32Array.from(input);
      const testCase = { specification, input: values, images: 1, clip: undefined };
      expect(runFloat32(backend, testCase).output).toEqual([expected]);
    }
  });

  test('an infinite or NaN weight over padding gives NaN', () => {
    const shape: ConvolutionShape = {
      input: { channels: 1, height: 1, width: 1 },
      output: { channels: 1, height: 1, width: 3 },
      kernel: [1, 2],
      strides: [1, 1],
      pads: [0, 2, 0, 1],
      dilations: [1, 1],
      groups: 1,
    };
    for (const weight of [Infinity, NaN]) {
      const specification = {
        shape,
        weights: Float32Array.of(1, weight),
        bias: Float32Array.of(0),
        relu: false,
      };
      const testCase = { specification, input: Float32Array.of(2), images: 1, clip: undefined };
      // Windows: padding and padding; padding and 2; 2 and padding.
      expect(runFloat32(backend, testCase).output).toEqual([NaN, 2 * weight, NaN]);
    }
  });

  test('clip-zero zeroes what is not at most T; clamp keeps NaN', () => {
    const values = [-Infinity, -1, 1, 1.5, 2, Infinity, NaN];
    const kernel = backend.float32Convolution({
      shape: fullyConnectedShape(1, 1),
      weights: Float32Array.of(1),
      bias: Float32Array.of(0),
      relu: false,
    });
    const run = () =>
      runFloat32Kernel(backend, kernel, { input: Float32Array.from(values), images: 7 }).output;
    kernel.setClip({ mode: 'clip-zero', thresholds: Float32Array.of(1.5) });
    expect(run()).toEqual([-Infinity, -1, 1, 1.5, 0, 0, 0]);
    kernel.setClip({ mode: 'clamp', thresholds: Float32Array.of(1.5) });
    expect(run()).toEqual([-Infinity, -1, 1, 1.5, 1.5, 1.5, NaN]);
    kernel.setClip(undefined);
    expect(run()).toEqual(values);
  });

  test('a changed weight acts like a kernel built with it, and can be taken back', () => {
    const property = fc.property(float32Case, fc.nat(), fc.float(), (testCase, draw, value) => {
      const { weights } = testCase.specification;
      const index = draw % weights.length;
      const changed = weights.slice();
      changed[index] = value;
      const kernel = backend.float32Convolution(testCase.specification);
      kernel.setClip(testCase.clip);
      const before = runFloat32Kernel(backend, kernel, testCase);
      const original = kernel.getWeight(index);
      expect(original).toBe(weights[index]);
      kernel.setWeight(index, value);
      expect(kernel.getWeight(index)).toBe(value);
      const fresh = { ...testCase, specification: { ...testCase.specification, weights: changed } };
      expect(runFloat32Kernel(backend, kernel, testCase)).toEqual(runFloat32(backend, fresh));
      kernel.setWeight(index, original);
      expect(runFloat32Kernel(backend, kernel, testCase)).toEqual(before);
    });
    fc.assert(property, { numRuns: 25 });
  });
});

test('every backend equals the reference to the bit', () => {
  fc.assert(
    fc.property(float32Case, (testCase) => {
      const expected = runFloat32(reference, testCase);
      for (const backend of fastBackends) {
        expect(runFloat32(backend, testCase), backend.name).toEqual(expected);
      }
    }),
    { numRuns: 300 },
  );
});

test('every weight read back is the weight given', () => {
  fc.assert(
    fc.property(float32Case, ({ specification }) => {
      for (const backend of fastBackends) {
        const kernel = backend.float32Convolution(specification);
        const readBack = specification.weights.map((_, index) => kernel.getWeight(index));
        expect(readBack).toEqual(specification.weights);
      }
    }),
    { numRuns: 25 },
  );
});
