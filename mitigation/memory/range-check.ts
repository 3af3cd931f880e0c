/**
 * A range check on weights as they are read: what lies outside the range of the network's own weights, or is no
 * number, becomes zero. Both bounds are inside, and values are compared, so that −0 is inside where 0 is.
 */
import { z } from 'zod';
import { type WeightedLayer, weightedLayers, wordMask } from '../../models/index.js';
import { firstWeightOfLayers } from '../../sim/index.js';
import { COMPARING, NO_COMPARATOR } from '../price/price.js';
import { type MemoryMechanism, type PartPlace, PLACE, PLACE_FORMS } from './mechanism.js';
import { layersWithin } from './place.js';

/** What shares a range. */
export const RANGE_GRANULARITIES = ['layer', 'channel'] as const;

export type RangeGranularity = (typeof RANGE_GRANULARITIES)[number];

/** The ranges of a layer's weights, and what stands for zero; all by output channel, whatever shares a range. */
export interface WeightRanges {
  /** The lowest and the highest weight, as computed with: −128 … 127 also where words are uint8, or a real number. */
  readonly lowest: Float64Array;
  readonly highest: Float64Array;
  /** The word of the zero point; 0, which is +0, for float32. */
  readonly zeroWords: Uint8Array;
  /** What exclusive or makes of an int8 word the weight as computed with: 0x80 where words are uint8. */
  readonly mask: number;
}

export function weightRanges(layer: WeightedLayer, granularity: RangeGranularity): WeightRanges {
  const { weights, shape } = layer;
  const { channels } = shape.output;
  const lowest = new Float64Array(channels).fill(Infinity);
  const highest = new Float64Array(channels).fill(-Infinity);
  const window = weights.length / channels;
  for (let channel = 0, at = 0; channel < channels; channel++) {
    for (const end = at + window; at < end; at++) {
      if (weights[at] < lowest[channel]) lowest[channel] = weights[at];
      if (weights[at] > highest[channel]) highest[channel] = weights[at];
    }
  }
  if (granularity === 'layer') {
    lowest.fill(lowest.reduce((least, value) => Math.min(least, value)));
    highest.fill(highest.reduce((most, value) => Math.max(most, value)));
  }
  const mask = wordMask(layer);
  const zeroWords = new Uint8Array(channels);
  if ('zeroPoints' in layer) zeroWords.set(layer.zeroPoints.map((zero) => (zero & 0xff) ^ mask));
  return { lowest, highest, zeroWords, mask };
}

/** What a network gets of an int8 word that was read for a weight of this output channel. */
export function checkInt8Range(ranges: WeightRanges, channel: number, word: number): number {
  const value = ((word ^ ranges.mask) << 24) >> 24;
  const isInside = value >= ranges.lowest[channel] && value <= ranges.highest[channel];
  return isInside ? word : ranges.zeroWords[channel];
}

const bits = new Uint32Array(1);
const values = new Float32Array(bits.buffer);

/** What a network gets of the IEEE 754 bits that were read for a weight of this output channel. */
export function checkFloat32Range(ranges: WeightRanges, channel: number, word: number): number {
  bits[0] = word;
  const value = values[0];
  const isInside = value >= ranges.lowest[channel] && value <= ranges.highest[channel];
  return isInside ? word : ranges.zeroWords[channel];
}

/** A range check on weights as they are read. */
export interface RangeCheckPart extends PartPlace {
  readonly use: 'range-check';
  /** Default: layer. */
  readonly granularity?: RangeGranularity | undefined;
}

export const rangeCheck: MemoryMechanism<RangeCheckPart> = {
  summary: "a weight that is read outside the range of its layer's, or as no number, becomes zero",
  group: 'screen',
  knowsMap: false,
  parameters: { granularity: 'word', ...PLACE_FORMS },
  defaults: { granularity: 'layer' },
  schema: z.strictObject({
    use: z.literal('range-check'),
    granularity: z
      .enum(RANGE_GRANULARITIES)
      .optional()
      .describe('what shares a range; default: layer'),
    ...PLACE,
  }),
  screen({ granularity = 'layer' }, { network }) {
    const first = firstWeightOfLayers(network);
    const layers = weightedLayers(network).map((layer) => ({
      ranges: weightRanges(layer, granularity),
      window: layer.weights.length / layer.shape.output.channels,
    }));
    const check = network.format === 'int8' ? checkInt8Range : checkFloat32Range;
    let index = 0;
    return (weight, word) => {
      while (weight < first[index]) index -= 1;
      while (weight >= first[index + 1]) index += 1;
      const { ranges, window } = layers[index];
      return check(ranges, Math.floor((weight - first[index]) / window), word);
    };
  },
  price(part, place) {
    const { weightBits } = place.placement;
    return {
      ...COMPARING,
      cells: layersWithin(part, place).map(({ name, shape }) =>
        part.granularity === 'channel'
          ? { hold: `ranges of ${name}'s channels`, count: 2 * weightBits * shape.output.channels }
          : { hold: `range of ${name}`, count: 2 * weightBits },
      ),
      levels: NO_COMPARATOR,
    };
  },
};
