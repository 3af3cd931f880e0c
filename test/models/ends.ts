import type { Network } from '../../models/index.js';

/** A network without the values that its file takes and gives, for comparing it with one that was never in a file. */
export function withoutEnds<N extends Network>(network: N): N {
  const { inputs: _, outputs, ...rest } = network;
  return rest as N;
}
