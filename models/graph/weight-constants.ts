import { type ArrayLayer, arrayLayers, type Network } from '../network.js';
import { layerWords } from '../weights/stored-words.js';
import { transpose } from '../weights/transpose.js';
import { weightDims } from './attributes.js';
import type { GraphBuilder } from './graph-builder.js';

type WeightType = 'int8' | 'uint8' | 'float32';

/** Adds the initialisers with the words of layers; layers that share words get one. */
export interface WeightConstants {
  /** The words in the dimensions that their first reader has. */
  stored(
    layer: ArrayLayer,
    elementType: WeightType,
  ): {
    readonly name: string;
    /** Whether it holds the layer's weight matrix input by output. */
    readonly transposed: boolean;
  };
  /** The weight matrix of a fully connected layer input by output, behind a Transpose if others read it, too. */
  inputByOutput(layer: ArrayLayer, elementType: WeightType): string;
}

/** The constants of a network in the graph that a builder makes; each is added when first asked for. */
export function createWeightConstants(network: Network, builder: GraphBuilder): WeightConstants {
  const layers = new Map(arrayLayers(network).map((layer) => [layer.name, layer]));
  const sharedLayers = new Set([...layers.values()].map((layer) => layer.sharedWeights?.layer));
  const known = new Map<string, string>();

  function firstReader(layer: ArrayLayer): ArrayLayer {
    return layers.get(layer.sharedWeights?.layer ?? layer.name) ?? layer;
  }

  function dataOf(layer: ArrayLayer, elementType: WeightType) {
    return elementType === 'uint8' ? (layerWords(layer) as Uint8Array) : layer.weights;
  }

  const constants: WeightConstants = {
    stored(layer, elementType) {
      const first = firstReader(layer);
      const key = `${elementType} ${first.name}`;
      let name = known.get(key);
      if (name === undefined) {
        // Layers are called after a weight "NAME.weight" when the file is read, but not all those that share it.
        const suffix = sharedLayers.has(first.name) ? 'shared_weights' : 'weight';
        const data = dataOf(first, elementType);
        name = builder.constant(`${first.name}.${suffix}`, elementType, weightDims(first), data);
        known.set(key, name);
      }
      return { name, transposed: layer.sharedWeights?.transposed ?? false };
    },
    inputByOutput(layer, elementType) {
      const { input, output } = layer.shape;
      if (!sharedLayers.has(firstReader(layer).name)) {
        const data = transpose(dataOf(layer, elementType), output.channels);
        const dims = [input.channels, output.channels];
        return builder.constant(`${layer.name}.weight`, elementType, dims, data);
      }
      const { name, transposed } = constants.stored(layer, elementType);
      const wanted = `${layer.name}.weight_transposed`;
      return transposed ? name : builder.node('Transpose', [name], builder.fresh(wanted));
    },
  };
  return constants;
}
