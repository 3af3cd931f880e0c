import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InputError, packageRoot } from '../../core/index.js';
import type { Float32Functions } from './float32-functions.js';

/** A compiled WebAssembly.Module; it can be posted to worker threads, which then need not compile. */
export interface KernelModule {
  readonly [Symbol.toStringTag]: 'WebAssembly.Module';
}

/** A WebAssembly.Memory. */
export interface KernelMemory {
  readonly buffer: ArrayBuffer;
}

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

/** The part of the WebAssembly JavaScript interface used here: Node's type definitions lack it. */
interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => KernelModule;
  readonly Memory: new (limits: { initial: number; maximum: number }) => KernelMemory;
  readonly Instance: new (
    module: KernelModule,
    imports: { env: { memory: KernelMemory } },
  ) => { readonly exports: unknown };
}

const { WebAssembly } = globalThis as unknown as { WebAssembly: WebAssemblyApi };

/** Bytes of one WebAssembly page. */
export const PAGE_BYTES = 65_536;

/**
 * Reads and compiles `dist/kernels/kernels.wasm`. Compile once and share the module between threads: they
 * then also share the code that V8 has optimised.
 * @throws InputError when the file is missing
 */
export function compileKernels(): KernelModule {
  const file = join(packageRoot(), 'dist', 'kernels', 'kernels.wasm');
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new InputError(`${file} cannot be read; run \`npm run build\` to make it.`, {
      cause: error,
    });
  }
  return new WebAssembly.Module(bytes);
}

/** Instantiates the kernels on a new memory of `pages` pages, which never grows. */
export function instantiateKernels(
  module: KernelModule,
  pages: number,
): { memory: KernelMemory; functions: KernelFunctions } {
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  return { memory, functions: exports as KernelFunctions };
}
