import fc from 'fast-check';
import {
  type ConvolutionShape,
  createRandomStream,
  featureCount,
  fullyConnectedShape,
  multiplyAccumulates,
  type PoolingShape,
  weightCount,
} from '../../core/index.js';
import type {
  ClipMode,
  Float32Clip,
  Float32ConvolutionSpecification,
  Int8Clip,
  Int8ConvolutionSpecification,
} from '../../kernels/index.js';

/** Keeps the scalar reference fast. */
const MOST_MULTIPLICATIONS = 100_000;

interface Axis {
  readonly size: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
  readonly after: number;
}

const axis: fc.Arbitrary<Axis> = fc.record({
  size: fc.integer({ min: 1, max: 9 }),
  kernel: fc.integer({ min: 1, max: 4 }),
  stride: fc.integer({ min: 1, max: 3 }),
  dilation: fc.integer({ min: 1, max: 3 }),
  before: fc.integer({ min: 0, max: 3 }),
  after: fc.integer({ min: 0, max: 3 }),
});

function outputSize({ size, kernel, stride, dilation, before, after }: Axis): number {
  return Math.floor((size + before + after - dilation * (kernel - 1) - 1) / stride) + 1;
}

const smallConvolution: fc.Arbitrary<ConvolutionShape> = fc
  .record({
    y: axis,
    x: axis,
    groups: fc.integer({ min: 1, max: 4 }),
    groupInputs: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 40 })),
    groupOutputs: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 40 })),
  })
  .map(
    ({ y, x, groups, groupInputs, groupOutputs }): ConvolutionShape => ({
      input: { channels: groups * groupInputs, height: y.size, width: x.size },
      output: { channels: groups * groupOutputs, height: outputSize(y), width: outputSize(x) },
      kernel: [y.kernel, x.kernel],
      strides: [y.stride, x.stride],
      pads: [y.before, x.before, y.after, x.after],
      dilations: [y.dilation, x.dilation],
      groups,
    }),
  )
  .filter(
    (shape) =>
      shape.output.height > 0 &&
      shape.output.width > 0 &&
      multiplyAccumulates(shape) < MOST_MULTIPLICATIONS,
  );

/** Windows of several tiles along K. */
const wideFullyConnected = fc
  .record({
    inputs: fc.integer({ min: 250, max: 1100 }),
    outputs: fc.integer({ min: 1, max: 40 }),
  })
  .map(({ inputs, outputs }) => fullyConnectedShape(inputs, outputs));

/** More output positions than one block holds. */
const manyPositions = fc
  .record({
    height: fc.integer({ min: 13, max: 20 }),
    width: fc.integer({ min: 13, max: 20 }),
    channels: fc.integer({ min: 1, max: 5 }),
    outputs: fc.integer({ min: 1, max: 20 }),
  })
  .map(
    ({ height, width, channels, outputs }): ConvolutionShape => ({
      input: { channels, height, width },
      output: { channels: outputs, height, width },
      kernel: [3, 3],
      strides: [1, 1],
      pads: [1, 1, 1, 1],
      dilations: [1, 1],
      groups: 1,
    }),
  )
  .filter((shape) => multiplyAccumulates(shape) < 2 * MOST_MULTIPLICATIONS);

/** 3×3 convolutions of a stride of 1 with channels enough to be computed by transformed tiles. */
export const plain3x3: fc.Arbitrary<ConvolutionShape> = fc
  .record({
    size: fc.oneof(
      fc.constant([2, 2, 1] as const),
      fc.tuple(
        fc.integer({ min: 3, max: 9 }),
        fc.integer({ min: 3, max: 9 }),
        fc.integer({ min: 0, max: 2 }),
      ),
    ),
    channels: fc.integer({ min: 16, max: 40 }),
    outputs: fc.integer({ min: 16, max: 40 }),
  })
  .map(
    ({ size: [height, width, pad], channels, outputs }): ConvolutionShape => ({
      input: { channels, height, width },
      output: { channels: outputs, height: height + 2 * pad - 2, width: width + 2 * pad - 2 },
      kernel: [3, 3],
      strides: [1, 1],
      pads: [pad, pad, pad, pad],
      dilations: [1, 1],
      groups: 1,
    }),
  )
  .filter((shape) => multiplyAccumulates(shape) < 4 * MOST_MULTIPLICATIONS);

