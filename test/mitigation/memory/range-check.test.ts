import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import {
  checkFloat32Range,
  checkInt8Range,
  RANGE_GRANULARITIES,
  weightRanges,
} from '../../../mitigation/index.js';
import {
  arrayLayers,
  dequantize,
  type Float32ArrayLayer,
  type Int8ArrayLayer,
  layerWords,
  wordReader,
} from '../../../models/index.js';
import { int8Networks } from '../../../testing/index.js';
import { readCases } from './cases.js';

function float32Of(word: number): number {
  return new Float32Array(Uint32Array.of(word).buffer)[0];
}

test('known answers', () => {
  const cases = readCases('float32').filter(({ protection }) => protection === 'range-check');
  expect(cases).toHaveLength(91);
  for (const row of cases) {
    const [low, high] = row.parameters.split(' ').map((word) => Number(`0x${word}`));
    const ranges = {
      lowest: Float64Array.of(float32Of(low)),
      highest: Float64Array.of(float32Of(high)),
      zeroWords: Uint8Array.of(0),
      mask: 0,
    };
    expect(row.stored).toBe(row.word);
    const read = (Number(`0x${row.stored}`) ^ Number(`0x${row.error}`)) >>> 0;
    expect(checkFloat32Range(ranges, 0, read)).toBe(Number(`0x${row.delivered}`));
  }
});

/** Layers with any zero points and with words of either sign, which those of the networks do not have. */
const int8Layers = fc
  .tuple(int8Networks(), fc.nat(), fc.integer({ min: -128, max: 127 }), fc.boolean())
  .map(([network, any, zero, unsigned]): Int8ArrayLayer => {
    const layers = arrayLayers(network);
    const layer = layers[any % layers.length];
    const zeroPoints = layer.zeroPoints.map((_, channel) => ((zero + 37 * channel) << 24) >> 24);
    return { ...layer, zeroPoints, ...(unsigned && { unsignedWeights: true }) };
  });
const float32Layers = int8Networks().chain((network) =>
  fc.constantFrom(...arrayLayers(dequantize(network))),
);
const granularities = fc.constantFrom(...RANGE_GRANULARITIES);

/** The output channel of a weight. */
function channelOf(layer: Int8ArrayLayer | Float32ArrayLayer, weight: number): number {
  return Math.floor((weight * layer.shape.output.channels) / layer.weights.length);
}

/** The numbers of the weights that share a range with those of a channel. */
function sharing(
  layer: Int8ArrayLayer | Float32ArrayLayer,
  channel: number,
  granularity: (typeof RANGE_GRANULARITIES)[number],
): number[] {
  const value = wordReader(layer);
  const words: number[] = Array.from(layerWords(layer));
  return words
    .filter((_, weight) => granularity === 'layer' || channelOf(layer, weight) === channel)
    .map(value);
}

describe('a range check', () => {
  property.prop([int8Layers, granularities])('keeps every int8 word of its layer', (layer, by) => {
    const ranges = weightRanges(layer, by);
    const words = layerWords(layer);
    const read = Uint8Array.from(words, (word, weight) =>
      checkInt8Range(ranges, channelOf(layer, weight), word),
    );
    expect(read).toEqual(words);
  });

  property.prop([float32Layers, granularities])(
    'keeps every float32 word of its layer',
    (layer, by) => {
      const ranges = weightRanges(layer, by);
      const words = layerWords(layer);
      const read = Uint32Array.from(words, (word, weight) =>
        checkFloat32Range(ranges, channelOf(layer, weight), word),
      );
      expect(read).toEqual(words);
    },
  );

  property.prop([int8Layers, granularities, fc.nat()], { numRuns: 40 })(
    'gives the zero point for any other int8 word outside',
    (layer, by, any) => {
      const ranges = weightRanges(layer, by);
      const channel = any % layer.shape.output.channels;
      const value = wordReader(layer);
      const among = sharing(layer, channel, by);
      const [lowest, highest] = [Math.min(...among), Math.max(...among)];
      const zero = layer.zeroPoints[channel] + (layer.unsignedWeights ? 128 : 0);
      const words = Array.from({ length: 256 }, (_, word) => word);
      const read = words.map((word) => value(checkInt8Range(ranges, channel, word)));
      const expected = words
        .map(value)
        .map((one) => (one >= lowest && one <= highest ? one : zero));
      expect(read).toEqual(expected);
    },
  );

  property.prop([float32Layers, granularities, fc.nat(), fc.integer({ min: 0, max: 2 ** 32 - 1 })])(
    'gives +0 for any float32 word outside, and for what is no number',
    (layer, by, any, word) => {
      const channel = any % layer.shape.output.channels;
      const among = sharing(layer, channel, by);
      const value = float32Of(word);
      const isInside = value >= Math.min(...among) && value <= Math.max(...among);
      const read = checkFloat32Range(weightRanges(layer, by), channel, word);
      expect(read).toBe(isInside ? word : 0);
    },
  );
});
