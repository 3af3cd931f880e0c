import { type ConvolutionShape, InputError } from '../../core/index.js';
import { float32Placer, layoutFloat32Convolution } from './float32-memory.js';
import { PAGE_BYTES } from './module.js';
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

/** Room for the fields of any descriptor. */
const DESCRIPTOR_BYTES = 64;

const ACCUMULATOR_BYTES = 4;

/** Reserves bytes and returns their address; nothing is ever freed. */
export type Allocate = (bytes: number) => number;

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
 * 2 bytes (int8) or what its plan says (float32); each group's output channels are padded to a multiple of 16.
 * @throws ModelError when a convolution is not supported
 */
export function wasmBytesNeeded({ convolutions, tensors, images }: WasmMemoryNeeds): number {
  const allocate = bumpAllocator(Number.POSITIVE_INFINITY);
  placeWorkspace(allocate);
  const placeFloat32 = float32Placer(allocate);
  for (const { shape, format } of convolutions) {
    if (format === 'float32') placeFloat32(layoutFloat32Convolution(shape));
    else placeConvolution(planConvolution(shape, format), allocate);
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
}

export function placeWorkspace(allocate: Allocate): WorkspacePlaces {
  return {
    windows: allocate(BLOCK_BYTES),
    accumulators: allocate(BLOCK_BYTES),
    poolingDescriptor: allocate(DESCRIPTOR_BYTES),
  };
}

/** Addresses of what belongs to one convolution. */
export interface ConvolutionPlaces {
  readonly gatherDescriptor: number;
  readonly finishDescriptor: number;
  readonly weights: number;
  /** Vectors of `rowStride` values; a float32 convolution leaves the multipliers unused. */
  readonly bias: number;
  readonly thresholds: number;
  readonly multipliers: number;
}

export function placeConvolution(plan: ConvolutionPlan, allocate: Allocate): ConvolutionPlaces {
  const vectorBytes = plan.rowStride * ACCUMULATOR_BYTES;
  return {
    gatherDescriptor: allocate(DESCRIPTOR_BYTES),
    finishDescriptor: allocate(DESCRIPTOR_BYTES),
    weights: allocate(plan.packedWeights * plan.elementBytes),
    bias: allocate(vectorBytes),
    thresholds: allocate(vectorBytes),
    multipliers: allocate(vectorBytes),
  };
}
