import type { OnnxNode } from '../onnx/index.js';

/** A function that makes names unique, by a number after those taken. */
export function uniqueNames(): (candidate: string) => string {
  const taken = new Set<string>();
  return (candidate) => {
    let name = candidate;
    for (let count = 2; taken.has(name); count += 1) name = `${candidate}_${count}`;
    taken.add(name);
    return name;
  };
}

/**
 * What to call the layer a node makes. `conv1.weight` names conv1. Without such a weight the node's name
 * counts, of which PyTorch's form `/block/pool1/MaxPool` names block.pool1.
 */
export function layerName(node: OnnxNode, weight = ''): string {
  const module = /^(.+)\.weight$/.exec(weight)?.[1];
  if (module !== undefined) return module;
  const path = /^\/(.+)\/[^/]+$/.exec(node.name)?.[1];
  return path?.replaceAll('/', '.') ?? (node.name || node.opType.toLowerCase());
}

const ORDINALS = ['first', 'second', 'third'];

/** What is wrong with a node whose input at `position` is no activation tensor. */
export function noActivations(position: number): string {
  return `takes no activations as its ${ORDINALS[position] ?? `${position + 1}th`} input`;
}
