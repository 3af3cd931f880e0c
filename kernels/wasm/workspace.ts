import { InputError, PAGE_BYTES } from '../../core/index.js';
import { type Fields, fieldNames, type LayoutName } from '../layouts.js';
import { bumpAllocator, placeWorkspace, type WorkspacePlaces } from './memory.js';
import type { Allocate } from './module.js';
import { instantiateKernels, type KernelFunctions, type KernelModule } from './module.js';

const MAX_PAGES = 65_536;

/** A kernel's last vector load may reach past the last tensor. */
const OVERREAD_BYTES = 16;

/** One memory, the kernels instantiated on it, and what they share. */
export interface Workspace {
  readonly buffer: ArrayBuffer;
  readonly functions: KernelFunctions;
  readonly allocate: Allocate;
  readonly places: WorkspacePlaces;
}

/** @throws InputError when `bytes` is beyond a 32-bit memory or too small for the shared blocks */
export function createWorkspace(module: KernelModule, bytes: number): Workspace {
  const pages = Math.ceil((bytes + OVERREAD_BYTES) / PAGE_BYTES);
  if (!(pages > 0 && pages <= MAX_PAGES)) {
    throw new InputError(
      `The kernels cannot have a memory of ${bytes} bytes; the most is ${MAX_PAGES * PAGE_BYTES}: use fewer images.`,
    );
  }
  const { memory, functions } = instantiateKernels(module, pages);
  const allocate = bumpAllocator(bytes);
  return { buffer: memory.buffer, functions, allocate, places: placeWorkspace(allocate) };
}

/** Writes the fields of a descriptor at its address; returns the view on them. */
export function writeDescriptor<Name extends LayoutName>(
  { buffer }: Pick<Workspace, 'buffer'>,
  address: number,
  name: Name,
  fields: Fields<Name>,
): Int32Array {
  const names = fieldNames(name);
  const view = new Int32Array(buffer, address, names.length);
  for (let index = 0; index < names.length; index++) view[index] = fields[names[index]];
  return view;
}

/** Throws an InputError unless both tensors are views on this memory. */
export function checkOwnTensors(
  buffer: ArrayBuffer,
  input: Uint8Array | Float32Array,
  output: Uint8Array | Float32Array,
): void {
  if (input.buffer !== buffer || output.buffer !== buffer) {
    throw new InputError(
      'A tensor lies outside the memory of the kernels: make it with allocateUint8 or allocateFloat32 of the same backend.',
    );
  }
}
