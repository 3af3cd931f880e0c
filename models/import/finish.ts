import { ModelError } from '../../core/index.js';
import type { ImportGraph } from '../graph/graph.js';
import { inputsOf, type Layer, type Tensor } from '../network.js';
import { shareEqualWeights } from '../weights/shared-weights.js';

interface Parts<L> {
  readonly layers: readonly L[];
  readonly tensors: readonly Tensor[];
  readonly input: number;
  readonly output: number;
}

/**
 * Drops the layers that the output does not depend on, and their tensors, and gives the output's tensor the
 * name under which the graph announces it. Layers that read the same initialiser share its words.
 */
export function finishNetwork<L extends Layer>(graph: ImportGraph, parts: Parts<L>): Parts<L> {
  const used = new Set([parts.output]);
  for (const layer of [...parts.layers].reverse()) {
    if (used.has(layer.output)) for (const tensor of inputsOf(layer)) used.add(tensor);
  }
  const layers = shareEqualWeights(
    parts.layers.filter(({ output }) => used.has(output)),
    ({ weights }) => graph.weightSources.get(weights),
  );
  if (layers.length === 0) throw new ModelError(`${graph.source} has no layers`);
  used.add(parts.input);
  const kept = [...parts.tensors.keys()].filter((tensor) => used.has(tensor));
  const numbers = new Map(kept.map((tensor, index) => [tensor, index]));
  const renumbered = (tensor: number) => numbers.get(tensor) ?? tensor;
  return {
    tensors: kept.map((tensor) =>
      tensor === parts.output
        ? { ...parts.tensors[tensor], name: graph.output.name }
        : parts.tensors[tensor],
    ),
    layers: layers.map((layer) => ({
      ...layer,
      ...('inputs' in layer
        ? { inputs: layer.inputs.map(renumbered) }
        : { input: renumbered(layer.input) }),
      output: renumbered(layer.output),
    })),
    input: renumbered(parts.input),
    output: renumbered(parts.output),
  };
}
