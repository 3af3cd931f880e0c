import {
  type Float32Network,
  type Int8Network,
  isWeighted,
  type Layer,
  layerWords,
  type Network,
  shareEqualWeights,
  weightBits,
  weightedLayers,
  wordMask,
} from '../../models/index.js';
import type { WeightPatches } from '../disturbance/patches.js';
import { firstWeightOfLayers } from '../memory/weight-position.js';

/** Stored words of all weights of a network, in network order: bytes, or IEEE 754 bits. */
export function storedWords(network: Int8Network): Uint8Array;
export function storedWords(network: Float32Network): Uint32Array;
export function storedWords(network: Network): Uint8Array | Uint32Array;
export function storedWords(network: Network): Uint8Array | Uint32Array {
  const first = firstWeightOfLayers(network);
  const total = first[first.length - 1];
  const words = network.format === 'int8' ? new Uint8Array(total) : new Uint32Array(total);
  for (const [index, layer] of weightedLayers(network).entries()) {
    words.set(layerWords(layer), first[index]);
  }
  return words;
}

/**
 * A copy of a network with faulty words written into its weights. Layers that shared words share those that are still
 * equal: in a streamed placement a fault may strike the weight of one layer and not that of another.
 */
export function withWords(network: Int8Network, patches: WeightPatches): Int8Network;
export function withWords(network: Float32Network, patches: WeightPatches): Float32Network;
export function withWords(network: Network, { weights: numbers, words }: WeightPatches): Network {
  const first = firstWeightOfLayers(network);
  let layerIndex = 0;
  let position = 0;
  const layers = (network.layers as readonly Layer[]).map((layer): Layer => {
    if (!isWeighted(layer)) return layer;
    const weights = layer.weights.slice();
    const bits = weightBits(weights);
    const mask = wordMask(layer);
    const start = first[layerIndex];
    layerIndex += 1;
    for (; numbers[position] < first[layerIndex]; position += 1) {
      bits[numbers[position] - start] = words[position] ^ mask;
    }
    return { ...layer, weights } as Layer;
  });
  return { ...network, layers: shareEqualWeights(layers) } as Network;
}
