import { faultMapOf } from 'bitcell/fault';
import { isOnArray } from 'bitcell/models';
import { applyFaultMap, firstWeightOfLayers, placeNetwork, storedWords } from 'bitcell/sim';

/** @import { StudyData } from 'bitcell/campaign' */
/** @import { Network } from 'bitcell/models' */
/** @import { WeightPatches } from 'bitcell/sim' */

/**
 * A function that gives the faulty words of each map of a condition of uniform faults in all cells.
 * @param {StudyData} data
 * @param {number} index of the condition
 */
export function patchesOfMaps({ networks, conditions, accelerators, study }, index) {
  const { source, rate, accelerator, model, format } = conditions[index];
  const found = networks.find((one) => one.model === model && one.network.format === format);
  const memory = accelerators.get(accelerator);
  if (!found || !memory || source.kind !== 'model') throw new Error('no drawn fault maps');
  const placement = placeNetwork(found.network, memory, study.placement);
  const words = storedWords(found.network);
  return (/** @type {number} */ map) =>
    applyFaultMap(
      faultMapOf(source.model, placement.geometry, study.seed, map, rate),
      placement,
      words,
    );
}

/**
 * A copy of a network with faulty words written into its weights.
 * @template {Network} N
 * @param {N} network
 * @param {WeightPatches} patches
 * @returns {N}
 */
export function withFaultyWords(network, { weights, words }) {
  const first = firstWeightOfLayers(network);
  let weighted = 0;
  let position = 0;
  const layers = network.layers.map((layer) => {
    if (!isOnArray(layer)) return layer;
    const copy = layer.weights.slice();
    const stored =
      copy instanceof Int8Array ? new Uint8Array(copy.buffer) : new Uint32Array(copy.buffer);
    const start = first[weighted];
    weighted += 1;
    const end = first[weighted] ?? Infinity;
    for (; position < weights.length && weights[position] < end; position += 1) {
      stored[weights[position] - start] = words[position];
    }
    return { ...layer, weights: copy };
  });
  return /** @type {N} */ ({ ...network, layers });
}
