import type { KernelBackend } from '../backend.js';
import { referenceFaultySums } from './faulty-sums.js';
import { float32Convolution } from './float32-convolution.js';
import { int8Convolution } from './int8-convolution.js';
import { maxPool } from './max-pool.js';

/** The kernels in plain TypeScript: slow, and the definition of every result. */
export function createReferenceBackend(): KernelBackend {
  return {
    name: 'reference',
    allocateUint8: (length) => new Uint8Array(length),
    allocateFloat32: (length) => new Float32Array(length),
    int8Convolution,
    float32Convolution,
    maxPool,
    faultySums: (specifications) => specifications.map(referenceFaultySums),
  };
}
