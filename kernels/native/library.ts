import { loadNativeLibrary } from '../../core/index.js';
import type { Float32Functions } from '../wasm/float32/functions.js';
import type { KernelFunctions } from '../wasm/module.js';

/** An instruction set of the library. */
export interface NativeInstructionSet extends TileSizes {
  readonly name: string;
  /** Whether this processor has it. */
  readonly supported: boolean;
}

/** What a plan must know of the tiles of an instruction set's int8 products. */
export interface TileSizes {
  /** Windows of a tile. */
  readonly tileRows: number;
  /** Panels of a tile. */
  readonly tilePanels: number;
  /** Steps of a packed panel are a multiple of this. */
  readonly tileSteps: number;
  /** Whether it multiplies 8-bit values. */
  readonly dotProducts: boolean;
  /** Whether it multiplies transformed values. */
  readonly transforms: boolean;
}

/** What the compiled library exports (source/addon.c). Every argument after the memory is an integer or an address in it. */
export interface NativeFunctions extends NativeFloat32Functions {
  /** Best first. */
  readonly instructionSets: readonly NativeInstructionSet[];
  /** Bytes to leave between two parts of the memory; 0 but for a build with sanitizers. */
  readonly guardBytes: number;
  /** Makes every access to these bytes an error, in a build with sanitizers. */
  guard(memory: ArrayBuffer, address: number, bytes: number): void;
  /** Bytes by which the memory starts after a cache line. */
  misalignment(memory: ArrayBuffer): number;
  runInt8(
    memory: ArrayBuffer,
    instructionSet: number,
    descriptor: number,
    input: number,
    output: number,
    images: number,
  ): void;
  /** A byte of `bits` for each weight, in network order. */
  invertInt8Weights(
    memory: ArrayBuffer,
    instructionSet: number,
    descriptor: number,
    bits: Uint8Array,
  ): void;
  /** Ascending indices in network order. */
  setInt8Weights(
    memory: ArrayBuffer,
    instructionSet: number,
    descriptor: number,
    indices: Uint32Array,
    values: Int8Array,
  ): void;
  accumulateInt8: Rows;
  finishInt8: Rows;
  /** As the function `deltaConvolution` of the kernels in WebAssembly, on their memory. */
  updateConvolution(
    memory: ArrayBuffer,
    instructionSet: number,
    ...rest: Parameters<KernelFunctions['deltaConvolution']>
  ): number;
  poolUint8: Pool;
  poolFloat32: Pool;
}

/** The float32 kernels of WebAssembly, by their names and after the same two arguments. */
type NativeFloat32Functions = {
  readonly [Name in keyof Float32Functions]: (
    memory: ArrayBuffer,
    instructionSet: number,
    ...rest: Parameters<Float32Functions[Name]>
  ) => ReturnType<Float32Functions[Name]>;
};

/** @param tensor the input to accumulate from, or the output to store into */
type Rows = (
  memory: ArrayBuffer,
  instructionSet: number,
  descriptor: number,
  tensor: number,
  images: number,
  firstRow: number,
  rows: number,
) => void;

type Pool = (
  memory: ArrayBuffer,
  instructionSet: number,
  descriptor: number,
  input: number,
  output: number,
  images: number,
) => void;

/**
 * Loads the compiled kernels into this thread.
 *
 * @throws Error when the file is missing, or made for another system
 */
export function loadLibrary(file: string): NativeFunctions {
  return loadNativeLibrary(file) as NativeFunctions;
}
