export * from './backend.js';
export { flatten } from './flatten.js';
export { quantizeUint8, requantize } from './quantize.js';
export { createReferenceBackend } from './reference/backend.js';
export { createWasmBackend } from './wasm/backend.js';
export { type WasmMemoryNeeds, wasmBytesNeeded } from './wasm/memory.js';
export { compileKernels, type KernelModule } from './wasm/module.js';
export type { KernelFormat } from './wasm/plan.js';
