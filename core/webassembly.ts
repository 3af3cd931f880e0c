import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from './errors.js';
import { packageRoot } from './package-root.js';

/** A compiled WebAssembly.Module; it can be posted to worker threads, which then need not compile. */
export interface WasmModule {
  readonly [Symbol.toStringTag]: 'WebAssembly.Module';
}

/** A WebAssembly.Memory. */
export interface WasmMemory {
  /** Another one after `grow`, which leaves views on this one empty. */
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** The part of the WebAssembly JavaScript interface used here: Node's type definitions lack it. */
interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => WasmModule;
  readonly Memory: new (limits: { initial: number; maximum: number }) => WasmMemory;
  readonly Instance: new (
    module: WasmModule,
    imports: { env: { memory: WasmMemory } },
  ) => { readonly exports: unknown };
}

const { WebAssembly } = globalThis as unknown as { WebAssembly: WebAssemblyApi };

/** Bytes of one WebAssembly page. */
export const PAGE_BYTES = 65_536;

/**
 * Read and compile a module that the build put into `dist`.
 *
 * @param path within `dist`, such as `kernels/kernels.wasm`
 * @throws InputError when the file is missing
 */
export function compileModule(path: string): WasmModule {
  const file = join(packageRoot(), 'dist', path);
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

/** Instantiate a module on a new memory of `pages` pages, which grows to `mostPages` at most. */
export function instantiateModule(
  module: WasmModule,
  pages: number,
  mostPages = pages,
): { readonly memory: WasmMemory; readonly exports: unknown } {
  const memory = new WebAssembly.Memory({ initial: pages, maximum: mostPages });
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  return { memory, exports };
}
