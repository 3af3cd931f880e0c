import {
  definitionOf,
  type Float32Network,
  type Int8Layer,
  type Int8Network,
  inputsOf,
  isMoving,
  isOnArray,
  isWeighted,
  type Quantization,
} from '../models/index.js';

/**
 * A quantised network of the same layers with int8 weights of the whole range, and random scales and zero
 * points that keep most values between the bounds of uint8.
 *
 * @param random numbers of [0, 1)
 */
export function int8GraphOf(network: Float32Network, random: () => number): Int8Network {
  const quantizations: Quantization[] = [];
  const drawQuantization = (rectified: boolean): Quantization => ({
    scale: Math.fround(0.01 + random() * 0.01),
    zeroPoint: rectified ? 0 : Math.floor(random() * 256),
  });
  quantizations[network.input] = drawQuantization(false);
  const layers = network.layers.map((layer): Int8Layer => {
    if (isWeighted(layer) && !isOnArray(layer)) throw new Error(`${layer.name} is no operator`);
    if (!isOnArray(layer) && isMoving(layer)) {
      quantizations[layer.output] = quantizations[inputsOf(layer)[0]];
      return layer;
    }
    if (!isOnArray(layer) && !definitionOf(layer).int8)
      throw new Error(`${layer.name} has no int8 form`);
    quantizations[layer.output] = drawQuantization('relu' in layer && layer.relu);
    if (!isOnArray(layer)) return layer;
    const channels = layer.bias.length;
    const window = layer.weights.length / channels;
    // Products of uint8 and int8 numbers around 70², whose random sum grows with the root of the window.
    const factor =
      quantizations[layer.output].scale /
      (quantizations[layer.input].scale * 80 * Math.sqrt(window));
    return {
      ...layer,
      weights: Int8Array.from(layer.weights, () => Math.floor(random() * 256) - 128),
      scales: Float32Array.from({ length: channels }, () => (0.5 + random()) * factor),
      zeroPoints: new Int32Array(channels),
      bias: Int32Array.from({ length: channels }, () => (random() - 0.5) * 10_000),
    };
  });
  const tensors = network.tensors.map((tensor, index) => ({
    ...tensor,
    quantization: quantizations[index],
  }));
  return { ...network, format: 'int8', tensors, layers };
}
