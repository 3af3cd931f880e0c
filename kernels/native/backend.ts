import { type ConvolutionShape, InputError } from '../../core/index.js';
import type { KernelBackend } from '../backend.js';
import { checkPoolingShape, checkTensors } from '../check.js';
import { poolingFields } from '../wasm/descriptors.js';
import { faultySumsOn } from '../wasm/faulty-sums/runner.js';
import { float32Placer, layoutFloat32Convolution } from '../wasm/float32/memory.js';
import { int8Convolution as transformedConvolution } from '../wasm/int8/convolution.js';
import { planInt8Convolution } from '../wasm/int8/plan.js';
import { bumpAllocator, placeInt8, placeWorkspace, type WasmMemoryNeeds } from '../wasm/memory.js';
import type { KernelModule } from '../wasm/module.js';
import { checkOwnTensors, createWorkspace, writeDescriptor } from '../wasm/workspace.js';
import { float32ConvolutionsNative } from './float32.js';
import { int8Convolution, placeInt8Native } from './int8.js';
import type { NativeFunctions, NativeInstructionSet } from './library.js';
import { planInt8Native } from './plan.js';
import {
  createNativeWorkspace,
  type NativeWorkspace,
  nativeWorkspaceOn,
  placeShared,
} from './workspace.js';

/**
 * The kernels in C, equal to the reference to the bit (any NaN equals any NaN). One per thread: everything made by it
 * lives in one memory, which is sized here and freed as a whole. Where the instruction set has no 8-bit products, 3×3
 * layers of int8 words are left to the transforms of WebAssembly (see `isTransforming`).
 *
 * @param instructionSet index into `functions.instructionSets`, of one that the processor has
 * @throws InputError, from here or from what allocates, when the memory is too small
 * @throws ModelError when a convolution is not supported
 */
export function createNativeBackend(
  functions: NativeFunctions,
  instructionSet: number,
  wasm: KernelModule,
  needs: WasmMemoryNeeds,
): KernelBackend {
  const set = functions.instructionSets[instructionSet];
  const bytes = nativeBytesNeeded(needs, set);
  const shared = isTransforming(set, needs) ? createWorkspace(wasm, bytes) : undefined;
  const workspace = shared
    ? nativeWorkspaceOn(shared, functions, instructionSet)
    : createNativeWorkspace(functions, instructionSet, bytes);
  const { buffer, allocate } = workspace;
  return {
    name: `native ${set.name}`,
    allocateUint8: (length) => new Uint8Array(buffer, allocate(length), length),
    allocateFloat32: (length) => new Float32Array(buffer, allocate(length * 4), length),
    int8Convolution: (specification) =>
      shared && isTransformed(specification.shape)
        ? transformedConvolution(shared, specification)
        : int8Convolution(workspace, specification),
    float32Convolution: float32ConvolutionsNative(workspace),
    maxPool: maxPoolOn(workspace),
    // Few outputs pass faulty registers: WebAssembly computes them for kernels of any provider.
    faultySums: faultySumsOn(wasm),
  };
}

/** Images that fill the blocks of transformed tiles. */
const FEWEST_TRANSFORMED = 4;

/**
 * Whether 3×3 layers of int8 words are computed by transforms. VGG-16 on AVX2 alone, images a second: directly 124 one by
 * one and 156 sixteen together, by transforms 73 and 285.
 */
function isTransforming(
  { dotProducts }: NativeInstructionSet,
  { images }: WasmMemoryNeeds,
): boolean {
  return !dotProducts && images >= FEWEST_TRANSFORMED;
}

/** Whether WebAssembly computes an int8 layer by transformed tiles. A shape that cannot be is refused later. */
function isTransformed(shape: ConvolutionShape): boolean {
  return 'elements' in planInt8Convolution(shape);
}

/** Bytes of memory of a backend for these needs. */
function nativeBytesNeeded(needs: WasmMemoryNeeds, instructionSet: NativeInstructionSet): number {
  const { convolutions, tensors, images } = needs;
  const allocate = bumpAllocator(Number.POSITIVE_INFINITY);
  const transforms = isTransforming(instructionSet, needs);
  if (transforms) placeWorkspace(allocate);
  else placeShared(allocate);
  const placeFloat32 = float32Placer(allocate);
  for (const { shape, format } of convolutions) {
    if (format === 'float32') placeFloat32(layoutFloat32Convolution(shape));
    else if (transforms && isTransformed(shape)) placeInt8(shape, allocate);
    else placeInt8Native(planInt8Native(shape, instructionSet), allocate);
  }
  for (const { format, length } of tensors) {
    allocate(images * length * (format === 'uint8' ? 1 : 4));
  }
  return allocate(0);
}

function maxPoolOn(workspace: NativeWorkspace): KernelBackend['maxPool'] {
  const { buffer, functions, instructionSet, places } = workspace;
  return (shape, input, output, images) => {
    checkPoolingShape(shape, 'max');
    checkTensors(shape, input, output, images);
    checkOwnTensors(buffer, input, output);
    if (input.BYTES_PER_ELEMENT !== output.BYTES_PER_ELEMENT) {
      throw new InputError('The input and the output of a max pooling differ in their format.');
    }
    const descriptor = places.poolingDescriptor;
    writeDescriptor(workspace, descriptor, 'PoolingDescriptor', poolingFields(shape));
    const pool = input instanceof Float32Array ? functions.poolFloat32 : functions.poolUint8;
    pool(buffer, instructionSet, descriptor, input.byteOffset, output.byteOffset, images);
  };
}
