import { ModelError } from '../../core/index.js';
import type { ImportGraph } from '../graph/graph.js';
import { inputsOf, type Layer, type NetworkValue, type Tensor } from '../network.js';
import { shareEqualWeights } from '../weights/shared-weights.js';

interface Parts {
  readonly layers: readonly Layer[];
  readonly tensors: readonly Tensor[];
  readonly inputs: readonly NetworkValue[];
  readonly outputs: readonly NetworkValue[];
}

/** What is left of a network, and the new index of each tensor that is left. */
export interface Finished {
  readonly parts: Parts & { readonly input: number; readonly output: number };
  readonly numbers: ReadonlyMap<number, number>;
}

/**
 * Drops the layers that no output depends on, and their tensors, and gives the outputs' tensors the
 * names under which the graph announces them. Layers that read the same initialiser share its words.
 */
export function finishNetwork(graph: ImportGraph, parts: Parts): Finished {
  const used = new Set(parts.outputs.map(({ tensor }) => tensor));
  for (const layer of [...parts.layers].reverse()) {
    if (used.has(layer.output)) for (const tensor of inputsOf(layer)) used.add(tensor);
  }
  const layers = shareEqualWeights(
    parts.layers.filter(({ output }) => used.has(output)),
    ({ weights }) => graph.weightSources.get(weights),
  );
  if (layers.length === 0) throw new ModelError(`${graph.source} has no layers`);
  const inputTensors = new Set(parts.inputs.map(({ tensor }) => tensor));
  for (const tensor of inputTensors) used.add(tensor);
  const kept = [...parts.tensors.keys()].filter((tensor) => used.has(tensor));
  const numbers = new Map(kept.map((tensor, index) => [tensor, index]));
  const renumbered = (tensor: number) => numbers.get(tensor) ?? tensor;
  const names = new Map<number, string>();
  for (const { tensor, name } of parts.outputs) {
    if (!names.has(tensor) && !inputTensors.has(tensor)) names.set(tensor, name);
  }
  const placed = (value: NetworkValue) => ({ ...value, tensor: renumbered(value.tensor) });
  const [inputs, outputs] = [parts.inputs.map(placed), parts.outputs.map(placed)];
  const finished = {
    tensors: kept.map((tensor) => {
      const name = names.get(tensor);
      return name === undefined ? parts.tensors[tensor] : { ...parts.tensors[tensor], name };
    }),
    layers: layers.map(
      (layer) =>
        ({
          ...layer,
          ...('inputs' in layer
            ? { inputs: layer.inputs.map(renumbered) }
            : { input: renumbered(layer.input) }),
          output: renumbered(layer.output),
        }) as Layer,
    ),
    input: inputs[0].tensor,
    output: outputs[0].tensor,
    inputs,
    outputs,
  };
  return { parts: finished, numbers };
}
