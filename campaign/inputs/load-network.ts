import { InputError } from '../../core/index.js';
import { dequantize, type Network, resolveModel, type WordFormat } from '../../models/index.js';

/**
 * Load a network in a word format. The float32 words of a quantised network are its dequantised
 * weights, so both formats store the same network.
 *
 * @param model `alexnet`, `vgg16` or a path
 * @throws InputError when int8 words are wanted of a network that is not quantised
 */
export function loadNetwork(model: string, format: WordFormat): Network {
  const network = resolveModel(model);
  if (network.format === format) return network;
  if (network.format === 'int8') return dequantize(network);
  throw new InputError(
    `${model} has float32 weights: quantise it first with "bitcell quantize ${model} --output FILE", or choose --format float32`,
  );
}
