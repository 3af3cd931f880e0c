import { type ConvolutionShape, InputError, PAGE_BYTES, weightCount } from '../../core/index.js';
import { layoutBytes } from '../layouts.js';
import { thresholdBytes } from './descriptors.js';
import { float32Placer, layoutFloat32Convolution } from './float32/memory.js';
import {
  INPUT_BYTES,
  PRODUCT_BYTES,
  planInt8Convolution,
  SIDE_CHANNELS,
  type TransformPlan,
} from './int8/plan.js';
import type { Allocate } from './module.js';
import {
  BLOCK_BYTES,
  type ConvolutionPlan,
  type KernelFormat,
  planConvolution,
  roundUp,
} from './plan.js';

/** A cache line: where every allocation starts. */
const ALIGNMENT = 64;

/** AssemblyScript keeps its static data in the first page. */
const RESERVED_BYTES = PAGE_BYTES;

/** 36 vectors of 64 int16; the 36 lines of a block of transformed weights take less. */
const TILE_SCRATCH_BYTES = 36 * 128;

/** One row of a tile for the channels without a proof. */
const SIDE_BYTES = 4 * SIDE_CHANNELS * 4;

const ACCUMULATOR_BYTES = 4;

/** What a WebAssembly backend will hold, so that its memory can be sized once. */
export interface WasmMemoryNeeds {
  readonly convolutions: readonly {
    readonly shape: ConvolutionShape;
    readonly format: KernelFormat;
  }[];
  /** Tensors to be allocated; `length` is the number of values of one image. */
  readonly tensors: readonly { readonly format: 'uint8' | 'float32'; readonly length: number }[];
  /** Number of images every tensor has room for. */
  readonly images: number;
}

/**
 * Bytes of memory of a backend that makes these convolutions and allocates these tensors. A weight takes
 * 2 bytes (int8; 1 in fully connected layers) or what its plan says (float32); each group's output channels are padded to a multiple of 16.
 * @throws ModelError when a convolution is not supported
 */
export function wasmBytesNeeded({ convolutions, tensors, images }: WasmMemoryNeeds): number {
  const allocate = bumpAllocator(Number.POSITIVE_INFINITY);
  placeWorkspace(allocate);
  const placeFloat32 = float32Placer(allocate);
  for (const { shape, format } of convolutions) {
    if (format === 'int8') placeInt8(shape, allocate);
    else placeFloat32(layoutFloat32Convolution(shape));
  }
  for (const { format, length } of tensors) {
    allocate(images * length * (format === 'uint8' ? 1 : 4));
  }
  return allocate(0);
}

/**
 * An allocator of a memory of `limit` bytes that hands out ascending aligned addresses.
 * @throws InputError (from the allocator) when the memory is full
 */
export function bumpAllocator(limit: number): Allocate {
  let next = RESERVED_BYTES;
  return (bytes) => {
    const start = next;
    const end = start + roundUp(bytes, ALIGNMENT);
    if (end > limit) {
      throw new InputError(
        `The kernels' memory of ${limit} bytes is full: ${end - limit} more bytes are needed; size it with wasmBytesNeeded.`,
      );
    }
    next = end;
    return start;
  };
}

/** Addresses of what all kernels of a backend share. */
export interface WorkspacePlaces {
  /** Gathered windows of a block of output positions. */
  readonly windows: number;
  /** Accumulators of a block of output positions. */
  readonly accumulators: number;
  readonly poolingDescriptor: number;
  /** Transformed inputs and products of a block of tiles of an int8 convolution. */
  readonly transformedInputs: number;
  readonly products: number;
  /** Intermediate values of one tile. */
  readonly tileScratch: number;
  /** Accumulators of a few output positions of the channels without a Winograd proof. */
  readonly sideAccumulators: number;
}

/** Reserves what all kernels of a backend share. */
export function placeWorkspace(allocate: Allocate): WorkspacePlaces {
  return {
    windows: allocate(BLOCK_BYTES),
    accumulators: allocate(BLOCK_BYTES),
    poolingDescriptor: allocate(layoutBytes('PoolingDescriptor')),
    transformedInputs: allocate(INPUT_BYTES),
    products: allocate(PRODUCT_BYTES),
    tileScratch: allocate(TILE_SCRATCH_BYTES),
    sideAccumulators: allocate(SIDE_BYTES),
  };
}

/** Addresses of what belongs to one convolution. */
export interface ConvolutionPlaces {
  readonly gatherDescriptor: number;
  readonly finishDescriptor: number;
  readonly weights: number;
  /** Vectors of `rowStride` values; a float32 convolution leaves the multipliers unused. */
  readonly bias: number;
  readonly multipliers: number;
  /** Room for one a neuron. */
  readonly thresholds: number;
}

