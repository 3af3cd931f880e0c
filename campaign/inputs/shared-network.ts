import { type Network, weightedLayers, wordMask } from '../../models/index.js';
import { firstWeightOfLayers, storedWords } from '../../sim/index.js';

/**
 * A network whose weights lie behind one another, in network order, in memory that all threads see.
 * `words` are their stored words, bytes or IEEE 754 bits, in the same memory where no weights are uint8.
 */
export interface SharedNetwork {
  readonly network: Network;
  readonly words: Uint8Array | Uint32Array;
}

/** Copy the weights of a network into shared memory. */
export function shareNetwork(network: Network): SharedNetwork {
  const first = firstWeightOfLayers(network);
  const total = first[first.length - 1];
  if (network.format === 'int8') {
    const weights = new Int8Array(new SharedArrayBuffer(total));
    const moved = moveWeights(network, weights);
    if (weightedLayers(network).every((layer) => wordMask(layer) === 0)) {
      return { network: moved, words: new Uint8Array(weights.buffer) };
    }
    const words = new Uint8Array(new SharedArrayBuffer(total));
    words.set(storedWords(network));
    return { network: moved, words };
  }
  const weights = new Float32Array(new SharedArrayBuffer(4 * total));
  return { network: moveWeights(network, weights), words: new Uint32Array(weights.buffer) };
}

function moveWeights(network: Network, target: Int8Array | Float32Array): Network {
  const first = firstWeightOfLayers(network);
  const moved = new Map(
    weightedLayers(network).map((layer, index) => {
      const weights = target.subarray(first[index], first[index + 1]);
      weights.set(layer.weights);
      return [layer.name, { ...layer, weights }];
    }),
  );
  const layers = network.layers.map((layer) => moved.get(layer.name) ?? layer);
  return { ...network, layers } as Network;
}
