import {
  compileModule,
  instantiateModule,
  type WasmMemory,
  type WasmModule,
} from '../../core/index.js';
import type { Float32Functions } from './float32/functions.js';

/** The compiled kernels; they can be posted to worker threads, which then need not compile. */
export type KernelModule = WasmModule;

/** What kernels/assembly/index.ts exports; pointers and byte counts are numbers. */
export interface KernelFunctions extends Float32Functions {
  gatherUint8: Gather;
  gatherFloat32: Gather;
  multiplyInt16: Multiply;
  requantize: Finish;
  deltaConvolution(
    descriptor: number,
    changes: number,
    changeCount: number,
    patches: number,
    patchCount: number,
    input: number,
    accumulators: number,
    output: number,
    target: number,
  ): number;
  deltaMaxPool(
    descriptor: number,
    changes: number,
    changeCount: number,
    input: number,
    output: number,
    target: number,
  ): number;
  transformInputs4x4: TransformInputs;
  transformInputs2x2: TransformInputs;
  transformWeights(descriptor: number, elements: number, list: number, count: number): void;
  transformBlocks(descriptor: number, elements: number, first: number, count: number): void;
  multiplyElements(
    descriptor: number,
    elements: number,
    tiles: number,
    firstPanel: number,
    panels: number,
  ): void;
  accumulateDepthwise(
    descriptor: number,
    input: number,
    accumulators: number,
    firstRow: number,
    rows: number,
  ): void;
  finishTiles(
    descriptor: number,
    finish: number,
    side: number,
    output: number,
    firstTile: number,
    tiles: number,
    firstChannel: number,
    channels: number,
    accumulators: number,
  ): void;
  accumulateTiles(
    descriptor: number,
    side: number,
    tiles: number,
    firstChannel: number,
    channels: number,
    accumulators: number,
  ): void;
  requantizeTiles(
    descriptor: number,
    finish: number,
    side: number,
    output: number,
    firstTile: number,
    tiles: number,
    accumulators: number,
  ): void;
  maxPoolUint8(descriptor: number, input: number, output: number): void;
  maxPoolFloat32(descriptor: number, input: number, output: number): void;
}

type TransformInputs = (
  descriptor: number,
  input: number,
  firstTile: number,
  tiles: number,
) => void;

type Gather = (
  descriptor: number,
  input: number,
  block: number,
  firstRow: number,
  rows: number,
  group: number,
) => void;

type Multiply = (
  a: number,
  aStride: number,
  b: number,
  c: number,
  cStride: number,
  rows: number,
  depth: number,
  bias: number,
) => void;

type Finish = (
  descriptor: number,
  accumulators: number,
  output: number,
  firstRow: number,
  rows: number,
) => void;

/**
 * Reads and compiles `dist/kernels/kernels.wasm`. Compile once and share the module between threads: they
 * then also share the code that V8 has optimised.
 * @throws InputError when the file is missing
 */
export function compileKernels(): KernelModule {
  return compileModule('kernels/kernels.wasm');
}

/** Instantiates the kernels on a new memory of `pages` pages, which never grows. */
export function instantiateKernels(
  module: KernelModule,
  pages: number,
): { readonly memory: WasmMemory; readonly functions: KernelFunctions } {
  const { memory, exports } = instantiateModule(module, pages);
  return { memory, functions: exports as KernelFunctions };
}