const depthwise = fc
  .record({ y: axis, x: axis, channels: fc.integer({ min: 2, max: 70 }) })
  .map(
    ({ y, x, channels }): ConvolutionShape => ({
      input: { channels, height: y.size, width: x.size },
      output: { channels, height: outputSize(y), width: outputSize(x) },
      kernel: [y.kernel, x.kernel],
      strides: [y.stride, x.stride],
      pads: [y.before, x.before, y.after, x.after],
      dilations: [y.dilation, x.dilation],
      groups: channels,
    }),
  )
  .filter(({ output }) => output.height > 0 && output.width > 0);

/** Groups of few output channels, which int8 kernels multiply together and float32 kernels compute side by side. */
const narrowGroups = fc
  .record({
    y: axis,
    x: axis,
    groups: fc.integer({ min: 2, max: 24 }),
    groupInputs: fc.integer({ min: 1, max: 6 }),
    groupOutputs: fc.constantFrom(1, 2, 3, 4, 4, 5, 8, 12),
  })
  .map(
    ({ y, x, groups, groupInputs, groupOutputs }): ConvolutionShape => ({
      input: { channels: groups * groupInputs, height: y.size, width: x.size },
      output: { channels: groups * groupOutputs, height: outputSize(y), width: outputSize(x) },
      kernel: [y.kernel, x.kernel],
      strides: [y.stride, x.stride],
      pads: [y.before, x.before, y.after, x.after],
      dilations: [y.dilation, x.dilation],
      groups,
    }),
  )
  .filter(
    (shape) =>
      shape.output.height > 0 &&
      shape.output.width > 0 &&
      multiplyAccumulates(shape) < MOST_MULTIPLICATIONS,
  );

/** Convolutions whose sizes are multiples of no tile: grouped, strided, padded, dilated. */
export const convolutionShape: fc.Arbitrary<ConvolutionShape> = fc.oneof(
  { arbitrary: smallConvolution, weight: 6 },
  { arbitrary: wideFullyConnected, weight: 1 },
  { arbitrary: manyPositions, weight: 1 },
  { arbitrary: plain3x3, weight: 2 },
  { arbitrary: depthwise, weight: 1 },
  { arbitrary: narrowGroups, weight: 2 },
);

/** A 3×3 convolution with a padding of 1 on a square map. */
export function sameConvolution(inputs: number, outputs: number, size: number): ConvolutionShape {
  return {
    input: { channels: inputs, height: size, width: size },
    output: { channels: outputs, height: size, width: size },
    kernel: [3, 3],
    strides: [1, 1],
    pads: [1, 1, 1, 1],
    dilations: [1, 1],
    groups: 1,
  };
}

/** 3×3 convolutions that Winograd takes, on maps that are multiples of no tile, padding included. */
const winogradShape = fc
  .record({
    height: fc.integer({ min: 1, max: 11 }),
    width: fc.integer({ min: 1, max: 11 }),
    pads: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 4, maxLength: 4 }),
    inputs: fc.integer({ min: 1, max: 6 }),
    outputs: fc.integer({ min: 1, max: 3 }),
  })
  .map(
    ({ height, width, pads: [top, left, bottom, right], inputs, outputs }): ConvolutionShape => ({
      ...sameConvolution(4 * inputs, 16 * outputs, 1),
      input: { channels: 4 * inputs, height, width },
      output: {
        channels: 16 * outputs,
        height: height + top + bottom - 2,
        width: width + left + right - 2,
      },
      pads: [top, left, bottom, right],
    }),
  )
  .filter(
    (shape) =>
      shape.output.height > 0 &&
      shape.output.width > 0 &&
      multiplyAccumulates(shape) < 2 * MOST_MULTIPLICATIONS,
  );

/** More input channels than one tile along K holds, on small maps. */
const deepShape = fc
  .record({
    inputs: fc.integer({ min: 60, max: 75 }),
    outputs: fc.integer({ min: 1, max: 40 }),
    size: fc.integer({ min: 1, max: 2 }),
  })
  .map(({ inputs, outputs, size }) => sameConvolution(4 * inputs, outputs, size));

