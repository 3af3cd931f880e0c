import { describe } from 'vitest';
import { featureCount } from '../../core/index.js';
import {
  compileKernels,
  createBackend,
  createReferenceBackend,
  createWasmBackend,
  type Float32ConvolutionKernel,
  type Int8ConvolutionKernel,
  KERNEL_PROVIDERS,
  type KernelBackend,
  type KernelNeeds,
  type KernelProvider,
  PROVIDERS,
} from '../../kernels/index.js';
import type { Float32Case, Int8Case } from './arbitraries.js';

const MEMORY_BYTES = 2 ** 30;

export const kernels = compileKernels();
export const reference = createReferenceBackend();

/** One memory for all cases of a test file; pages never touched cost nothing. */
export const wasm = createWasmBackend(kernels, MEMORY_BYTES);

/** The kernels of one instruction set, or why this machine cannot run them. */
type Kernels =
  | { readonly name: string; readonly backend: KernelBackend }
  | { readonly name: string; readonly missing: string };

/** Room for all cases of a test file. */
const ROOM: KernelNeeds = {
  convolutions: [],
  tensors: [{ format: 'uint8', length: MEMORY_BYTES }],
  images: 1,
};

function kernelsOf(provider: KernelProvider): readonly Kernels[] {
  if (provider.name === 'reference') return [{ name: provider.name, backend: reference }];
  if (provider.name === 'wasm') return [{ name: provider.name, backend: wasm }];
  const problem = provider.unavailable();
  if (problem !== undefined) return [{ name: provider.name, missing: problem }];
  return provider.instructionSets().flatMap(({ name, missing }): Kernels[] => {
    const title = `${provider.name} ${name}`;
    if (missing !== undefined) return [{ name: title, missing }];
    return [{ name: title, backend: createBackend(provider.load(name), ROOM) }];
  });
}

const ALL_KERNELS = KERNEL_PROVIDERS.flatMap((name) => kernelsOf(PROVIDERS[name]));

/** Backends of every provider and instruction set that this machine has, but for the reference. */
export const fastBackends: readonly KernelBackend[] = ALL_KERNELS.flatMap((kernels) =>
  'backend' in kernels && kernels.backend !== reference ? [kernels.backend] : [],
);

/** The same tests for every provider and instruction set; those that this machine lacks are skipped by name. */
export function describeBackends(title: string, tests: (backend: KernelBackend) => void): void {
  for (const kernels of ALL_KERNELS) {
    if ('backend' in kernels) describe(`${title}, ${kernels.name}`, () => tests(kernels.backend));
    else describe.skip(`${title}, ${kernels.name}: ${kernels.missing}`);
  }
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

/** Outputs of a run that nobody observes: kernels in C then choose their algorithm by the number of images. */
export function unobserved(
  backend: KernelBackend,
  kernel: Int8ConvolutionKernel,
  { input, images }: Pick<Int8Case, 'input' | 'images'>,
): number[] {
  const ownInput = backend.allocateUint8(input.length);
  ownInput.set(input);
  const output = backend.allocateUint8(images * featureCount(kernel.shape.output));
  kernel.run(ownInput, output, images);
  return [...output];
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
