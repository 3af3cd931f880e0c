import { chosenCode, libraryFile, libraryProblem, loadNativeLibrary } from '../native-library.js';
import { compileModule, instantiateModule, PAGE_BYTES, type WasmModule } from '../webassembly.js';
import type { CellFunctions } from './functions.js';
import { referenceCellFunctions } from './reference.js';

/** Whose code works on cells. */
export const CELL_CODES = ['native', 'wasm', 'reference'] as const;

export type CellCode = (typeof CELL_CODES)[number];

/** Memory for sets of cells, and the functions on them. */
export interface CellMemory {
  readonly buffer: ArrayBuffer;
  readonly functions: CellFunctions;
}

/** What the native library has of them: the memory and an instruction set are told first. */
type NativeCellFunctions = {
  readonly [Name in keyof CellFunctions]: (
    memory: ArrayBuffer,
    instructionSet: number,
    ...rest: number[]
  ) => number;
} & { readonly instructionSets: readonly { readonly supported: boolean }[] };

/** Whose code `createCellMemory` takes: that which was chosen for kernels, or the fastest that this machine has. */
function usableCode(): CellCode {
  const chosen = CELL_CODES.find((code) => code === chosenCode());
  if (chosen !== undefined && chosen !== 'native') return chosen;
  return libraryProblem(libraryFile()) === undefined ? 'native' : 'wasm';
}

/** @param bytes most below 2³²; they are 0 */
export function createCellMemory(bytes: number, code = usableCode()): CellMemory {
  switch (code) {
    case 'native':
      return nativeMemory(bytes);
    case 'wasm':
      return wasmMemory(bytes);
    default: {
      const buffer = new ArrayBuffer(bytes);
      return { buffer, functions: referenceCellFunctions(buffer) };
    }
  }
}

function nativeMemory(bytes: number): CellMemory {
  const library = loadNativeLibrary(libraryFile()) as NativeCellFunctions;
  const set = library.instructionSets.findIndex(({ supported }) => supported);
  const buffer = new ArrayBuffer(bytes);
  return {
    buffer,
    functions: {
      markDraws: (...rest) => library.markDraws(buffer, set, ...rest),
      // The compiled code has room of its own.
      markKinds(...rest) {
        library.markKinds(buffer, set, ...rest.slice(0, -1));
      },
      arrangeBits(...rest) {
        library.arrangeBits(buffer, set, ...rest);
      },
      countBits: (...rest) => library.countBits(buffer, set, ...rest),
    },
  };
}

let compiled: WasmModule | undefined;

function wasmMemory(bytes: number): CellMemory {
  compiled ??= compileModule('core/core.wasm');
  const { memory, exports } = instantiateModule(
    compiled,
    Math.max(1, Math.ceil(bytes / PAGE_BYTES)),
  );
  const functions = exports as {
    readonly [Name in keyof CellFunctions]: (...all: number[]) => number;
  };
  return {
    buffer: memory.buffer,
    functions: {
      // Results of WebAssembly are signed.
      markDraws: (...rest) => functions.markDraws(...rest) >>> 0,
      markKinds(...[key0, key1, trial, purpose, cells, count, , ...rest]) {
        functions.markKinds(key0, key1, trial, purpose, cells, count, ...rest);
      },
      arrangeBits(...rest) {
        functions.arrangeBits(...rest);
      },
      countBits: (...rest) => functions.countBits(...rest) >>> 0,
    },
  };
}