/** Reserves what an int8 convolution by gathered windows takes. */
export function placeConvolution(plan: ConvolutionPlan, allocate: Allocate): ConvolutionPlaces {
  const { shape } = plan;
  const vectorBytes = plan.rowStride * ACCUMULATOR_BYTES;
  return {
    gatherDescriptor: allocate(layoutBytes('GatherDescriptor')),
    finishDescriptor: allocate(layoutBytes('Int8FinishDescriptor')),
    weights: allocate(plan.packedWeights * plan.elementBytes),
    bias: allocate(vectorBytes),
    thresholds: allocate(thresholdBytes(shape)),
    multipliers: allocate(vectorBytes),
  };
}

/** Addresses of what belongs to one int8 convolution of one output position. */
export interface FullyConnectedPlaces extends ConvolutionPlaces {
  readonly weightZeroPoints: number;
}

/** Reserves what an int8 convolution of one output position takes: a byte a weight. */
export function placeFullyConnected(
  plan: ConvolutionPlan,
  allocate: Allocate,
): FullyConnectedPlaces {
  return {
    ...placeConvolution({ ...plan, elementBytes: 1 }, allocate),
    weightZeroPoints: allocate(plan.rowStride * ACCUMULATOR_BYTES),
  };
}

/** Addresses of what belongs to one int8 convolution by transformed tiles. */
export interface TransformPlaces extends ConvolutionPlaces {
  readonly transformDescriptor: number;
  /** Weights in network order. */
  readonly storedWeights: number;
  readonly weightZeroPoints: number;
  /** A pixel of input zero points. */
  readonly padding: number;
  /** Numbers of 3×3 kernels whose transformed copy is out of date. */
  readonly changed: number;
  /** Packed weights and biases of channels without a proof. */
  readonly sideWeights: number;
  readonly sideBias: number;
}

/** Reserves what an int8 convolution by transformed tiles takes, the direct one for channels without a proof included. */
export function placeTransform(plan: TransformPlan, allocate: Allocate): TransformPlaces {
  const { shape } = plan;
  const direct = planConvolution(shape, 'int8');
  const vectorBytes = direct.rowStride * ACCUMULATOR_BYTES;
  return {
    gatherDescriptor: allocate(layoutBytes('GatherDescriptor')),
    finishDescriptor: allocate(layoutBytes('Int8FinishDescriptor')),
    transformDescriptor: allocate(layoutBytes('TransformDescriptor')),
    weights: allocate(plan.weightBytes),
    bias: allocate(vectorBytes),
    thresholds: allocate(thresholdBytes(shape)),
    multipliers: allocate(vectorBytes),
    storedWeights: allocate(weightCount(shape)),
    weightZeroPoints: allocate(vectorBytes),
    padding: allocate(roundUp(shape.input.channels, 8)),
    changed: allocate(plan.mostChanged * 4),
    sideWeights: allocate(direct.paddedWindow * direct.elementBytes * SIDE_CHANNELS),
    sideBias: allocate(SIDE_CHANNELS * ACCUMULATOR_BYTES),
  };
}

/** Addresses of what belongs to one int8 convolution with a filter for each channel. */
export interface DepthwisePlaces extends ConvolutionPlaces {
  readonly depthwiseDescriptor: number;
  readonly padding: number;
  readonly taps: number;
}

/** Reserves what an int8 convolution with a filter for each channel takes. */
export function placeDepthwise(shape: ConvolutionShape, allocate: Allocate): DepthwisePlaces {
  const pairs = Math.ceil((shape.kernel[0] * shape.kernel[1]) / 2);
  const channels = roundUp(shape.input.channels, 8);
  const vectorBytes = planConvolution(shape, 'int8').rowStride * ACCUMULATOR_BYTES;
  return {
    gatherDescriptor: 0,
    finishDescriptor: allocate(layoutBytes('Int8FinishDescriptor')),
    depthwiseDescriptor: allocate(layoutBytes('DepthwiseDescriptor')),
    weights: allocate(channels * pairs * 4),
    bias: allocate(vectorBytes),
    thresholds: allocate(thresholdBytes(shape)),
    multipliers: allocate(vectorBytes),
    padding: allocate(channels),
    taps: allocate(pairs * 8),
  };
}

/** Reserves what an int8 convolution takes, by the algorithm of its plan. */
export function placeInt8(shape: ConvolutionShape, allocate: Allocate): void {
  const plan = planInt8Convolution(shape);
  if ('elements' in plan) placeTransform(plan, allocate);
  else if (plan.algorithm === 'depthwise') placeDepthwise(shape, allocate);
  else if (plan.algorithm === 'direct') placeConvolution(planConvolution(shape, 'int8'), allocate);
  else placeFullyConnected(planConvolution(shape, 'int8'), allocate);
}
