import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type ConvolutionShape,
  featureCount,
  multiplyAccumulates,
  weightCount,
  windowSize,
} from '../../core/index.js';
import { planFloat32Convolution, WINOGRAD_WEIGHT_LIMIT } from '../../kernels/index.js';
import { forEachPosition, forEachTap } from '../../kernels/reference/window.js';
import {
  fastFloat32Shape,
  float32Case,
  float32CaseOf,
  mostlyPaddingShape,
  sameConvolution,
} from './arbitraries.js';
import { directSums, winogradMagnitudes } from './float32-oracle.js';
import { describeBackends, runFloat32, runFloat32Kernel, wasm } from './support.js';

const UNIT = 2 ** -24;

/** A value whose magnitude is spread over many powers of two. */
const spread = fc
  .tuple(fc.double({ min: -1, max: 1, noNaN: true }), fc.integer({ min: -30, max: 4 }))
  .map(([value, exponent]) => Math.fround(value * 2 ** exponent));

/** Within the limits of every algorithm, exponents spread over 2^-30…2^4. */
const ordinaryCase = fc
  .record({
    shape: fastFloat32Shape.filter((shape) => multiplyAccumulates(shape) < 60_000),
    seed: fc.integer(),
    spread: fc.array(spread, { minLength: 40, maxLength: 400 }),
    largest: fc.constantFrom(1, 4096 / 16),
    sparsity: fc.constantFrom(0, 0.5),
  })
  .map(({ shape, seed, spread: pool, largest, sparsity }) => {
    let state = seed;
    const draw = (): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
      return (state >>> 8) / 2 ** 24;
    };
    const pick = (): number => pool[Math.floor(draw() * pool.length)];
    return {
      specification: {
        shape,
        weights: Float32Array.from({ length: weightCount(shape) }, pick),
        bias: Float32Array.from({ length: shape.output.channels }, pick),
        relu: false,
      },
      input: Float32Array.from({ length: featureCount(shape.input) }, () =>
        draw() < sparsity ? 0 : largest * pick(),
      ),
      images: 1,
      clip: undefined,
    };
  });

