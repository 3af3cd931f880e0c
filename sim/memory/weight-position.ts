import { windowSize } from '../../core/index.js';
import { type Network, weightedLayers } from '../../models/index.js';

/** Where a weight stands in its network. */
export interface WeightPosition {
  readonly layer: string;
  readonly outputChannel: number;
  /** Within the layer; for grouped convolutions counted over all groups. */
  readonly inputChannel: number;
  readonly ky: number;
  readonly kx: number;
}

/** A function from the number of a weight (network order, over all layers) to its position. */
export function weightLocator(network: Network): (weight: number) => WeightPosition {
  const layers = weightedLayers(network);
  const first = firstWeightOfLayers(network);
  return (weight) => {
    const index = first.findLastIndex((start, layer) => layer < layers.length && start <= weight);
    const { name, shape } = layers[index];
    const [height, width] = shape.kernel;
    const window = windowSize(shape);
    const within = weight - first[index];
    const outputChannel = Math.floor(within / window);
    const inWindow = within % window;
    const groupInputs = shape.input.channels / shape.groups;
    const group = Math.floor(outputChannel / (shape.output.channels / shape.groups));
    return {
      layer: name,
      outputChannel,
      inputChannel: group * groupInputs + Math.floor(inWindow / (height * width)),
      ky: Math.floor(inWindow / width) % height,
      kx: inWindow % width,
    };
  };
}

/**
 * The number of the first weight of each weighted layer when all weights of a network are
 * numbered in network order, and after the last layer the number of weights.
 */
export function firstWeightOfLayers(network: Network): Float64Array {
  const layers = weightedLayers(network);
  const first = new Float64Array(layers.length + 1);
  for (const [index, { weights }] of layers.entries())
    first[index + 1] = first[index] + weights.length;
  return first;
}
