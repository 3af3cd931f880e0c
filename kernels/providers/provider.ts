import {
  chooseCode,
  chosenCode,
  InputError,
  libraryFile,
  libraryProblem,
} from '../../core/index.js';
import type { KernelBackend } from '../backend.js';
import { createNativeBackend } from '../native/backend.js';
import { loadLibrary } from '../native/library.js';
import { createReferenceBackend } from '../reference/backend.js';
import { createWasmBackend } from '../wasm/backend.js';
import {
  createWasmDeltaKernels,
  type DeltaKernels,
  type DeltaNeeds,
  type UpdateConvolution,
} from '../wasm/delta.js';
import { type WasmMemoryNeeds, wasmBytesNeeded } from '../wasm/memory.js';
import { compileKernels, type KernelModule } from '../wasm/module.js';

/** Who computes the kernels: scalar TypeScript, WebAssembly, or compiled C. All give the same bits. */
export const KERNEL_PROVIDERS = ['native', 'wasm', 'reference'] as const;

export type KernelProviderName = (typeof KERNEL_PROVIDERS)[number];

/** What a backend will hold, so that its memory can be sized once. */
export type KernelNeeds = WasmMemoryNeeds;

/** Who computes, and with which instructions of the processor. */
export interface KernelsInUse {
  readonly provider: KernelProviderName;
  readonly instructionSet: string;
}

/**
 * Kernels that can be posted to worker threads, which then make backends of them without compiling or choosing anything
 * again.
 */
export interface KernelCode extends KernelsInUse {
  /** What follows changes through a network, beside the kernels of any provider (convolutions: see `updateConvolution`). */
  readonly wasm: KernelModule;
  /** File of the compiled C. */
  readonly library?: string;
}

/** A way to get kernels. */
export interface KernelProvider {
  readonly name: KernelProviderName;
  /** Instruction sets of its kernels, best first; `missing` says why one cannot be used on this machine. */
  instructionSets(): readonly { readonly name: string; readonly missing?: string }[];
  /** Why none of its kernels can be used on this machine; undefined where they can. */
  unavailable(): string | undefined;
  /**
   * @param instructionSet of those that are not missing; undefined: the best one
   * @throws InputError when it cannot be used
   */
  load(instructionSet?: string): KernelCode;
  /** A backend of its code, on a memory of its own. One per thread. */
  backend(code: KernelCode, needs: KernelNeeds): KernelBackend;
  /** What follows changes through convolutions in the place of WebAssembly; absent: nothing does. */
  updateConvolution?(code: KernelCode): UpdateConvolution;
}

const reference: KernelProvider = {
  name: 'reference',
  instructionSets: () => [{ name: 'scalar' }],
  unavailable: () => undefined,
  load: (wanted) => ({ ...chosen(reference, wanted), wasm: compileKernels() }),
  backend: createReferenceBackend,
};

const wasm: KernelProvider = {
  name: 'wasm',
  instructionSets: () => [{ name: 'simd128' }],
  unavailable: () => undefined,
  load: (wanted) => ({ ...chosen(wasm, wanted), wasm: compileKernels() }),
  backend: (code, needs) => createWasmBackend(code.wasm, wasmBytesNeeded(needs)),
};

const native: KernelProvider = {
  name: 'native',
  instructionSets: () =>
    loadLibrary(libraryFile()).instructionSets.map(({ name, supported }) => ({
      name,
      ...(supported ? {} : { missing: `this processor has no ${name}` }),
    })),
  unavailable: () => libraryProblem(libraryFile()),
  load: (wanted) => ({
    ...chosen(native, wanted),
    wasm: compileKernels(),
    library: libraryFile(),
  }),
  backend(code, needs) {
    const { functions, index } = libraryOf(code);
    return createNativeBackend(functions, index, code.wasm, needs);
  },
  updateConvolution(code) {
    const { functions, index } = libraryOf(code);
    return (memory, ...rest) => functions.updateConvolution(memory, index, ...rest);
  },
};

/** The functions of a native code, and the number of its instruction set. */
function libraryOf({ library = libraryFile(), instructionSet }: KernelCode) {
  const functions = loadLibrary(library);
  const index = functions.instructionSets.findIndex(({ name }) => name === instructionSet);
  return { functions, index };
}

/** The instruction set to use of a provider, the best one unless one is wanted. */
function chosen(provider: KernelProvider, wanted: string | undefined): KernelsInUse {
  const { name } = provider;
  const problem = provider.unavailable();
  if (problem !== undefined) throw new InputError(`There are no ${name} kernels: ${problem}.`);
  const usable = provider
    .instructionSets()
    .flatMap((one) => (one.missing === undefined ? [one.name] : []));
  const instructionSet = usable.find((one) => one === (wanted ?? usable[0]));
  if (instructionSet !== undefined) return { provider: name, instructionSet };
  throw new InputError(
    `The ${name} kernels have no instruction set "${wanted}" on this machine; they have ${usable.join(', ')}.`,
  );
}

/** All providers, the fastest first. */
export const PROVIDERS: Readonly<Record<KernelProviderName, KernelProvider>> = {
  native,
  wasm,
  reference,
};

/**
 * Sets the provider for this thread and the worker threads that it starts from now on.
 *
 * @param name undefined: the default, see `loadKernels`
 */
export function setKernelProvider(name: KernelProviderName | undefined): void {
  chooseCode(name);
}

/**
 * Loads kernels: of the provider that `setKernelProvider` or the variable BITCELL_KERNELS names, or of the fastest one
 * that this machine has. Load once and post the code to other threads.
 *
 * @throws InputError when the provider that is named cannot be used, or there is none of that name
 */
export function loadKernels(): KernelCode {
  return selectedProvider().load();
}

/**
 * Which kernels `loadKernels` loads, without loading them.
 *
 * @throws InputError as `loadKernels` does
 */
export function kernelsInUse(): KernelsInUse {
  return chosen(selectedProvider(), undefined);
}

function selectedProvider(): KernelProvider {
  const name = chosenCode();
  if (name !== undefined) {
    if (isProviderName(name)) return PROVIDERS[name];
    throw new InputError(`BITCELL_KERNELS is "${name}"; there are ${KERNEL_PROVIDERS.join(', ')}.`);
  }
  const usable = KERNEL_PROVIDERS.filter((one) => PROVIDERS[one].unavailable() === undefined);
  return PROVIDERS[usable[0]];
}

function isProviderName(name: string): name is KernelProviderName {
  return KERNEL_PROVIDERS.some((provider) => provider === name);
}

/** A backend on kernels that were loaded, with memory for what it will hold. One per thread. */
export function createBackend(code: KernelCode, needs: KernelNeeds): KernelBackend {
  return PROVIDERS[code.provider].backend(code, needs);
}

/**
 * Kernels that follow changes through a network, on a memory of their own: in WebAssembly, but for convolutions where
 * the code is native.
 *
 * @throws InputError when the needs are beyond a 32-bit memory
 */
export function createDeltaKernels(code: KernelCode, needs: DeltaNeeds): DeltaKernels {
  const update = PROVIDERS[code.provider].updateConvolution?.(code);
  return createWasmDeltaKernels(code.wasm, needs, update);
}
