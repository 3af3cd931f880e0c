import { featureCount, InputError } from '../../core/index.js';
import type { KernelBackend } from '../backend.js';
import { checkPoolingShape, checkTensors } from '../check.js';
import { poolingFields } from './descriptors.js';
import { faultySumsOn } from './faulty-sums/runner.js';
import { float32ConvolutionsOn } from './float32/convolution.js';
import { int8Convolution } from './int8/convolution.js';
import type { KernelModule } from './module.js';
import { checkOwnTensors, createWorkspace, type Workspace, writeDescriptor } from './workspace.js';

/**
 * The kernels in WebAssembly SIMD, equal to the reference to the bit (any NaN equals any NaN). One per
 * thread: everything made by it lives in one memory, which is sized here and freed as a whole.
 * @param bytes size of the memory, from {@link wasmBytesNeeded}
 * @throws InputError, from here or from what allocates, when the memory is too small
 */
export function createWasmBackend(module: KernelModule, bytes: number): KernelBackend {
  const workspace = createWorkspace(module, bytes);
  const { buffer, allocate } = workspace;
  return {
    name: 'wasm',
    allocateUint8: (length) => new Uint8Array(buffer, allocate(length), length),
    allocateFloat32: (length) => new Float32Array(buffer, allocate(length * 4), length),
    int8Convolution: (specification) => int8Convolution(workspace, specification),
    float32Convolution: float32ConvolutionsOn(workspace),
    maxPool: maxPoolOn(workspace),
    faultySums: faultySumsOn(module),
  };
}

function maxPoolOn(workspace: Workspace): KernelBackend['maxPool'] {
  const { buffer, functions, places } = workspace;
  return (shape, input, output, images) => {
    checkPoolingShape(shape, 'max');
    checkTensors(shape, input, output, images);
    checkOwnTensors(buffer, input, output);
    if (input.BYTES_PER_ELEMENT !== output.BYTES_PER_ELEMENT) {
      throw new InputError('The input and the output of a max pooling differ in their format.');
    }
    const descriptor = places.poolingDescriptor;
    writeDescriptor(workspace, descriptor, 'PoolingDescriptor', poolingFields(shape));
    const pool = input instanceof Float32Array ? functions.maxPoolFloat32 : functions.maxPoolUint8;
    const inputBytes = featureCount(shape.input) * input.BYTES_PER_ELEMENT;
    const outputBytes = featureCount(shape.output) * output.BYTES_PER_ELEMENT;
    for (let image = 0; image < images; image++) {
      pool(
        descriptor,
        input.byteOffset + image * inputBytes,
        output.byteOffset + image * outputBytes,
      );
    }
  };
}
