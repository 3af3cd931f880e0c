import { type Int8Layer, type Int8Network, inputsOf } from '../../models/index.js';

const GROUP = /^node "(.*)" \((?:Fused)?(\w+)\)$/;

/** Operators whose results in float32 are not to the bit what they are in integers. */
const INEXACT = new Set(['Conv', 'Gemm', 'MatMul', 'AveragePool', 'GlobalAveragePool']);

/** Whether the label of a group that onnxruntime leaves unfused is of one whose results may lie a step beside. */
export function isInexact(label: string): boolean {
  return INEXACT.has(GROUP.exec(label)?.[2] ?? '');
}

/**
 * The tensors that depend on a group that onnxruntime leaves unfused and Bitcell computes in integers.
 *
 * @param unfused labels of nodes that are named after the network's layers
 */
export function behindUnfused(
  network: Int8Network,
  unfused: readonly string[],
): ReadonlySet<number> {
  const names = new Set(unfused.filter(isInexact).map((label) => GROUP.exec(label)?.[1]));
  const behind = new Set<number>();
  for (const layer of network.layers) {
    const starts = names.has(layer.name) && !isInFloat32(layer);
    if (starts || inputsOf(layer).some((tensor) => behind.has(tensor))) behind.add(layer.output);
  }
  return behind;
}

function isInFloat32(layer: Int8Layer): boolean {
  return 'inFloat32' in layer && layer.inFloat32 !== undefined;
}
