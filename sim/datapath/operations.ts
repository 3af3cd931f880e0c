import { InputError } from '../../core/index.js';
import type { KernelBackend } from '../../kernels/index.js';
import {
  definitionOf,
  type Float32Place,
  type IslandLayer,
  inputsOf,
  isIsland,
  isOnArray,
  isWeighted,
  type Layer,
  type Network,
  type Operation,
  type Quantization,
  type QuantizedPlace,
  type TensorPlace,
} from '../../models/index.js';
import { createIslandRunner } from '../islands/index.js';

type Values = Uint8Array | Float32Array;

/** The quantisation of a tensor of a quantised network. */
export function quantizationOf(network: Network, tensor: number): Quantization {
  const { name, quantization } = network.tensors[tensor];
  if (quantization) return quantization;
  throw new InputError(`${network.name}: tensor "${name}" is not quantised`);
}

/** A tensor as the operations of layers see it. */
export function placeOf({ tensors }: Network, tensor: number, values: Values): TensorPlace {
  const { shape, quantization } = tensors[tensor];
  if (values instanceof Float32Array) return { values, shape };
  if (!quantization) throw new Error(`${tensors[tensor].name} has no quantisation`);
  return { values, shape, quantization };
}

/** What a layer without weights does in a datapath, by its definition and what its tensors hold. */
export function operationOf(
  network: Network,
  layer: Layer,
  tensors: readonly Values[],
  backend: KernelBackend,
): Operation {
  if (isIsland(layer)) return islandOperation(network, layer, tensors);
  const inputs = inputsOf(layer).map((tensor) => placeOf(network, tensor, tensors[tensor]));
  const output = placeOf(network, layer.output, tensors[layer.output]);
  const definition = definitionOf(layer);
  const operation =
    inputs.every(isFloat32) && isFloat32(output)
      ? definition.float32?.(layer, { inputs, output, backend })
      : inputs.every(isQuantized) && isQuantized(output)
        ? definition.int8?.(layer, { inputs, output, backend })
        : definition.mixed?.(layer, { inputs, output, backend });
  if (operation) return operation;
  throw new InputError(
    `${network.name}: layer "${layer.name}" (${layer.kind}) has no meaning on the tensors that it takes`,
  );
}

/** What onnxruntime does for an island; of weights, which all samples have in common, it reads those of the first. */
function islandOperation(
  network: Network,
  layer: IslandLayer,
  tensors: readonly Values[],
): Operation {
  const layers: readonly Layer[] = network.layers;
  const constants = new Set(
    layers.filter((one) => isWeighted(one) && !isOnArray(one)).map(({ output }) => output),
  );
  const output = tensors[layer.output];
  if (!(output instanceof Float32Array)) throw new Error(`${layer.name} makes no float32 numbers`);
  return createIslandRunner(layer, {
    source: network.source ?? network.name,
    inputs: layer.inputs.map((tensor) => ({
      ...{ values: tensors[tensor], constant: constants.has(tensor) },
      shape: network.tensors[tensor].shape,
      quantization: network.tensors[tensor].quantization,
    })),
    output,
  });
}

function isFloat32(place: TensorPlace): place is Float32Place {
  return !('quantization' in place);
}

function isQuantized(place: TensorPlace): place is QuantizedPlace {
  return 'quantization' in place;
}
