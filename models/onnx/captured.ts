import type { OnnxNode } from './model.js';
import { onnx } from './proto/onnx.js';

/**
 * Names of values that the subgraphs of a node (If, Loop, Scan) take from the graphs around them; `decodeOnnx` has
 * bounded how many and how deep they are.
 */
export function capturedNames(node: OnnxNode): readonly string[] {
  const names = new Set<string>();
  for (const attribute of node.attributes.values()) {
    if (attribute.type !== 'other') continue;
    for (const graph of subgraphs(onnx.AttributeProto.decode(attribute.raw))) {
      for (const name of namesFrom(graph)) names.add(name);
    }
  }
  return [...names];
}

function subgraphs({ g, graphs }: onnx.AttributeProto.$Properties): Uint8Array[] {
  return [...(g?.length ? [g] : []), ...(graphs ?? [])];
}

/** What a graph takes and does not make itself. */
function namesFrom(bytes: Uint8Array): Set<string> {
  const { node, initializer, input, output } = onnx.GraphProto.decode(bytes);
  const made = new Set([...(initializer ?? []), ...(input ?? [])].map(({ name }) => name ?? ''));
  const taken = new Set<string>();
  const take = (name: string) => {
    if (name !== '' && !made.has(name)) taken.add(name);
  };
  for (const { input: inputs, output: outputs, attribute } of node ?? []) {
    for (const name of inputs ?? []) take(name);
    for (const inner of (attribute ?? []).flatMap(subgraphs)) namesFrom(inner).forEach(take);
    for (const name of outputs ?? []) made.add(name);
  }
  for (const { name } of output ?? []) take(name ?? '');
  return taken;
}
