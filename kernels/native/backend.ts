import { InputError } from '../../core/index.js';
import type { KernelBackend } from '../backend.js';
import { checkPoolingShape, checkTensors } from '../check.js';
import { poolingFields } from '../wasm/descriptors.js';
import { faultySumsOn } from '../wasm/faulty-sums/runner.js';
import { float32Placer, layoutFloat32Convolution } from '../wasm/float32/memory.js';
import { bumpAllocator, type WasmMemoryNeeds } from '../wasm/memory.js';
import type { KernelModule } from '../wasm/module.js';
import { checkOwnTensors, writeDescriptor } from '../wasm/workspace.js';
import { float32ConvolutionsNative } from './float32.js';
import { int8Convolution, placeInt8Native } from './int8.js';
import type { NativeFunctions, NativeInstructionSet } from './library.js';
import { planInt8Native } from './plan.js';
import { createNativeWorkspace, type NativeWorkspace, placeShared } from './workspace.js';

/**
 * The kernels in C, equal to the reference to the bit (any NaN equals any NaN). One per thread: everything made by it
 * lives in one memory, which is sized here and freed as a whole.
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
  const workspace = createNativeWorkspace(functions, instructionSet, bytes);
  const { buffer, allocate } = workspace;
  return {
    name: `native ${set.name}`,
    allocateUint8: (length) => new Uint8Array(buffer, allocate(length), length),
    allocateFloat32: (length) => new Float32Array(buffer, allocate(length * 4), length),
    int8Convolution: (specification) => int8Convolution(workspace, specification),
    float32Convolution: float32ConvolutionsNative(workspace),
    maxPool: maxPoolOn(workspace),
    // Few outputs pass faulty registers: WebAssembly computes them for kernels of any provider.
    faultySums: faultySumsOn(wasm),
  };
}

/** Bytes of memory of a backend for these needs. */
function nativeBytesNeeded(needs: WasmMemoryNeeds, instructionSet: NativeInstructionSet): number {
  const { convolutions, tensors, images } = needs;
  const allocate = bumpAllocator(Number.POSITIVE_INFINITY);
  placeShared(allocate, instructionSet);
  const placeFloat32 = float32Placer(allocate);
  for (const { shape, format } of convolutions) {
    if (format === 'float32') placeFloat32(layoutFloat32Convolution(shape));
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
