import { featureCount } from '../../core/index.js';
import {
  compileKernels,
  createReferenceBackend,
  createWasmBackend,
  type Float32ConvolutionKernel,
  type Int8ConvolutionKernel,
  type KernelBackend,
} from '../../kernels/index.js';
import type { Float32Case, Int8Case } from './arbitraries.js';

const MEMORY_BYTES = 2 ** 30;

export const kernels = compileKernels();
export const reference = createReferenceBackend();

/** One memory for all cases of a test file; pages never touched cost nothing. */
export const wasm = createWasmBackend(kernels, MEMORY_BYTES);

export function bothBackends(): [string, KernelBackend][] {
  return [reference, wasm].map((backend) => [backend.name, backend]);
}

/** Outputs and bias-included accumulators of a run. */
export interface Run {
  readonly output: readonly number[];
  readonly accumulators: readonly number[];
}

export function runInt8(backend: KernelBackend, testCase: Int8Case): Run {
  const kernel = backend.int8Convolution(testCase.specification);
  kernel.setClip(testCase.clip);
  return runInt8Kernel(backend, kernel, testCase);
}

export function runInt8Kernel(
  backend: KernelBackend,
  kernel: Int8ConvolutionKernel,
  { input, images }: Pick<Int8Case, 'input' | 'images'>,
): Run {
  const length = images * featureCount(kernel.shape.output);
  const ownInput = backend.allocateUint8(input.length);
  const output = backend.allocateUint8(length);
  ownInput.set(input);
  const { accumulators, observe } = collector(length, kernel.shape.output.channels);
  kernel.run(ownInput, output, images, observe);
  return { output: [...output], accumulators };
}

export function runFloat32(backend: KernelBackend, testCase: Float32Case): Run {
  const kernel = backend.float32Convolution(testCase.specification);
  kernel.setClip(testCase.clip);
  return runFloat32Kernel(backend, kernel, testCase);
}

export function runFloat32Kernel(
  backend: KernelBackend,
  kernel: Float32ConvolutionKernel,
  { input, images }: Pick<Float32Case, 'input' | 'images'>,
): Run {
  const length = images * featureCount(kernel.shape.output);
  const ownInput = backend.allocateFloat32(input.length);
  const output = backend.allocateFloat32(length);
  ownInput.set(input);
  const { accumulators, observe } = collector(length, kernel.shape.output.channels);
  kernel.run(ownInput, output, images, observe);
  return { output: [...output], accumulators };
}

function collector(length: number, channels: number) {
  const accumulators = new Array<number>(length);
  const observe = (
    block: Int32Array | Float32Array,
    firstRow: number,
    rows: number,
    rowStride: number,
  ): void => {
    for (let row = 0; row < rows; row++) {
      for (let channel = 0; channel < channels; channel++) {
        accumulators[(firstRow + row) * channels + channel] = block[row * rowStride + channel];
      }
    }
  };
  return { accumulators, observe };
}
