import { fc, test as property } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import {
  type JointSearchLimits,
  type LayerThresholds,
  largestActivation,
  type RaceRequest,
  searchJointly,
  thresholdsOf,
  thresholdsOfLayer,
} from '../../mitigation/index.js';
import { dequantize, type Network } from '../../models/index.js';
import { profiles } from './profiles.js';

const LIMITS: JointSearchLimits = {
  granularity: 'channel',
  factors: [0.7, 0.5, 0.3],
  sweeps: 6,
  leastMaps: 2,
  mostMaps: 4,
  smallestGain: 1e-6,
  standardErrors: 2,
};

/** A profile whose layers are all above 0. */
const cases = fc
  .tuple(
    profiles.filter(([, maxima]) => maxima.size > 0),
    fc.boolean(),
  )
  .map(([[network, maxima], float]) => {
    const searched: Network = float ? dequantize(network) : network;
    const positive = [...maxima].map(
      ([name, found]) => [name, found.map((value) => Math.fround(1000 + Math.abs(value)))] as const,
    );
    return { network: searched, maxima: new Map(positive) as LayerThresholds };
  });

describe('thresholds at a factor of the profile', () => {
  const factors = fc.double({ min: 1e-3, max: 1, noNaN: true });

  property.prop([profiles, fc.boolean(), factors, factors], { numRuns: 60 })(
    'of each channel are the floor of its share, the maxima at 1, and fall with the factor',
    ([network, maxima], float, one, other) => {
      const searched = float ? dequantize(network) : network;
      for (const [name, found] of maxima) {
        const at = (factor: number) => thresholdsOf('channel', searched, name, found, factor);
        expect(at(1)).toEqual(found);
        const [low, high] = [at(Math.min(one, other)), at(Math.max(one, other))];
        for (const [channel, maximum] of found.entries()) {
          expect(low[channel]).toBeLessThanOrEqual(high[channel]);
          expect(high[channel]).toBeLessThanOrEqual(maximum);
          if (maximum <= 0) expect(low[channel]).toBe(maximum);
          else if (!float) expect(at(one)[channel]).toBe(Math.floor(one * maximum));
        }
      }
    },
  );

  property.prop([profiles, factors], { numRuns: 40 })(
    'of a layer are those of the real threshold factor · ACT_max',
    ([network, maxima], factor) => {
      for (const [name, found] of maxima) {
        const actMax = largestActivation(network, name, found);
        expect(thresholdsOf('layer', network, name, found, factor)).toEqual(
          thresholdsOfLayer(network, name, found, factor * actMax),
        );
      }
    },
  );
});

describe('the joint search', () => {
  /** Each layer wants a factor of its own: the area falls with the distance, from 1. */
  const wanting =
    (maxima: LayerThresholds, wanted: ReadonlyMap<string, number>) =>
    async ({ candidates, maps }: RaceRequest) =>
      candidates.map((thresholds) => {
        const distance = [...maxima].reduce((sum, [name, found]) => {
          const [threshold] = thresholds.get(name) ?? [];
          return sum + Math.abs(threshold / found[0] - (wanted.get(name) ?? 1));
        }, 0);
        return Array.from({ length: maps }, () => 1 - distance / (2 * maxima.size));
      });

  property.prop([cases, fc.array(fc.double({ min: 0.1, max: 1, noNaN: true }), { minLength: 8 })], {
    numRuns: 40,
  })('comes near what each layer wants, and never ends below all maxima', async (one, shares) => {
    const { network, maxima } = one;
    const names = [...maxima.keys()];
    const wanted = new Map(names.map((name, index) => [name, shares[index % shares.length]]));
    const score = wanting(maxima, wanted);
    const { layers, common } = await searchJointly(network, maxima, score, LIMITS);
    expect(layers.map(({ name }) => name)).toEqual(names);
    expect(common.map(({ factor }) => factor)).toEqual([1, ...LIMITS.factors]);
    const request = { first: names[0], last: names[0], maps: 1 };
    const found = new Map(layers.map(({ name, thresholds }) => [name, thresholds]));
    const [[before], [after]] = await score({ ...request, candidates: [maxima, found] });
    expect(after).toBeGreaterThanOrEqual(before);
    for (const { name, factor, thresholds, races, auc } of layers) {
      expect(thresholds).toEqual(
        thresholdsOf('channel', network, name, maxima.get(name) ?? [], factor),
      );
      expect(Math.abs(factor - (wanted.get(name) ?? 1))).toBeLessThan(0.2);
      expect(races).toBeGreaterThanOrEqual(1);
      expect(auc.after).toBeGreaterThanOrEqual(auc.before);
    }
  });

  property.prop([cases], { numRuns: 20 })(
    'changes only the raced layer between candidates, and keeps ACT_max where nothing matters',
    async ({ network, maxima }) => {
      const requests: RaceRequest[] = [];
      const { layers } = await searchJointly(
        network,
        maxima,
        async (request) => {
          requests.push(request);
          return request.candidates.map(() => new Array<number>(request.maps).fill(0.5));
        },
        LIMITS,
      );
      for (const { factor, thresholds, name } of layers) {
        expect(factor).toBe(1);
        expect(thresholds).toEqual(maxima.get(name));
      }
      for (const { first, last, candidates } of requests.slice(1)) {
        expect(first).toBe(last);
        for (const candidate of candidates)
          for (const [name, values] of candidate)
            if (name !== first) expect(values).toEqual(candidates[0].get(name));
      }
      expect(requests.length).toBe(1 + LIMITS.sweeps * maxima.size);
    },
  );
});
