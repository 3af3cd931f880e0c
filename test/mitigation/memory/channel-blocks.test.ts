import { fc, test as property } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import {
  assignChannels,
  blockSize,
} from '../../../mitigation/memory/channel-order/assign-channels.js';

const CHANNELS = 24;
const WINDOW = 6;

/** A layer of int8 weights and stuck cells in the places of its channels. */
const layers = fc
  .record({
    words: fc.uint8Array({ minLength: CHANNELS * WINDOW, maxLength: CHANNELS * WINDOW }),
    stuck: fc.uniqueArray(fc.nat(CHANNELS * WINDOW - 1), { maxLength: 60 }),
    cells: fc.infiniteStream(fc.integer({ min: 1, max: 255 })),
    movable: fc.subarray([...Array(CHANNELS).keys()]),
  })
  .map(({ words, stuck, cells, movable }) => {
    const places = [...stuck].sort((a, b) => a - b);
    const masks = Uint32Array.from(places, () => cells.next().value ?? 1);
    return {
      layer: {
        ...{ words, first: 0, window: WINDOW, channels: CHANNELS },
        movable: Uint32Array.from(movable),
      },
      stuck: {
        starts: Uint32Array.from(
          { length: CHANNELS + 1 },
          (_, channel) => places.filter((place) => place < channel * WINDOW).length,
        ),
        positions: Uint32Array.from(places, (place) => place % WINDOW),
        cells: masks,
        ones: masks.map((mask, at) => mask & (at * 37)),
      },
    };
  });

type Case = typeof layers extends fc.Arbitrary<infer One> ? One : never;

function costOf({ layer, stuck }: Case, places: ArrayLike<number> | undefined): number {
  let cost = 0;
  for (let channel = 0; channel < CHANNELS; channel++) {
    const place = places?.[channel] ?? channel;
    for (let entry = stuck.starts[place]; entry < stuck.starts[place + 1]; entry++) {
      const word = layer.words[channel * WINDOW + stuck.positions[entry]];
      cost += (word ^ stuck.ones[entry]) & stuck.cells[entry];
    }
  }
  return cost;
}

describe('channels that change places within blocks', () => {
  property.prop([layers, fc.constantFrom(1, 100, 500, 2000, 1e5)])(
    'cost no more than in their own places, and no less than all together',
    (one, steps) => {
      const inBlocks = assignChannels(one.layer, one.stuck, steps);
      const together = assignChannels(one.layer, one.stuck, 1e9);
      expect(costOf(one, inBlocks)).toBeLessThanOrEqual(costOf(one, undefined));
      expect(costOf(one, together)).toBeLessThanOrEqual(costOf(one, inBlocks));
      const expected = [...Array(CHANNELS).keys()];
      expect([...(inBlocks ?? expected)].sort((a, b) => a - b)).toEqual(expected);
      for (const channel of expected) {
        if (!one.layer.movable.includes(channel))
          expect(inBlocks?.[channel] ?? channel).toBe(channel);
      }
    },
  );

  property.prop([
    fc.integer({ min: 1, max: 10_000 }),
    fc.integer({ min: 0, max: 1e7 }),
    fc.integer({ min: 1, max: 1e10 }),
  ])('are as many as the steps allow', (channels, struckPlaces, steps) => {
    const size = blockSize(channels, struckPlaces, steps);
    const stepsOf = (one: number) => one * struckPlaces + channels * one * one;
    expect(size).toBeGreaterThanOrEqual(1);
    expect(size).toBeLessThanOrEqual(channels);
    if (size > 1) expect(stepsOf(size)).toBeLessThanOrEqual(steps);
    if (size < channels) expect(stepsOf(size + 1)).toBeGreaterThan(steps);
  });
});
