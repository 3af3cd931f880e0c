import { InputError } from '../../core/index.js';
import { layoutBytes } from '../layouts.js';
import { bumpAllocator } from '../wasm/memory.js';
import type { Allocate } from '../wasm/module.js';
import type { NativeFunctions, TileSizes } from './library.js';
import {
  BLOCK_BYTES,
  TRANSFORMED_INPUT_BYTES,
  TRANSFORMED_PRODUCT_BYTES,
  TRANSFORMED_WEIGHT_BYTES,
} from './plan.js';

/** Addresses have 32 bits. */
const MOST_BYTES = 2 ** 32;

const CACHE_LINE = 64;

/** What guards may add to a memory. */
const ROOM_FOR_GUARDS = 2 ** 22;

/** Addresses of what all kernels of a backend share. */
export interface NativePlaces {
  /** Gathered windows of a block of output positions. */
  readonly windows: number;
  /** Accumulators of a block of output positions. */
  readonly accumulators: number;
  readonly poolingDescriptor: number;
  /** Inputs, weights and products of a block of transformed tiles; 0 where the instruction set has none. */
  readonly transformedInputs: number;
  readonly transformedWeights: number;
  readonly products: number;
}

/** One memory, the compiled kernels, and what they share. */
export interface NativeWorkspace {
  readonly buffer: ArrayBuffer;
  readonly functions: NativeFunctions;
  /** Index into the library's instruction sets. */
  readonly instructionSet: number;
  readonly allocate: Allocate;
  readonly places: NativePlaces;
}

/**
 * @param bytes from `nativeBytesNeeded`
 * @throws InputError when they are beyond 32-bit addresses or too few for the shared blocks
 */
export function createNativeWorkspace(
  functions: NativeFunctions,
  instructionSet: number,
  bytes: number,
): NativeWorkspace {
  if (!(bytes > 0 && bytes + CACHE_LINE <= MOST_BYTES)) {
    throw new InputError(
      `The kernels cannot have a memory of ${bytes} bytes; the most is ${MOST_BYTES}: use fewer images.`,
    );
  }
  const guardBytes = functions.guardBytes;
  const limit = guardBytes === 0 ? bytes : bytes * 2 + ROOM_FOR_GUARDS;
  const buffer = new ArrayBuffer(limit + CACHE_LINE);
  const first = (CACHE_LINE - functions.misalignment(buffer)) % CACHE_LINE;
  const bump = bumpAllocator(limit);
  const allocate = (length: number): number => {
    const address = first + bump(length + guardBytes);
    if (guardBytes > 0) functions.guard(buffer, address + length, guardBytes);
    return address;
  };
  return {
    buffer,
    functions,
    instructionSet,
    allocate,
    places: placeShared(allocate, functions.instructionSets[instructionSet]),
  };
}

/** Reserves what all kernels of a backend share. */
export function placeShared(allocate: Allocate, { transforms }: TileSizes): NativePlaces {
  return {
    windows: allocate(BLOCK_BYTES),
    accumulators: allocate(BLOCK_BYTES),
    poolingDescriptor: allocate(layoutBytes('PoolingDescriptor')),
    transformedInputs: transforms ? allocate(TRANSFORMED_INPUT_BYTES) : 0,
    transformedWeights: transforms ? allocate(TRANSFORMED_WEIGHT_BYTES) : 0,
    products: transforms ? allocate(TRANSFORMED_PRODUCT_BYTES) : 0,
  };
}