describe('float32 algorithms against the direct definition', () => {
  test('Winograd is within (C + 13)·2^-24 of the exact sum, as a share of what its transforms add', () => {
    fc.assert(
      fc.property(ordinaryCase, (testCase) => {
        const { shape } = testCase.specification;
        fc.pre(planFloat32Convolution(shape).algorithm.startsWith('winograd'));
        const { output } = runFloat32(wasm, testCase);
        const exact = directSums(testCase, (sum) => sum);
        const magnitudes = winogradMagnitudes(testCase.specification, testCase.input);
        const roundings = shape.input.channels + 13;
        const share = (roundings * UNIT) / (1 - roundings * UNIT);
        const outside = output.findIndex(
          // Products below the normal range add an absolute error.
          (sum, index) => !(Math.abs(sum - exact[index]) <= share * magnitudes[index] + 2 ** -126),
        );
        expect(outside).toBe(-1);
      }),
      { numRuns: 60 },
    );
  });

  test('without products with padding only the sign of zero can change', () => {
    fc.assert(
      fc.property(float32CaseOf(mostlyPaddingShape), (testCase) => {
        const { shape } = testCase.specification;
        fc.pre(planFloat32Convolution(shape).algorithm === 'direct-inside');
        const direct = directSums(testCase, Math.fround);
        const { accumulators } = runFloat32(wasm, testCase);
        // Adding 0 turns -0 into +0.
        expect(accumulators.map((sum) => sum + 0)).toEqual(direct.map((sum) => sum + 0));
      }),
      { numRuns: 60 },
    );
  });

  test('sums are infinite or NaN exactly where the direct sums are', () => {
    fc.assert(
      fc.property(float32Case, (testCase) => {
        const nonFinite = (sum: number): number => (Number.isFinite(sum) ? 0 : sum);
        const { accumulators } = runFloat32(wasm, testCase);
        expect(accumulators.map(nonFinite)).toEqual(
          directSums(testCase, Math.fround).map(nonFinite),
        );
      }),
      { numRuns: 100 },
    );
  });

  test.each([1e38, -3.4e38, Infinity, NaN, 17])(
    'a weight of %d gives its channel the direct sums and leaves the others alone',
    (value) => {
      const testCase = vggLike(8);
      const { specification } = testCase;
      const kernel = wasm.float32Convolution(specification);
      const before = runFloat32Kernel(wasm, kernel, testCase);
      const channel = 7;
      const index = channel * windowSize(specification.shape) + 4;
      kernel.setWeight(index, value);
      const weights = specification.weights.slice();
      weights[index] = value;
      const direct = directSums(
        { ...testCase, specification: { ...specification, weights } },
        Math.fround,
      );
      const after = runFloat32Kernel(wasm, kernel, testCase);
      const { channels } = specification.shape.output;
      for (const [place, sum] of after.output.entries()) {
        const expected = place % channels === channel ? direct[place] : before.output[place];
        if (!Object.is(sum, expected)) expect([place, sum]).toEqual([place, expected]);
      }
      kernel.setWeight(index, specification.weights[index]);
      expect(runFloat32Kernel(wasm, kernel, testCase)).toEqual(before);
    },
  );

  test('words up to 16, subnormal words and zeros of both signs stay with Winograd', () => {
    const testCase = vggLike(8);
    const { specification } = testCase;
    const replaced = [WINOGRAD_WEIGHT_LIMIT, -16, 1e-45, -1e-40, 0, -0];
    const weights = specification.weights.slice();
    for (const [place, value] of replaced.entries()) {
      weights[place * windowSize(specification.shape)] = value;
    }
    const changed = { ...testCase, specification: { ...specification, weights } };
    const direct = directSums(changed, Math.fround);
    const magnitudes = winogradMagnitudes(changed.specification, changed.input);
    const { output } = runFloat32(wasm, changed);
    const { channels } = specification.shape.output;
    for (let channel = 0; channel < replaced.length; channel++) {
      const places = [...output.keys()].filter((place) => place % channels === channel);
      expect(places.some((place) => output[place] !== direct[place])).toBe(true);
      for (const place of places) {
        expect(Math.abs(output[place] - direct[place])).toBeLessThan(50 * UNIT * magnitudes[place]);
      }
    }
  });

  test.each([1e30, Infinity, NaN, 4097])(
    'an image with an activation of %d takes the direct sums, its neighbours do not',
    (value) => {
      const testCase = vggLike(8, 4);
      const length = featureCount(testCase.specification.shape.input);
      const outputLength = featureCount(testCase.specification.shape.output);
      const kernel = wasm.float32Convolution(testCase.specification);
      const before = runFloat32Kernel(wasm, kernel, testCase).output;
      const input = testCase.input.slice();
      input[2 * length + 17] = value;
      const after = runFloat32Kernel(wasm, kernel, { input, images: 4 }).output;
      const direct = directSums({ ...testCase, input }, Math.fround);
      const ofImage = (values: readonly number[], image: number): number[] =>
        values.slice(image * outputLength, (image + 1) * outputLength);
      expect(ofImage(after, 2)).toEqual(ofImage(direct, 2));
      for (const image of [0, 1, 3]) expect(ofImage(after, image)).toEqual(ofImage(before, image));
    },
  );

  test('2×2 tiles are exact on small integers', () => {
    const shape = sameConvolution(512, 512, 4);
    expect(planFloat32Convolution(shape).algorithm).toBe('winograd-2x2');
    const testCase = {
      specification: {
        shape,
        weights: Float32Array.from({ length: weightCount(shape) }, (_, i) => ((i * 7) % 31) - 15),
        bias: Float32Array.from({ length: 512 }, (_, i) => i - 256),
        relu: false,
      },
      input: Float32Array.from({ length: featureCount(shape.input) }, (_, i) => (i * 13) % 16),
      images: 1,
      clip: undefined,
    };
    const { output } = runFloat32(wasm, testCase);
    const channels = [0, 1, 15, 16, 255, 511];
    const expected = exactChannels(testCase.specification, testCase.input, channels);
    for (const [place, channel] of channels.entries()) {
      const found = Array.from({ length: 16 }, (_, position) => output[position * 512 + channel]);
      expect(found).toEqual(expected[place]);
    }
  });
});

