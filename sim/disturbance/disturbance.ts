import type { SumGroup } from '../../kernels/index.js';
import type { WeightPatches } from './patches.js';

/**
 * Changes one image's values of a tensor, as they were written, to what is read of them: bytes of an int8 network, IEEE
 * 754 bits of a float32 one; height × width × channels, channels innermost.
 */
export type ReadThrough = (words: Uint8Array | Uint32Array) => void;

/** What faults make of a network: other constants, and what is computed and then read differently. */
export interface Disturbance {
  readonly weights?: WeightPatches | undefined;
  /** By index into `network.tensors`: read as soon as the tensor is written. */
  readonly tensors?: ReadonlyMap<number, ReadThrough> | undefined;
  /** By index into `network.layers`: the outputs whose sums pass a faulty place. */
  readonly sums?: ReadonlyMap<number, readonly SumGroup[]> | undefined;
}

/** Whether a disturbance is of weights alone, or of nothing. */
export function isOfWeightsAlone({ tensors, sums }: Disturbance): boolean {
  return (tensors?.size ?? 0) === 0 && (sums?.size ?? 0) === 0;
}