/** Small maps most of whose windows are padding. */
export const mostlyPaddingShape: fc.Arbitrary<ConvolutionShape> = fc
  .record({
    size: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 2 })),
    kernel: fc.tuple(fc.integer({ min: 3, max: 5 }), fc.integer({ min: 3, max: 5 })),
    stride: fc.integer({ min: 1, max: 2 }),
    dilation: fc.integer({ min: 1, max: 2 }),
    inputs: fc.integer({ min: 1, max: 20 }),
    outputs: fc.integer({ min: 1, max: 40 }),
  })
  .map(({ size, kernel, stride, dilation, inputs, outputs }): ConvolutionShape => {
    const rows = { size: size[0], kernel: kernel[0], stride, dilation, before: 2, after: 4 };
    const columns = { size: size[1], kernel: kernel[1], stride, dilation: 1, before: 3, after: 2 };
    return {
      input: { channels: inputs, height: size[0], width: size[1] },
      output: { channels: outputs, height: outputSize(rows), width: outputSize(columns) },
      kernel,
      strides: [stride, stride],
      pads: [rows.before, columns.before, rows.after, columns.after],
      dilations: [dilation, 1],
      groups: 1,
    };
  })
  .filter(
    (shape) =>
      shape.output.height > 0 &&
      shape.output.width > 0 &&
      multiplyAccumulates(shape) < MOST_MULTIPLICATIONS,
  );

/** Convolutions most of which are not computed by the direct float32 algorithm. */
export const fastFloat32Shape: fc.Arbitrary<ConvolutionShape> = fc.oneof(
  { arbitrary: winogradShape, weight: 4 },
  { arbitrary: deepShape, weight: 1 },
  { arbitrary: mostlyPaddingShape, weight: 1 },
  {
    arbitrary: fc.integer({ min: 65, max: 70 }).map((inputs) => sameConvolution(4 * inputs, 16, 3)),
    weight: 1,
  },
);

export const poolingShape: fc.Arbitrary<PoolingShape> = fc
  .record({ y: axis, x: axis, channels: fc.integer({ min: 1, max: 40 }) })
  .map(({ y, x, channels }): PoolingShape => {
    const rows = { ...y, dilation: 1 };
    const columns = { ...x, dilation: 1 };
    return {
      input: { channels, height: y.size, width: x.size },
      output: { channels, height: outputSize(rows), width: outputSize(columns) },
      kernel: [y.kernel, x.kernel],
      strides: [y.stride, x.stride],
      pads: [y.before, x.before, y.after, x.after],
    };
  })
  .filter(({ input, output, kernel, strides, pads }) => {
    const lastTop = (output.height - 1) * strides[0] - pads[0];
    const lastLeft = (output.width - 1) * strides[1] - pads[1];
    return (
      output.height > 0 &&
      output.width > 0 &&
      pads[0] < kernel[0] &&
      pads[1] < kernel[1] &&
      lastTop < input.height &&
      lastLeft < input.width
    );
  });

export const imageCount = fc.integer({ min: 1, max: 5 });

/** Pseudo-random 32-bit words, a pure function of their index. */
type Draw = (index: number) => number;

function draws(seed: number, stream: number): Draw {
  const random = createRandomStream(seed, 0, stream);
  return (index) => random.integerBelow(2 ** 32, index);
}

/** No clip, or one a channel or a neuron. */
const clipKind = fc.option(
  fc.record({ mode: fc.constantFrom<ClipMode[]>('clip-zero', 'clamp'), perNeuron: fc.boolean() }),
  { nil: undefined },
);

function thresholdCount({ output }: ConvolutionShape, perNeuron: boolean): number {
  return perNeuron ? featureCount(output) : output.channels;
}

/** A convolution, its clip and its input. */
export interface Case<Specification, Clip, Values> {
  readonly specification: Specification;
  readonly clip: Clip | undefined;
  readonly input: Values;
  readonly images: number;
}

export type Int8Case = Case<Int8ConvolutionSpecification, Int8Clip, Uint8Array>;
export type Float32Case = Case<Float32ConvolutionSpecification, Float32Clip, Float32Array>;