describeBackends('a float32 kernel', (backend) => {
  test('the result of an image does not depend on the other images or on its place among them', () => {
    fc.assert(
      fc.property(float32Case, (testCase) => {
        const { specification, images, input } = testCase;
        const kernel = backend.float32Convolution(specification);
        kernel.setClip(testCase.clip);
        const together = runFloat32Kernel(backend, kernel, testCase).output;
        const length = featureCount(specification.shape.input);
        const alone = Array.from({ length: images }, (_, image) => {
          const own = input.slice(image * length, (image + 1) * length);
          return runFloat32Kernel(backend, kernel, { input: own, images: 1 }).output;
        });
        expect(together).toEqual(alone.flat());
      }),
      { numRuns: 60 },
    );
  });

  test('being watched does not change the outputs', () => {
    fc.assert(
      fc.property(float32Case, (testCase) => {
        const { specification, images } = testCase;
        const kernel = backend.float32Convolution(specification);
        kernel.setClip(testCase.clip);
        const input = backend.allocateFloat32(testCase.input.length);
        input.set(testCase.input);
        const output = backend.allocateFloat32(images * featureCount(specification.shape.output));
        kernel.run(input, output, images);
        expect([...output]).toEqual(runFloat32Kernel(backend, kernel, testCase).output);
      }),
      { numRuns: 60 },
    );
  });

  test('weights set in any order and taken back leave the kernel as it was', () => {
    const change = fc.record({
      index: fc.nat(),
      value: fc.oneof(fc.float(), fc.constantFrom(NaN, Infinity, 1e38, 15, -17)),
    });
    fc.assert(
      fc.property(float32Case, fc.array(change, { maxLength: 8 }), (testCase, changes) => {
        const { weights } = testCase.specification;
        const kernel = backend.float32Convolution(testCase.specification);
        const before = runFloat32Kernel(backend, kernel, testCase);
        const changed = weights.slice();
        for (const { index, value } of changes) {
          changed[index % weights.length] = value;
          kernel.setWeight(index % weights.length, value);
        }
        const specification = { ...testCase.specification, weights: changed };
        const fresh = runFloat32Kernel(
          backend,
          backend.float32Convolution(specification),
          testCase,
        );
        expect(runFloat32Kernel(backend, kernel, testCase)).toEqual(fresh);
        for (const { index } of changes) {
          kernel.setWeight(index % weights.length, weights[index % weights.length]);
        }
        expect(runFloat32Kernel(backend, kernel, testCase)).toEqual(before);
      }),
      { numRuns: 40 },
    );
  });
});

/** 32 → 32 channels, values like those of a trained layer. */
function vggLike(size: number, images = 1) {
  const shape = sameConvolution(32, 32, size);
  const wave = (index: number): number => Math.sin(index * 12.9898) * Math.cos(index * 0.7231);
  return {
    specification: {
      shape,
      weights: Float32Array.from({ length: weightCount(shape) }, (_, i) => 0.1 * wave(i + 1)),
      bias: Float32Array.from({ length: 32 }, (_, i) => wave(i + 0.5)),
      relu: false,
    },
    input: Float32Array.from({ length: images * featureCount(shape.input) }, (_, i) =>
      Math.max(wave(i + 0.25), 0),
    ),
    images,
    clip: undefined,
  };
}

/** Sums of some channels of one image of a convolution of one group, exact while below 2^53. */
function exactChannels(
  { shape, weights, bias }: { shape: ConvolutionShape; weights: Float32Array; bias: Float32Array },
  input: Float32Array,
  channels: readonly number[],
): number[][] {
  const window = windowSize(shape);
  return channels.map((channel) => {
    const sums: number[] = [];
    forEachPosition(shape, 1, (_row, _image, y, x) => {
      let sum = bias[channel];
      forEachTap(shape, 0, y, x, (place, weight) => {
        if (place >= 0) sum += input[place] * weights[channel * window + weight];
      });
      sums.push(sum);
    });
    return sums;
  });
}
