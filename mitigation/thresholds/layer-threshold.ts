import { arrayLayerNamed, type Int8Network, type Network } from '../../models/index.js';

const LARGEST_INT32 = 2 ** 31 - 1;

/**
 * What one unit of an accumulator stands for, by index among the thresholds of a layer: s_x · s_w[c] in float64, 1 for
 * float32 words.
 *
 * @param count of thresholds: as many a channel as another
 * @throws InputError when the network has no such layer
 */
function thresholdUnits(network: Network, name: string, count: number): (index: number) => number {
  if (network.format === 'float32') return () => 1;
  const layer = arrayLayerNamed(network, name);
  const scale = network.tensors[layer.input].quantization?.scale;
  if (scale === undefined) throw new Error(`the input of layer "${name}" is not quantised`);
  const perChannel = count / layer.scales.length;
  return (index) => scale * layer.scales[Math.floor(index / perChannel)];
}

/**
 * ACT_max of a layer: the largest real number that its recorded accumulators stand for.
 *
 * @param maxima the layer's profile: for int8 one accumulator per output channel, or per neuron in channel, row,
 * column order
 */
export function largestActivation(
  network: Network,
  layer: string,
  maxima: readonly number[],
): number {
  const unit = thresholdUnits(network, layer, maxima.length);
  return maxima.reduce(
    (largest, maximum, index) => Math.max(largest, maximum * unit(index)),
    -Infinity,
  );
}

/**
 * The accumulator thresholds of one real threshold T for a whole layer: in each channel (or neuron) the smaller of T
 * and the recorded maximum m_c. int8: m_c itself where T is at least what m_c stands for, else
 * min(m_c, floor(T / (s_x · s_w[c]))) in float64; so at ACT_max they are the profile's own, which clip nothing that
 * defined them, and a smaller T never gives a larger threshold. float32: T rounded to a float32.
 */
export function thresholdsOfLayer(
  network: Network,
  layer: string,
  maxima: readonly number[],
  threshold: number,
): number[] {
  const unit = thresholdUnits(network, layer, maxima.length);
  const convert = network.format === 'int8' ? Math.floor : Math.fround;
  return maxima.map((maximum, index) =>
    threshold >= maximum * unit(index)
      ? maximum
      : Math.min(maximum, convert(threshold / unit(index))),
  );
}

/**
 * One real threshold T for all channels of an int8 layer, as int32 accumulators: floor(T / (s_x · s_w[c])) in float64,
 * saturated, and never below the recorded maximum m_c, which the rounding of T or of the quotient could take one from.
 *
 * @param maxima one accumulator per output channel, each at most what T stands for
 */
export function layerThresholdsAt(
  network: Int8Network,
  layer: string,
  maxima: readonly number[],
  threshold: number,
): number[] {
  const unit = thresholdUnits(network, layer, maxima.length);
  return maxima.map((maximum, channel) =>
    Math.max(maximum, Math.min(Math.floor(threshold / unit(channel)), LARGEST_INT32)),
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
