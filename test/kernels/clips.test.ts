import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ConvolutionShape, featureCount, fullyConnectedShape } from '../../core/index.js';
import {
  type ClipMode,
  type KernelBackend,
  planFloat32Convolution,
  planInt8Convolution,
} from '../../kernels/index.js';
import {
  convolutionShape,
  type Float32Case,
  fastFloat32Shape,
  float32CaseOf,
  type Int8Case,
  int8CaseOf,
  sameConvolution,
} from './arbitraries.js';
import {
  describeBackends,
  fastBackends,
  reference,
  runFloat32,
  runFloat32Kernel,
  runInt8,
  runInt8Kernel,
} from './support.js';

const depthwise = { ...sameConvolution(24, 24, 5), groups: 24 };
const narrow = { ...sameConvolution(20, 28, 5), groups: 4 };

const INT8_SHAPES: [string, ConvolutionShape][] = [
  ['direct', { ...sameConvolution(5, 37, 17), groups: 1 }],
  ['depthwise', depthwise],
  ['fully-connected', fullyConnectedShape(37, 53)],
  ['direct', narrow],
  ['winograd-4x4', sameConvolution(16, 37, 7)],
  ['toeplitz-2x2', sameConvolution(16, 37, 2)],
];

const FLOAT32_SHAPES: [string, ConvolutionShape][] = [
  ['direct', sameConvolution(5, 37, 17)],
  ['direct', depthwise],
  ['direct', narrow],
  ['direct-inside', sameConvolution(260, 37, 2)],
  ['winograd-2x2', sameConvolution(8, 16, 5)],
  ['winograd-4x4', sameConvolution(8, 32, 7)],
];

const modes = fc.constantFrom<ClipMode[]>('clip-zero', 'clamp');

/** Different thresholds for neighbouring neurons, in the midst of what a layer gives. */
function neuronThresholds(shape: ConvolutionShape, values: readonly number[]): number[] {
  const length = featureCount(shape.output);
  return Array.from({ length }, (_, neuron) => values[(neuron * 7) % values.length]);
}

describe('a threshold for each neuron', () => {
  test.each(INT8_SHAPES)('acts in int8 %s as in the reference', (algorithm, shape) => {
    expect(planInt8Convolution(shape).algorithm).toBe(algorithm);
    fc.assert(
      fc.property(int8CaseOf(fc.constant(shape)), modes, (testCase, mode) => {
        const { accumulators } = runInt8(reference, testCase);
        const thresholds = Int32Array.from(neuronThresholds(shape, accumulators));
        const clipped: Int8Case = { ...testCase, clip: { mode, thresholds } };
        const expected = runInt8(reference, clipped);
        for (const backend of fastBackends) {
          expect(runInt8(backend, clipped), backend.name).toEqual(expected);
          expect(runUnobserved(backend, clipped), backend.name).toEqual(expected.output);
        }
      }),
      { numRuns: 12 },
    );
  });

  test.each(FLOAT32_SHAPES)('acts in float32 %s as in the reference', (algorithm, shape) => {
    expect(planFloat32Convolution(shape).algorithm).toBe(algorithm);
    fc.assert(
      fc.property(float32CaseOf(fc.constant(shape)), modes, (testCase, mode) => {
        const { accumulators } = runFloat32(reference, testCase);
        const thresholds = Float32Array.from(neuronThresholds(shape, accumulators));
        const clipped: Float32Case = { ...testCase, clip: { mode, thresholds } };
        const expected = runFloat32(reference, clipped);
        for (const backend of fastBackends) {
          expect(runFloat32(backend, clipped), backend.name).toEqual(expected);
          expect(runUnobservedFloat32(backend, clipped), backend.name).toEqual(expected.output);
        }
      }),
      { numRuns: 12 },
    );
  });
});

/** Without an observer the fast kernels fuse what an observer separates. */
function runUnobserved(
  backend: KernelBackend,
  { specification, clip, input, images }: Int8Case,
): number[] {
  const kernel = backend.int8Convolution(specification);
  kernel.setClip(clip);
  const ownInput = backend.allocateUint8(input.length);
  ownInput.set(input);
  const output = backend.allocateUint8(images * featureCount(kernel.shape.output));
  kernel.run(ownInput, output, images);
  return [...output];
}

function runUnobservedFloat32(
  backend: KernelBackend,
  { specification, clip, input, images }: Float32Case,
): number[] {
  const kernel = backend.float32Convolution(specification);
  kernel.setClip(clip);
  const ownInput = backend.allocateFloat32(input.length);
  ownInput.set(input);
  const output = backend.allocateFloat32(images * featureCount(kernel.shape.output));
  kernel.run(ownInput, output, images);
  return [...output];
}

/** Thresholds per channel, repeated for each output position. */
function repeated<T extends Int32Array | Float32Array>(
  perChannel: T,
  { output }: ConvolutionShape,
): number[] {
  const positions = output.height * output.width;
  return Array.from({ length: positions }, () => [...perChannel]).flat();
}

describeBackends('equal thresholds in a channel', (backend) => {
  test('act like one for the channel, also after one another (int8)', () => {
    fc.assert(
      fc.property(int8CaseOf(convolutionShape), modes, fc.nat(), (testCase, mode, seed) => {
        const { shape, bias } = testCase.specification;
        const perChannel = bias.map((value, channel) => value + ((seed + channel * 97) % 5000));
        const thresholds = Int32Array.from(repeated(perChannel, shape));
        const kernel = backend.int8Convolution(testCase.specification);
        const run = () => runInt8Kernel(backend, kernel, testCase);
        kernel.setClip({ mode, thresholds: perChannel });
        const expected = run();
        kernel.setClip({ mode, thresholds });
        expect(run()).toEqual(expected);
        kernel.setClip({ mode, thresholds: perChannel });
        expect(run()).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  });

  test('act like one for the channel, also after one another (float32)', () => {
    const shapes = fc.oneof(convolutionShape, fastFloat32Shape);
    fc.assert(
      fc.property(float32CaseOf(shapes), modes, fc.nat(), (testCase, mode, seed) => {
        const { shape, bias } = testCase.specification;
        const perChannel = bias.map((value, channel) => value + ((seed + channel * 97) % 50) / 40);
        const thresholds = Float32Array.from(repeated(perChannel, shape));
        const kernel = backend.float32Convolution(testCase.specification);
        const run = () => runFloat32Kernel(backend, kernel, testCase);
        kernel.setClip({ mode, thresholds: perChannel });
        const expected = run();
        kernel.setClip({ mode, thresholds });
        expect(run()).toEqual(expected);
        kernel.setClip({ mode, thresholds: perChannel });
        expect(run()).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  });
});
