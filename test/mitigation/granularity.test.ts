import { fc, test as property } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { featureCount } from '../../core/index.js';
import { createReferenceBackend, requantize } from '../../kernels/index.js';
import {
  accumulatorDistributions,
  activationUnits,
  CLIP_POSITIONS,
  coarsenMaxima,
  GRANULARITIES,
  type Granularity,
  isAsFine,
  type LayerThresholds,
  profileMaxima,
} from '../../mitigation/index.js';
import { arrayLayers, dequantize, type Network } from '../../models/index.js';
import { createDatapath, type Datapath, int8Specification } from '../../sim/index.js';
import { int8Networks, xorshift } from '../../testing/index.js';

const IMAGES = 3;
const networks = fc
  .tuple(int8Networks(), fc.boolean())
  .map(([network, float]): Network => (float ? dequantize(network) : network));
const granularities = fc.constantFrom(...GRANULARITIES);
const mitigations = fc.constantFrom('clip' as const, 'clamp' as const);

function imagesFor(network: Network): Float32Array {
  const length = featureCount(network.tensors[network.input].shape) * IMAGES;
  return Float32Array.from({ length }, (_, index) => 15 * Math.sin(1 + index * 78.233));
}

function datapathFor(network: Network): Datapath {
  return createDatapath(network, createReferenceBackend(), 2);
}

function profileOf(network: Network, granularity: Granularity): LayerThresholds {
  const maxima = profileMaxima(datapathFor(network), imagesFor(network), IMAGES, granularity);
  return new Map(Object.entries(maxima));
}

/** Thresholds of any granularity for each neuron, in channel, row, column order. */
function perNeuron(values: readonly number[], neurons: number): number[] {
  return Array.from(
    { length: neurons },
    (_, n) => values[Math.floor((n * values.length) / neurons)],
  );
}

describe('profile maxima of every granularity', () => {
  property.prop([networks, granularities, mitigations], { numRuns: 40 })(
    'leave the profiled images as they are',
    (network, granularity, mitigation) => {
      const images = imagesFor(network);
      const datapath = datapathFor(network);
      const before = Array.from(datapath.run(images, IMAGES));
      const maxima = profileOf(network, granularity);
      datapath.setActivationUnits(activationUnits(mitigation, network, maxima));
      expect(Array.from(datapath.run(images, IMAGES))).toEqual(before);
    },
  );

  property.prop([networks], { numRuns: 40 })(
    'are never above those of a coarser one, and those of neurons are what distributions hold',
    (network) => {
      const profiles = GRANULARITIES.map((granularity) => profileOf(network, granularity));
      const distributions = accumulatorDistributions(
        datapathFor(network),
        imagesFor(network),
        IMAGES,
      );
      expect([...profiles[2].keys()]).toEqual(distributions.map(({ name }) => name));
      for (const { name, neuronMaxima } of distributions) {
        const [layer, channel, neuron] = profiles.map((profile) =>
          perNeuron(profile.get(name) ?? [], neuronMaxima.length),
        );
        expect(neuron).toEqual(neuronMaxima);
        for (const n of neuron.keys()) {
          expect(neuron[n]).toBeLessThanOrEqual(channel[n]);
          expect(channel[n]).toBeLessThanOrEqual(layer[n]);
        }
      }
    },
  );

  property.prop([networks, granularities, granularities], { numRuns: 60 })(
    'are what finer ones become when they are made coarser',
    (network, one, other) => {
      const [fine, coarse] = isAsFine(one, other) ? [one, other] : [other, one];
      const found = profileOf(network, fine);
      for (const [layer, expected] of profileOf(network, coarse)) {
        const made = coarsenMaxima(network, layer, found.get(layer) ?? [], fine, coarse);
        expect(made).toEqual(expected);
      }
    },
  );

  property.prop([int8Networks()], { numRuns: 40 })(
    'of a layer stand for ACT_max in every channel, to within one accumulator',
    (network) => {
      const channels = profileOf(network, 'channel');
      for (const [name, thresholds] of profileOf(network, 'layer')) {
        const layer = arrayLayers(network).find((one) => one.name === name);
        const input = layer && network.tensors[layer.input].quantization;
        if (!layer || !input) throw new Error(name);
        const unit = (c: number) => input.scale * layer.scales[c];
        const maxima = channels.get(name) ?? [];
        const actMax = Math.max(...maxima.map((maximum, c) => maximum * unit(c)));
        for (const [c, threshold] of thresholds.entries()) {
          if (threshold === 2 ** 31 - 1) continue;
          expect(Number.isInteger(threshold)).toBe(true);
          const slack = 1e-9 * Math.abs(actMax);
          expect(threshold * unit(c)).toBeLessThanOrEqual(actMax + slack);
          expect((threshold + 1) * unit(c)).toBeGreaterThan(actMax - slack);
        }
      }
    },
  );
});

