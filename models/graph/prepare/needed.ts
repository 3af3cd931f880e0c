import { capturedNames, type OnnxNode } from '../../onnx/index.js';
import type { GraphResult, ImportGraph } from '../graph.js';

/** The values that a node takes, those of its subgraphs included. */
export function takenNames(node: OnnxNode): readonly string[] {
  return [...node.inputs, ...capturedNames(node)].filter((name) => name !== '');
}

/** The nodes that some output depends on, in their order. */
export function neededNodes(nodes: readonly OnnxNode[], outputs: readonly string[]): OnnxNode[] {
  const needed = new Set(outputs);
  const kept: OnnxNode[] = [];
  for (const node of [...nodes].reverse()) {
    if (!node.outputs.some((name) => name !== '' && needed.has(name))) continue;
    for (const name of takenNames(node)) needed.add(name);
    kept.push(node);
  }
  return kept.reverse();
}

/** Who makes each value, and who takes it. */
export function collectUses(
  nodes: readonly OnnxNode[],
  outputs: readonly GraphResult[],
): Pick<ImportGraph, 'producers' | 'uses' | 'consumers'> {
  const producers = new Map<string, OnnxNode>();
  const uses = new Map<string, number>();
  const consumers = new Map<string, OnnxNode[]>();
  const use = (name: string) => uses.set(name, (uses.get(name) ?? 0) + 1);
  for (const node of nodes) {
    for (const name of takenNames(node)) {
      use(name);
      const takers = consumers.get(name);
      if (takers) takers.push(node);
      else consumers.set(name, [node]);
    }
    for (const name of node.outputs) if (name !== '') producers.set(name, node);
  }
  for (const { value } of outputs) use(value);
  return { producers, uses, consumers };
}
