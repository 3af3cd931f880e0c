import {
  type ConvolutionShape,
  createRandomStream,
  featureCount,
  type PoolingShape,
  weightCount,
} from '../../core/index.js';
import type {
  Float32Clip,
  Float32ConvolutionSpecification,
  Int8Clip,
  Int8ConvolutionSpecification,
  KernelBackend,
} from '../backend.js';
import { createReferenceBackend } from '../reference/backend.js';
import type { KernelNeeds } from './provider.js';

/** What a self-test found: how many layers it ran, and those whose results are not the reference's. */
export interface SelfTest {
  readonly layers: number;
  readonly wrong: readonly string[];
}

const IMAGES = 3;

/** Each way in which kernels compute a layer, on a shape that is a multiple of no tile. */
const CONVOLUTIONS: readonly (readonly [string, ConvolutionShape])[] = [
  ['convolution', convolution(3, 21, 9)],
  ['strided convolution', convolution(5, 18, 9, { stride: 2 })],
  ['grouped convolution', convolution(12, 42, 6, { groups: 3 })],
  ['depthwise convolution', convolution(37, 37, 6, { groups: 37 })],
  ['wide 3×3 convolution', convolution(32, 48, 7)],
  ['wide 3×3 convolution of a 4×4 map', convolution(20, 16, 4)],
  ['wide 3×3 convolution of a 2×2 map', convolution(260, 37, 2)],
  ['convolution of narrow groups', convolution(16, 32, 6, { groups: 8 })],
  ['fully connected layer', { ...convolution(410, 75, 1), kernel: [1, 1], pads: [0, 0, 0, 0] }],
];

const POOLING: PoolingShape = {
  input: { channels: 37, height: 7, width: 5 },
  output: { channels: 37, height: 4, width: 3 },
  kernel: [3, 3],
  strides: [2, 2],
  pads: [1, 1, 1, 1],
};

function convolution(
  inputs: number,
  outputs: number,
  size: number,
  { stride = 1, groups = 1 } = {},
): ConvolutionShape {
  const outputSize = Math.ceil(size / stride);
  return {
    input: { channels: inputs, height: size, width: size },
    output: { channels: outputs, height: outputSize, width: outputSize },
    kernel: [3, 3],
    strides: [stride, stride],
    pads: [1, 1, 1, 1],
    dilations: [1, 1],
    groups,
  };
}

/** What a backend needs for a self-test. */
export const SELF_TEST_NEEDS: KernelNeeds = {
  convolutions: CONVOLUTIONS.flatMap(([, shape]) => [
    { shape, format: 'int8' },
    { shape, format: 'float32' },
  ]),
  tensors: [...CONVOLUTIONS.map(([, shape]) => shape), POOLING].flatMap(({ input, output }) =>
    [input, output].flatMap(
      (shape) =>
        [
          { format: 'uint8', length: featureCount(shape) },
          { format: 'float32', length: featureCount(shape) },
        ] as const,
    ),
  ),
  images: IMAGES,
};

/**
 * Runs layers of every kind through a backend and through the reference: the sums, and the outputs with and without an
 * observer, clips included, must be the same to the bit (any NaN equals any NaN).
 *
 * @param backend with memory for {@link SELF_TEST_NEEDS}
 */
export function testKernels(backend: KernelBackend): SelfTest {
  const reference = createReferenceBackend();
  const layers = [
    ...CONVOLUTIONS.flatMap(([name, shape], index) => [
      [`int8 ${name}`, (its: KernelBackend) => int8Results(its, shape, index)] as const,
      [`float32 ${name}`, (its: KernelBackend) => float32Results(its, shape, index)] as const,
    ]),
    ['int8 pooling', (its: KernelBackend) => poolingResults(its, 'allocateUint8')] as const,
    ['float32 pooling', (its: KernelBackend) => poolingResults(its, 'allocateFloat32')] as const,
  ];
  const wrong = layers.flatMap(([name, results]) =>
    areEqual(results(backend), results(reference)) ? [] : [name],
  );
  return { layers: layers.length, wrong };
}

function areEqual(ours: readonly number[], theirs: readonly number[]): boolean {
  return ours.length === theirs.length && ours.every((value, i) => Object.is(value, theirs[i]));
}