/** Weights and zero points at their limits, biases near ±2^31: accumulators wrap. */
export function int8CaseOf(shapes: fc.Arbitrary<ConvolutionShape>): fc.Arbitrary<Int8Case> {
  return fc
    .record({
      shape: shapes,
      images: imageCount,
      seed: fc.nat(),
      extreme: fc.boolean(),
      inputZeroPoint: fc.constantFrom(0, 1, 128, 255),
      outputZeroPoint: fc.constantFrom(0, 7, 128, 255),
      bounds: fc.tuple(fc.nat({ max: 255 }), fc.nat({ max: 255 })),
      clip: clipKind,
    })
    .map(({ shape, images, seed, extreme, inputZeroPoint, outputZeroPoint, bounds, clip }) => {
      const { channels } = shape.output;
      const weight = draws(seed, 1);
      const value = draws(seed, 2);
      const parameter = draws(seed, 3);
      const near = (index: number, limit: number): number =>
        extreme && index % 3 === 0
          ? (index % 2 === 0 ? 2 ** 31 - 1 : -(2 ** 31)) - (parameter(index) % 1000)
          : (parameter(index) % (2 * limit)) - limit;
      const specification: Int8ConvolutionSpecification = {
        shape,
        inputZeroPoint,
        weights: Int8Array.from({ length: weightCount(shape) }, (_, i) =>
          extreme && weight(i) % 2 ? -128 : weight(i) >>> 24,
        ),
        weightZeroPoints: Int32Array.from({ length: channels }, (_, c) =>
          extreme ? (parameter(c) % 256) - 128 : 0,
        ),
        bias: Int32Array.from({ length: channels }, (_, c) => near(c, 20_000)),
        multipliers: Float32Array.from(
          { length: channels },
          (_, c) => 2 ** -(8 + (parameter(c + channels) % 16)) * (1 + value(c) / 2 ** 32),
        ),
        outputZeroPoint,
        low: Math.min(...bounds),
        high: Math.max(...bounds),
      };
      return {
        specification,
        images,
        clip: clip && {
          mode: clip.mode,
          thresholds: Int32Array.from(
            { length: thresholdCount(shape, clip.perNeuron) },
            (_, neuron) => near(neuron + 2 * channels, 30_000),
          ),
        },
        input: Uint8Array.from({ length: images * featureCount(shape.input) }, (_, i) =>
          extreme && value(i) % 2 ? 255 : value(i) >>> 24,
        ),
      };
    });
}

export const int8Case: fc.Arbitrary<Int8Case> = int8CaseOf(convolutionShape);

const PATHOLOGICAL = [
  1e38,
  -1e38,
  3.4e38,
  Infinity,
  -Infinity,
  NaN,
  1e-45,
  -1e-45,
  1e-40,
  -1e-38,
  0,
  -0,
];

/** Ordinary values, or values among which are enormous, subnormal and non-finite ones. */
export function float32CaseOf(shapes: fc.Arbitrary<ConvolutionShape>): fc.Arbitrary<Float32Case> {
  return fc
    .record({
      shape: shapes,
      images: imageCount,
      seed: fc.nat(),
      /** One weight, and one input, in so many is pathological. */
      rarity: fc.constantFrom(Infinity, 5000, 200, 12, 2),
      inputRarity: fc.constantFrom(Infinity, 5000, 200, 12, 2),
      /** Ordinary weights and inputs lie in ±scale. */
      scale: fc.constantFrom(1, 1, 15.9, 17, 4095, 4097),
      relu: fc.boolean(),
      clip: clipKind,
    })
    .map(({ shape, images, seed, rarity, inputRarity, scale, relu, clip }) => {
      const { channels } = shape.output;
      const values = (stream: number, length: number, oneIn: number): Float32Array => {
        const draw = draws(seed, stream);
        return Float32Array.from({ length }, (_, i) => {
          const word = draw(i);
          if (word % 65_536 < 65_536 / oneIn) {
            return PATHOLOGICAL[(word >>> 16) % PATHOLOGICAL.length];
          }
          return scale * (word / 2 ** 31 - 1);
        });
      };
      return {
        specification: {
          shape,
          weights: values(1, weightCount(shape), rarity),
          bias: values(2, channels, rarity),
          relu,
        },
        images,
        clip: clip && {
          mode: clip.mode,
          thresholds: values(3, thresholdCount(shape, clip.perNeuron), rarity),
        },
        input: values(4, images * featureCount(shape.input), inputRarity),
      };
    });
}

export const float32Case: fc.Arbitrary<Float32Case> = float32CaseOf(
  fc.oneof({ arbitrary: convolutionShape, weight: 2 }, { arbitrary: fastFloat32Shape, weight: 1 }),
);
