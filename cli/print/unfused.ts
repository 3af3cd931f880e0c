import type { Network } from '../../models/index.js';
import { tell } from './messages.js';

/** Nodes that onnxruntime computes in float32 and Bitcell in integers; empty for most networks. */
export function unfusedOf(network: Network): readonly string[] {
  return (network.format === 'int8' && network.unfused) || [];
}

/** Says on stderr which nodes of these networks onnxruntime computes in float32, and what follows. */
export function warnOfUnfused(networks: readonly Network[]): void {
  const warned = new Set<string>();
  for (const network of networks) {
    const nodes = unfusedOf(network);
    if (nodes.length === 0 || warned.has(network.name)) continue;
    warned.add(network.name);
    tell(
      `${network.name}: onnxruntime computes ${nodes.join(', ')} in float32, Bitcell in integers, so values near a tie may differ by one step`,
    );
  }
}
