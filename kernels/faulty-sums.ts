import type { ConvolutionShape } from '../core/index.js';

/** Faults of 32-bit words: what is read of word i is ((word & and[i]) | or[i]) ^ xor[i]. */
export interface WordMasks {
  readonly and: Uint32Array;
  readonly or: Uint32Array;
  readonly xor: Uint32Array;
}

/** Where the sums of a part are disturbed. */
export interface SumSteps {
  /** Places in the window, ascending and distinct: the product of each is made, and added, through its masks. */
  readonly at: Uint32Array;
  /** What the product of each step passes; where it is sound, `and` is 0xffffffff, `or` and `xor` are 0. */
  readonly product: WordMasks;
  /** What the sum passes after the product of each step was added. */
  readonly sum: WordMasks;
}

/** Outputs that are disturbed alike: these channels at all positions of their group of parts. */
export interface SumPart {
  /** Output channels of the layer, ascending, all of one group of the convolution. */
  readonly channels: Uint32Array;
  /**
   * [channel][place in the window], for int8 with the zero point subtracted. Parts that are given the same array may
   * share one copy of it, so it must not change.
   */
  readonly weights: Int16Array | Float32Array;
  readonly steps: SumSteps;
}

/** Output positions (y · width + x, ascending) whose outputs are disturbed alike, channel by channel. */
export interface SumGroup {
  readonly positions: Uint32Array;
  readonly parts: readonly SumPart[];
}

/**
 * Sums of a convolution, some outputs of which pass faulty registers. A sum starts at the bias. For each place k of the
 * window, ascending (int8: input channel, ky, kx; float32: ky, kx, input channel), p = (x − inputZeroPoint) · w or, in
 * float32, fround(x · w); at a step p passes the masks of the product; sum = sum + p, wrapped to 32 bits or rounded to
 * float32; at a step the sum passes its masks. On padding x is the zero point, or +0.
 *
 * A float32 NaN passes masks as 0x7fc00000, since engines and processors leave its other bits open. Of sums that are NaN
 * without having passed masks last, no bits but those that make them NaN are defined.
 */
export interface FaultySumsSpecification {
  readonly format: 'int8' | 'float32';
  readonly shape: ConvolutionShape;
  /** 0…255; 0 for float32. */
  readonly inputZeroPoint: number;
  /** Of all output channels: Int32Array for int8, Float32Array for float32. */
  readonly bias: Int32Array | Float32Array;
  readonly groups: readonly SumGroup[];
}

/** Computes the sums of a specification. */
export interface FaultySumsKernel {
  /**
   * @param input `images` images, each height × width × channels: Uint8Array for int8, Float32Array for float32
   * @throws InputError when it holds fewer images, or values of the other format
   */
  run(input: Uint8Array | Float32Array, images: number): void;
  /** [group][part]: [image][position of the group][channel of the part], bias included; valid until the next run. */
  readonly sums: readonly (readonly (Int32Array | Float32Array)[])[];
}

/** What a NaN is where it passes masks. */
export const CANONICAL_NAN = 0x7fc00000;

/** The group of the convolution that computes a part. */
export function convolutionGroup(shape: ConvolutionShape, part: SumPart): number {
  return Math.floor((part.channels[0] * shape.groups) / shape.output.channels);
}
