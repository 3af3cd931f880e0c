import {
  compileModule,
  instantiateModule,
  type WasmMemory,
  type WasmModule,
} from '../../core/index.js';
import type { Float32Functions } from './float32/functions.js';

/** The compiled kernels; they can be posted to worker threads, which then need not compile. */
export type KernelModule = WasmModule;

/** Reserves bytes of the kernels' memory and returns their address; nothing is ever freed. */
export type Allocate = (bytes: number) => number;

/** What kernels/assembly/index.ts exports; pointers and byte counts are numbers. */
export interface KernelFunctions extends Float32Functions {
  gatherUint8: Gather;
  multiplyInt16: Multiply;
  multiplyInt8Weights(...parameters: [...Parameters<Multiply>, widened: number]): void;
  subtractZeroPoints(
    windows: number,
    windowBytes: number,
    count: number,
    accumulators: number,
    rowStride: number,
    rows: number,
    zeroPoints: number,
    channels: number,
  ): void;
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
  invertStored(
    stored: number,
    bits: number,
    count: number,
    channels: number,
    zeroPoints: number,
    sums: number,
  ): void;
  listInverted(
    bits: number,
    first: number,
    count: number,
    list: number,
    listed: number,
    most: number,
  ): number;
  invertPacked(
    packed: number,
    bits: number,
    count: number,
    zeroPoint: number,
    taps: number,
    inputs: number,
    step: number,
  ): void;
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
  addFaultySumsInt16: AddFaultySums;
  addFaultySumsFloat32: AddFaultySums;
  packFaultySumsInt16: PackFaultySums;
  packFaultySumsFloat32: PackFaultySums;
  collectFaultySums(stretch: number, rows: number, channels: number, target: number): void;
  gatherPositionsUint8: GatherPositions;
  gatherPositionsFloat32: GatherPositions;
  gatherChannels(
    ...parameters: [...positions: Parameters<GatherPositions>, taps: number, padding: number]
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

type GatherPositions = (
  descriptor: number,
  input: number,
  block: number,
  positions: number,
  count: number,
  firstRow: number,
  rows: number,
  group: number,
) => void;

type AddFaultySums = (stretch: number, rows: number) => void;

type PackFaultySums = (
  stretch: number,
  source: number,
  sourceBytes: number,
  columns: number,
  target: number,
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

/** Instantiates the kernels on a new memory of `pages` pages, which grows to `mostPages` at most. */
export function instantiateKernels(
  module: KernelModule,
  pages: number,
  mostPages = pages,
): { readonly memory: WasmMemory; readonly functions: KernelFunctions } {
  const { memory, exports } = instantiateModule(module, pages, mostPages);
  return { memory, functions: exports as KernelFunctions };
}
