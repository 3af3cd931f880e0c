import { featureCount } from '../../core/index.js';
import { arrayLayerNamed, type Network, type WordFormat } from '../../models/index.js';
import { largestActivation, layerThresholdsAt } from './layer-threshold.js';

/** How many outputs of a layer share a threshold, from coarse to fine: all, those of a channel, none. */
export const GRANULARITIES = ['layer', 'channel', 'neuron'] as const;

export type Granularity = (typeof GRANULARITIES)[number];

/** What a profile records unless another granularity is asked for: FT-ClipAct's ACT_max of float32 layers. */
export const PROFILE_GRANULARITY: Readonly<Record<WordFormat, Granularity>> = {
  int8: 'channel',
  float32: 'layer',
};

/** Whether thresholds of the granularity `to` can be made of those of `from`, which is as fine or finer. */
export function isAsFine(from: Granularity, to: Granularity): boolean {
  return GRANULARITIES.indexOf(from) >= GRANULARITIES.indexOf(to);
}

/**
 * How many thresholds of a granularity a layer has. An int8 layer has one real threshold or one per channel as an
 * integer per channel, because the units of accumulators differ between channels.
 *
 * @throws InputError when the network has no such layer
 */
export function thresholdCount(network: Network, layer: string, granularity: Granularity): number {
  const { output } = arrayLayerNamed(network, layer).shape;
  if (granularity === 'neuron') return featureCount(output);
  return granularity === 'layer' && network.format === 'float32' ? 1 : output.channels;
}

/**
 * Profile maxima of a layer, made coarser: the largest of each channel's neurons, or ACT_max for the whole layer (for
 * int8 words as an accumulator threshold per channel). None is below the finer ones that it stands for.
 *
 * @param maxima of the granularity `from`, neurons in channel, row, column order
 * @param to as fine as `from`, or coarser
 */
export function coarsenMaxima(
  network: Network,
  layer: string,
  maxima: readonly number[],
  from: Granularity,
  to: Granularity,
): readonly number[] {
  if (from === to) return maxima;
  const { output } = arrayLayerNamed(network, layer).shape;
  const perChannel = from === 'neuron' ? largestOfParts(maxima, output.channels) : maxima;
  if (to === 'channel') return perChannel;
  if (network.format === 'float32') return largestOfParts(perChannel, 1);
  return layerThresholdsAt(
    network,
    layer,
    perChannel,
    largestActivation(network, layer, perChannel),
  );
}

/** The largest of each of `parts` equal parts. */
function largestOfParts(values: readonly number[], parts: number): number[] {
  const length = values.length / parts;
  const largest = new Array<number>(parts).fill(-Infinity);
  for (const [index, value] of values.entries()) {
    const part = Math.floor(index / length);
    if (value > largest[part]) largest[part] = value;
  }
  return largest;
}
