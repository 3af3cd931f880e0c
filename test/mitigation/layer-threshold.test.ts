import { fc, test as property } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import {
  largestActivation,
  type ScoreRequest,
  thresholdsOfLayer,
  tuneNetwork,
} from '../../mitigation/index.js';
import { arrayLayers, dequantize, type Int8Network } from '../../models/index.js';
import { profiles } from './profiles.js';

/** Real numbers that the units of a layer's accumulators stand for, straight from the definition s_x · s_w[c]. */
function units(network: Int8Network, name: string): number[] {
  const layer = arrayLayers(network).find((one) => one.name === name);
  const scale = layer && network.tensors[layer.input].quantization?.scale;
  return Array.from(layer?.scales ?? [], (one) => (scale ?? Number.NaN) * one);
}

describe('thresholds of a layer for int8 words', () => {
  property.prop([profiles, fc.double({ min: 0, max: 2, noNaN: true })], { numRuns: 60 })(
    'are the profile at ACT_max, and below it the floors that the definition gives',
    ([network, maxima], share) => {
      for (const [name, found] of maxima) {
        const actMax = largestActivation(network, name, found);
        const unit = units(network, name);
        expect(actMax).toBe(Math.max(...found.map((maximum, c) => maximum * unit[c])));
        expect(thresholdsOfLayer(network, name, found, actMax)).toEqual(found);
        const threshold = Math.abs(actMax) * share;
        const thresholds = thresholdsOfLayer(network, name, found, threshold);
        for (const [channel, maximum] of found.entries()) {
          const floor = Math.floor(threshold / unit[channel]);
          const expected =
            threshold >= maximum * unit[channel] ? maximum : Math.min(maximum, floor);
          expect(thresholds[channel]).toBe(expected);
          expect(Number.isInteger(thresholds[channel])).toBe(true);
        }
      }
    },
  );

  property.prop(
    [
      profiles,
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
    ],
    { numRuns: 60 },
  )('never rise as the threshold falls', ([network, maxima], one, other) => {
    for (const [name, found] of maxima) {
      const actMax = Math.abs(largestActivation(network, name, found));
      const [low, high] = [Math.min(one, other), Math.max(one, other)].map((share) =>
        thresholdsOfLayer(network, name, found, share * actMax),
      );
      for (const [channel, value] of low.entries())
        expect(value).toBeLessThanOrEqual(high[channel]);
    }
  });
});

describe('the search over a network', () => {
  property.prop([profiles, fc.boolean()], { numRuns: 40 })(
    'fixes each layer before the next, and leaves those behind it at their maxima',
    async ([network, maxima], float) => {
      const searched = float ? dequantize(network) : network;
      const profile = float
        ? new Map([...maxima].map(([name, found]) => [name, [Math.max(1, ...found)]]))
        : maxima;
      const names = [...profile.keys()];
      const requests: ScoreRequest[] = [];
      // The smaller the threshold the better, down to a third of ACT_max; 0 is worst.
      const score = (values: readonly number[], request: ScoreRequest) => {
        const actMax = largestActivation(searched, request.layer, profile.get(request.layer) ?? []);
        const found = largestActivation(searched, request.layer, values);
        return found < actMax / 4 ? 0 : 1 - found / actMax / 2;
      };
      const tuned = await tuneNetwork(
        searched,
        profile,
        async (request) => {
          requests.push(request);
          return request.candidates.map((values) => score(values, request));
        },
        { smallestGain: 0.01, leastRounds: 1, mostRounds: 3 },
      );
      expect(tuned.map(({ name }) => name)).toEqual(names);
      const result = new Map(tuned.map(({ name, thresholds }) => [name, thresholds]));
      for (const request of requests) {
        const place = names.indexOf(request.layer);
        for (const [index, name] of names.entries()) {
          const expected = index < place ? result.get(name) : profile.get(name);
          expect(request.thresholds.get(name)).toEqual(expected);
        }
      }
      for (const { name, actMax, threshold, auc, thresholds } of tuned) {
        const maximum = profile.get(name) ?? [];
        expect(actMax).toBe(largestActivation(searched, name, maximum));
        expect(thresholds).toEqual(thresholdsOfLayer(searched, name, maximum, threshold));
        expect(auc.after).toBeGreaterThanOrEqual(auc.before);
        if (actMax > 0) expect(threshold).toBeLessThanOrEqual(actMax);
      }
    },
  );
});