/** Whole numbers from 0 to below `end`, the same for the same purpose. */
function integers(purpose: number): (end: number) => number {
  const stream = createRandomStream(0, 0, purpose);
  let index = 0;
  return (end) => stream.integerBelow(end, index++);
}

function int8Results(backend: KernelBackend, shape: ConvolutionShape, index: number): number[] {
  const draw = integers(index);
  const { channels } = shape.output;
  const specification: Int8ConvolutionSpecification = {
    shape,
    inputZeroPoint: draw(256),
    weights: Int8Array.from({ length: weightCount(shape) }, () => draw(256) - 128),
    weightZeroPoints: Int32Array.from({ length: channels }, () => index % 2 && draw(256) - 128),
    bias: Int32Array.from({ length: channels }, () => draw(20_000) - 10_000),
    multipliers: Float32Array.from({ length: channels }, () => (draw(1000) + 1) / 5e6),
    outputZeroPoint: draw(256),
    low: 0,
    high: 255,
  };
  const clip: Int8Clip = {
    mode: index % 2 ? 'clip-zero' : 'clamp',
    thresholds: Int32Array.from({ length: channels }, () => draw(40_000)),
  };
  const kernel = backend.int8Convolution(specification);
  const input = backend.allocateUint8(IMAGES * featureCount(shape.input));
  const output = backend.allocateUint8(IMAGES * featureCount(shape.output));
  for (const place of input.keys()) input[place] = draw(256);
  return results(kernel, clip, input, output);
}

function float32Results(backend: KernelBackend, shape: ConvolutionShape, index: number): number[] {
  const draw = integers(100 + index);
  const { channels } = shape.output;
  const real = () => (draw(2 ** 20) - 2 ** 19) / 2 ** 18;
  const weights = Float32Array.from({ length: weightCount(shape) }, real);
  // Words that faults make: their channel is computed directly.
  weights[draw(weights.length)] = 1e30;
  weights[draw(weights.length)] = Number.NaN;
  const specification: Float32ConvolutionSpecification = {
    shape,
    weights,
    bias: Float32Array.from({ length: channels }, real),
    relu: index % 2 === 1,
  };
  const clip: Float32Clip = {
    mode: index % 2 ? 'clip-zero' : 'clamp',
    thresholds: Float32Array.from({ length: channels }, () => 5 * real()),
  };
  const kernel = backend.float32Convolution(specification);
  const input = backend.allocateFloat32(IMAGES * featureCount(shape.input));
  const output = backend.allocateFloat32(IMAGES * featureCount(shape.output));
  for (const place of input.keys()) input[place] = real();
  input[input.length - 1] = 1e20;
  return results(kernel, clip, input, output);
}

/** Sums, and outputs of a run that is observed, of one that is not, and of one with a clip. */
function results<Values extends Uint8Array | Float32Array, Clip>(
  kernel: {
    readonly shape: ConvolutionShape;
    setClip(clip: Clip | undefined): void;
    run(
      input: Values,
      output: Values,
      images: number,
      observe?: (
        sums: Int32Array | Float32Array,
        firstRow: number,
        rows: number,
        stride: number,
      ) => void,
    ): void;
  },
  clip: Clip,
  input: Values,
  output: Values,
): number[] {
  const { channels } = kernel.shape.output;
  const found: number[] = [];
  const sums = new Float64Array(output.length);
  kernel.run(input, output, IMAGES, (values, firstRow, rows, stride) => {
    for (let row = 0; row < rows; row++) {
      for (let channel = 0; channel < channels; channel++) {
        sums[(firstRow + row) * channels + channel] = values[row * stride + channel];
      }
    }
  });
  found.push(...sums, ...output);
  kernel.run(input, output, IMAGES);
  found.push(...output);
  kernel.setClip(clip);
  kernel.run(input, output, IMAGES);
  found.push(...output);
  return found;
}

function poolingResults(
  backend: KernelBackend,
  allocate: 'allocateUint8' | 'allocateFloat32',
): number[] {
  const draw = integers(200);
  const input = backend[allocate](IMAGES * featureCount(POOLING.input));
  const output = backend[allocate](IMAGES * featureCount(POOLING.output));
  for (const place of input.keys()) input[place] = draw(256);
  backend.maxPool(POOLING, input, output, IMAGES);
  return [...output];
}
