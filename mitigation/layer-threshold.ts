import { type Network, weightedLayers } from '../models/index.js';

/**
 * What one unit of an accumulator stands for in each output channel: s_x · s_w[c] in float64, 1 for float32 words.
 *
 * @throws Error when the network has no such layer
 */
function channelUnits(network: Network, name: string): (channel: number) => number {
  if (network.format === 'float32') return () => 1;
  const layer = weightedLayers(network).find((candidate) => candidate.name === name);
  const scale = layer && network.tensors[layer.input].quantization?.scale;
  if (!layer || scale === undefined) {
    throw new Error(`${network.name} has no quantised layer "${name}"`);
  }
  return (channel) => scale * layer.scales[channel];
}

/**
 * ACT_max of a layer: the largest real number that its recorded accumulators stand for.
 *
 * @param maxima the layer's profile: for int8 one accumulator per output channel
 */
export function largestActivation(
  network: Network,
  layer: string,
  maxima: readonly number[],
): number {
  const unit = channelUnits(network, layer);
  return maxima.reduce(
    (largest, maximum, channel) => Math.max(largest, maximum * unit(channel)),
    -Infinity,
  );
}

/**
 * The accumulator thresholds of one real threshold T for a whole layer: in each channel the smaller of T and the
 * recorded maximum m_c. int8: m_c itself where T is at least what m_c stands for, else
 * min(m_c, floor(T / (s_x · s_w[c]))) in float64; so at ACT_max they are the profile's own, which clip nothing that
 * defined them, and a smaller T never gives a larger threshold. float32: T rounded to a float32.
 */
export function thresholdsOfLayer(
  network: Network,
  layer: string,
  maxima: readonly number[],
  threshold: number,
): number[] {
  const unit = channelUnits(network, layer);
  const convert = network.format === 'int8' ? Math.floor : Math.fround;
  return maxima.map((maximum, channel) =>
    threshold >= maximum * unit(channel)
      ? maximum
      : Math.min(maximum, convert(threshold / unit(channel))),
  );
}

/** What one factor of the profile maxima means: one real threshold for a layer, or one for each of its channels. */
export const SEARCH_GRANULARITIES = ['layer', 'channel'] as const;

export type SearchGranularity = (typeof SEARCH_GRANULARITIES)[number];

/**
 * The thresholds of a layer at a factor of its profile maxima; a factor of 1 gives the maxima themselves. `layer`:
 * those of `thresholdsOfLayer` at factor · ACT_max. `channel`: factor · m_c in float64 for the maximum m_c of each
 * channel, rounded down to an integer (int8) or to a float32; a maximum below 0 stays as it is.
 *
 * @param maxima the layer's profile
 * @param factor above 0, at most 1
 */
export function thresholdsOf(
  granularity: SearchGranularity,
  network: Network,
  layer: string,
  maxima: readonly number[],
  factor: number,
): number[] {
  if (granularity === 'layer') {
    const actMax = largestActivation(network, layer, maxima);
    return thresholdsOfLayer(network, layer, maxima, factor * actMax);
  }
  const convert = network.format === 'int8' ? Math.floor : Math.fround;
  return maxima.map((maximum) => Math.min(maximum, convert(factor * maximum)));
}