/** Random thresholds of a granularity for all layers, within what the layers give. */
function randomThresholds(
  network: Network,
  granularity: Granularity,
  seed: number,
): LayerThresholds {
  const random = xorshift(seed);
  return new Map(
    [...profileOf(network, granularity)].map(([name, values]) => [
      name,
      values.map((value) =>
        network.format === 'int8'
          ? Math.floor(value * random() * 1.2)
          : Math.fround(value * random() * 1.2),
      ),
    ]),
  );
}

describe('a clip', () => {
  property.prop(
    [int8Networks(), granularities, mitigations, fc.constantFrom(...CLIP_POSITIONS), fc.nat(999)],
    { numRuns: 80 },
  )(
    'of int8 words is what its definition says, of each neuron and at each position',
    (network, granularity, mitigation, position, seed) => {
      const thresholds = randomThresholds(network, granularity, seed + 1);
      const datapath = datapathFor(network);
      datapath.setActivationUnits(activationUnits(mitigation, network, thresholds, position));
      const accumulators = new Map<string, number[]>();
      const outputs = new Map<number, number[]>();
      datapath.run(imagesFor(network), IMAGES, {
        accumulators({ name, shape: { output } }, values, firstRow, rows, stride) {
          const seen = accumulators.get(name) ?? [];
          accumulators.set(name, seen);
          for (let row = 0; row < rows; row += 1) {
            for (let c = 0; c < output.channels; c += 1) {
              seen[(firstRow + row) * output.channels + c] = values[row * stride + c];
            }
          }
        },
        tensor(tensor, values, _first, images) {
          const length = featureCount(network.tensors[tensor].shape) * images;
          outputs.set(tensor, [...(outputs.get(tensor) ?? []), ...values.subarray(0, length)]);
        },
      });
      for (const layer of arrayLayers(network)) {
        const { multipliers, outputZeroPoint, low, high } = int8Specification(network, layer);
        const { channels, height, width } = layer.shape.output;
        const positions = height * width;
        const given = thresholds.get(layer.name);
        const found = outputs.get(layer.output) ?? [];
        for (const [index, accumulator] of (accumulators.get(layer.name) ?? []).entries()) {
          const c = index % channels;
          const place = Math.floor(index / channels) % positions;
          const store = (value: number) =>
            requantize(value, multipliers[c], outputZeroPoint, low, high);
          let expected = store(accumulator);
          if (given) {
            const limit = perNeuron(given, channels * positions)[c * positions + place];
            const before = position === 'accumulator';
            const exceeds = before ? accumulator > limit : expected > store(limit);
            const instead = mitigation === 'clip' ? outputZeroPoint : store(limit);
            if (exceeds) expected = instead;
          }
          expect(found[index]).toBe(expected);
        }
      }
    },
  );

  property.prop([int8Networks()], { numRuns: 5 })(
    'of float32 words cannot stand after requantisation',
    (network) => {
      const real = dequantize(network);
      expect(() => activationUnits('clip', real, new Map(), 'requantised')).toThrow(
        'with float32 words has no requantisation to clip after',
      );
    },
  );
});
