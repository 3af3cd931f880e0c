import { fc, test as property } from '@fast-check/vitest';
import { expect } from 'vitest';
import { featureCount } from '../../core/index.js';
import { createReferenceBackend } from '../../kernels/index.js';
import { accumulatorDistributions, profileMaxima } from '../../mitigation/index.js';
import { dequantize, type Network } from '../../models/index.js';
import { createDatapath } from '../../sim/index.js';
import { int8Networks } from '../../testing/index.js';

const networks = fc
  .tuple(int8Networks(), fc.boolean())
  .map(([network, float]): Network => (float ? dequantize(network) : network));

const IMAGES = 3;

property.prop([networks], { numRuns: 30 })(
  'distributions agree with all accumulators put in order',
  (network) => {
    const length = featureCount(network.tensors[network.input].shape) * IMAGES;
    const images = Float32Array.from({ length }, (_, index) => 15 * Math.sin(index * 7.23));
    const datapath = createDatapath(network, createReferenceBackend(), 2);
    const maxima = profileMaxima(datapath, images, IMAGES);
    const all = new Map<string, { values: number[]; channels: number[][]; neurons: number[] }>();
    datapath.run(images, IMAGES, {
      accumulators({ name, shape: { output } }, values, firstRow, rows, stride) {
        const positions = output.height * output.width;
        const empty = { values: [], channels: [], neurons: [] };
        const seen = all.get(name) ?? empty;
        all.set(name, seen);
        for (let row = 0; row < rows; row += 1) {
          for (let channel = 0; channel < output.channels; channel += 1) {
            const value = values[row * stride + channel];
            const neuron = channel * positions + ((firstRow + row) % positions);
            seen.values.push(value);
            seen.channels[channel] = [...(seen.channels[channel] ?? []), value];
            seen.neurons[neuron] = Math.max(seen.neurons[neuron] ?? -Infinity, value);
          }
        }
      },
    });
    const found = accumulatorDistributions(datapath, images, IMAGES);
    expect(found.map(({ name }) => name)).toEqual(Object.keys(maxima));
    for (const layer of found) {
      const { values, channels, neurons } = all.get(layer.name) ?? {
        values: [],
        channels: [],
        neurons: [],
      };
      const ascending = values.toSorted((a, b) => a - b);
      expect(layer.values).toBe(values.length);
      expect(layer.nonFinite).toBe(0);
      expect([layer.least, layer.largest]).toEqual([ascending[0], ascending.at(-1)]);
      expect(layer.channelMaxima).toEqual(channels.map((one) => Math.max(...one)));
      expect(layer.neuronMaxima).toEqual(neurons);
      for (const [percent, value] of Object.entries(layer.percentiles)) {
        const exact = ascending[Math.ceil((Number(percent) / 100) * ascending.length) - 1];
        expect(Math.abs(value - exact)).toBeLessThanOrEqual(Math.abs(exact) / 64);
      }
      const counted = layer.histogram.reduce((sum, { count }) => sum + count, 0);
      expect(counted).toBe(values.length);
      for (const { from, count } of layer.histogram) {
        const inside = values.filter((value) =>
          from === 0
            ? value === 0
            : Math.sign(value) === Math.sign(from) &&
              Math.abs(value) >= Math.abs(from) &&
              Math.abs(value) < 2 * Math.abs(from),
        );
        expect(inside.length).toBe(count);
      }
    }
  },
);
