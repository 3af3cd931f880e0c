import type { ConvolutionShape, FeatureShape, PoolingShape } from '../core/index.js';
import type { FaultySumsKernel, FaultySumsSpecification } from './faulty-sums.js';

/**
 * What happens to an accumulator above its threshold, before requantisation:
 * `clip-zero` makes it 0, `clamp` makes it the threshold.
 */
export type ClipMode = 'clip-zero' | 'clamp';

/**
 * Thresholds are compared with the accumulator, bias included: one per output channel, or one per neuron (output
 * height × width × channels, channels innermost).
 */
export interface Int8Clip {
  readonly mode: ClipMode;
  readonly thresholds: Int32Array;
}

/**
 * Thresholds are compared with the sum, bias included: one per output channel, or one per neuron (output height ×
 * width × channels, channels innermost). `clip-zero` gives 0 wherever !(x <= T), so NaN and infinity become 0; `clamp` gives T wherever x > T
 * and leaves NaN.
 */
export interface Float32Clip {
  readonly mode: ClipMode;
  readonly thresholds: Float32Array;
}

/**
 * acc = int32 wrap-around of Σ (x − inputZeroPoint)(w − weightZeroPoints[c]) + bias[c]; padding counts as
 * x = inputZeroPoint. After the clip:
 * y = clamp(roundHalfEven(fround(fround(acc) · multipliers[c])) + outputZeroPoint, low, high).
 */
export interface Int8ConvolutionSpecification {
  readonly shape: ConvolutionShape;
  readonly inputZeroPoint: number;
  /** Network order: output channel, input channel of the group, ky, kx. */
  readonly weights: Int8Array;
  readonly weightZeroPoints: Int32Array;
  readonly bias: Int32Array;
  readonly multipliers: Float32Array;
  readonly outputZeroPoint: number;
  /** Bounds of the stored output, within 0…255. */
  readonly low: number;
  readonly high: number;
}

/**
 * The algorithm of `planFloat32Convolution(shape)` defines a float32 result; docs/kernels-float32.md states
 * the order of every rounding. `direct` starts at bias[c] and adds fround(x · w) for ky, then kx, then the
 * input channel, ascending, rounding after each addition; padding contributes x = +0. Channels and images
 * with a value beyond the plan's limits are computed by `direct`. Then the clip, then the ReLU (x > 0 or
 * NaN: x, otherwise +0).
 */
export interface Float32ConvolutionSpecification {
  readonly shape: ConvolutionShape;
  readonly weights: Float32Array;
  readonly bias: Float32Array;
  readonly relu: boolean;
}

/**
 * Sees accumulators (bias included, before clip and requantisation) of a block of output positions:
 * `accumulators[row * rowStride + channel]`, `row` counting image-major output positions
 * from `firstRow`. The view is only valid during the call.
 */
export type AccumulatorObserver<T extends Int32Array | Float32Array> = (
  accumulators: T,
  firstRow: number,
  rows: number,
  rowStride: number,
) => void;

/** int8 values, or float32 numbers. */
export type WeightValues = Int8Array | Float32Array;

/** A convolution or fully connected layer whose weights can be changed in place. */
export interface ConvolutionKernel<
  Values extends Uint8Array | Float32Array,
  Clip,
  Accumulators extends Int32Array | Float32Array,
> {
  readonly shape: ConvolutionShape;
  /** Replace one weight; `index` in network order, `value` the int8 value or the float32 number. */
  setWeight(index: number, value: number): void;
  /**
   * Replace weights in ascending order, faster than one by one.
   *
   * @param indices ascending
   * @param values one for each index
   */
  setWeights(indices: Uint32Array, values: WeightValues): void;
  /** The weight that `run` now uses. */
  getWeight(index: number): number;
  /** Install or (undefined) remove the clip. */
  setClip(clip: Clip | undefined): void;
  /** `images` images, each height × width × channels (channels innermost). */
  run(
    input: Values,
    output: Values,
    images: number,
    observe?: AccumulatorObserver<Accumulators>,
  ): void;
}

/** int8 weights can be changed all at once, too. */
export interface Int8ConvolutionKernel extends ConvolutionKernel<Uint8Array, Int8Clip, Int32Array> {
  /**
   * Invert bits of weights; the same once more takes them back.
   *
   * @param bits for each weight, in network order, the bits of its byte that are inverted
   */
  invertBits(bits: Uint8Array): void;
}
export type Float32ConvolutionKernel = ConvolutionKernel<Float32Array, Float32Clip, Float32Array>;

/** A set of kernels over one memory. `allocate*` must be used for every tensor handed to a kernel. */
export interface KernelBackend {
  readonly name: string;
  allocateUint8(length: number): Uint8Array;
  allocateFloat32(length: number): Float32Array;
  int8Convolution(specification: Int8ConvolutionSpecification): Int8ConvolutionKernel;
  float32Convolution(specification: Float32ConvolutionSpecification): Float32ConvolutionKernel;
  /** Maximum over each window, channels innermost; for float32 a NaN in the window gives NaN. */
  maxPool(
    shape: PoolingShape,
    input: Uint8Array | Float32Array,
    output: Uint8Array | Float32Array,
    images: number,
  ): void;
  /**
   * Kernels for sums that pass faulty registers, in the place of those that were made before, which can be run no longer.
   *
   * @throws ModelError unless all specifications are consistent
   */
  faultySums(specifications: readonly FaultySumsSpecification[]): readonly FaultySumsKernel[];
}

/** From height × width × channels to channels × height × width (the order of flatten), per image. */
export type Flatten = (
  shape: FeatureShape,
  input: Uint8Array | Float32Array,
  output: Uint8Array | Float32Array,
  images: number,
) => void;
