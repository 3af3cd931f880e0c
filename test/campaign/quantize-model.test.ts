import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  measureNoise,
  type NetworkInputs,
  type QuantizeOptions,
  quantizeOnImages,
} from '../../campaign/index.js';
import { featureCount } from '../../core/index.js';
import { createReferenceBackend } from '../../kernels/index.js';
import {
  arrayLayers,
  CALIBRATION_METHODS,
  createChannelMeans,
  type Float32Network,
  type Int8Network,
  isOnArray,
  type Network,
  signalToNoise,
  WEIGHT_GRANULARITIES,
  writeFloat32,
  writeQdq,
} from '../../models/index.js';
import { createDatapath } from '../../sim/index.js';
import { float32Networks } from '../models/networks.js';
import { randomInputs, runOnnx } from '../models/onnxruntime.js';

const IMAGES = 7;

function inputsOf(network: Network): NetworkInputs {
  const values = randomInputs(network, IMAGES, 2);
  const length = values.length / IMAGES;
  return {
    count: IMAGES,
    read: (first, count) => values.subarray(first * length, (first + count) * length),
  };
}

const optionSets: fc.Arbitrary<QuantizeOptions> = fc.record({
  calibration: fc.record({ method: fc.constantFrom(...CALIBRATION_METHODS) }),
  weights: fc.constantFrom(...WEIGHT_GRANULARITIES),
  biasCorrection: fc.boolean(),
});

/** Mean of each output channel's sums by layer, computed by the scalar reference, in real numbers. */
function meanSums(network: Float32Network | Int8Network): number[][] {
  const datapath = createDatapath(network, createReferenceBackend(), IMAGES);
  const layers = arrayLayers(network as Network);
  const means = new Map(
    layers.map(({ name, shape }) => [name, createChannelMeans(shape.output.channels)]),
  );
  datapath.run(inputsOf(network).read(0, IMAGES), IMAGES, {
    accumulators: ({ name }, values, _firstRow, rows, stride) =>
      means.get(name)!.add(values, rows, stride),
  });
  return layers.map((layer) => {
    const units = accumulatorUnits(network, layer.name);
    return Array.from(means.get(layer.name)!.means(), (mean, channel) => mean * units[channel]);
  });
}

/** What one unit of each output channel's accumulator stands for. */
function accumulatorUnits(network: Network, name: string): number[] {
  const layer = arrayLayers(network).find((candidate) => candidate.name === name)!;
  if (!('scales' in layer)) return Array.from(layer.bias, () => 1);
  const { scale } = network.tensors[layer.input].quantization!;
  return Array.from(layer.scales, (weightScale) => Math.fround(scale * weightScale));
}

describe('bias correction', () => {
  test('leaves each channel a mean shift of at most half a unit of its accumulator', () => {
    fc.assert(
      fc.property(float32Networks, optionSets, (network, options) => {
        const quantized = quantizeOnImages(network, inputsOf(network), {
          ...options,
          biasCorrection: true,
        });
        const expected = meanSums(network);
        for (const [index, found] of meanSums(quantized).entries()) {
          const { name } = arrayLayers(network)[index];
          const units = accumulatorUnits(quantized, name);
          for (const [channel, mean] of found.entries()) {
            const shift = Math.abs(mean - expected[index][channel]);
            expect(shift).toBeLessThanOrEqual(units[channel] * 0.5 + Math.abs(mean) * 1e-9);
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  test('makes no mean shift larger, up to one unit of the accumulator', () => {
    fc.assert(
      fc.property(float32Networks, optionSets, (network, options) => {
        const shifts = (biasCorrection: boolean) => {
          const quantized = quantizeOnImages(network, inputsOf(network), {
            ...options,
            biasCorrection,
          });
          const expected = meanSums(network);
          return meanSums(quantized).map((means, index) => {
            const units = accumulatorUnits(quantized, arrayLayers(network)[index].name);
            return means.map((mean, c) => Math.abs(mean - expected[index][c]) / units[c]);
          });
        };
        const before = shifts(false);
        for (const [index, layer] of shifts(true).entries()) {
          for (const [channel, shift] of layer.entries()) {
            expect(shift).toBeLessThanOrEqual(before[index][channel] + 1);
          }
        }
      }),
      { numRuns: 25 },
    );
  });

  test('changes biases alone', () => {
    fc.assert(
      fc.property(float32Networks, optionSets, (network, options) => {
        const [plain, corrected] = [false, true].map((biasCorrection) => {
          const made = quantizeOnImages(network, inputsOf(network), { ...options, biasCorrection });
          const layers = made.layers.map((layer) =>
            isOnArray(layer) ? { ...layer, bias: undefined } : layer,
          );
          return { ...made, checksum: '', layers };
        });
        expect(corrected).toEqual(plain);
      }),
      { numRuns: 25 },
    );
  });
});

describe('quantizeOnImages and measureNoise', () => {
  test('do not depend on the batch size', () => {
    fc.assert(
      fc.property(float32Networks, optionSets, (network, options) => {
        const inputs = inputsOf(network);
        const results = [1, 3, 25].map((batch) => {
          const quantized = quantizeOnImages(network, inputs, { ...options, batch });
          return { quantized, noise: measureNoise(network, quantized, inputs, undefined, batch) };
        });
        expect(results[1]).toEqual(results[0]);
        expect(results[2]).toEqual(results[0]);
      }),
      { numRuns: 25 },
    );
  });

  test('find the noise that onnxruntime has in the last layer', async () => {
    const endsInWeights = float32Networks.filter(({ layers }) => isOnArray(layers.at(-1)!));
    await fc.assert(
      fc.asyncProperty(endsInWeights, optionSets, async (network, options) => {
        const inputs = inputsOf(network);
        const quantized = quantizeOnImages(network, inputs, options);
        const images = inputs.read(0, IMAGES);
        const real = await runOnnx(writeFloat32(network), network, images, 'all');
        const rounded = await runOnnx(writeQdq(quantized), network, images, 'all');
        const found = rounded.get('logits')!;
        const ours = createDatapath(network, createReferenceBackend(), IMAGES).run(images, IMAGES);
        let [signal, noise, distance] = [0, 0, 0];
        for (const [index, value] of real.get('logits')!.entries()) {
          signal += value ** 2;
          noise += (value - found[index]) ** 2;
          // onnxruntime adds in another order, and rounds what it dequantises to float32.
          distance += (Math.abs(value - ours[index]) + Math.abs(found[index]) * 2 ** -24) ** 2;
        }
        const { output } = measureNoise(network, quantized, inputs).at(-1)!;
        // How far the energies of two vectors can be apart, by their distance (Cauchy–Schwarz).
        const apart = (energy: number) =>
          (2 * Math.sqrt(energy * distance) + distance) * (1 + 1e-6);
        expect(Math.abs(output.signal - signal)).toBeLessThanOrEqual(apart(signal));
        expect(Math.abs(output.noise - noise)).toBeLessThanOrEqual(apart(noise));
      }),
      { numRuns: 40 },
    );
  });

  test('report each weighted layer, and progress that ends at the total', () => {
    fc.assert(
      fc.property(float32Networks, optionSets, (network, options) => {
        const inputs = inputsOf(network);
        const steps: [number, number][] = [];
        const quantized = quantizeOnImages(
          network,
          inputs,
          { ...options, batch: 3 },
          (done, total) => steps.push([done, total]),
        );
        const layers = arrayLayers(network);
        const total = IMAGES * (options.biasCorrection ? layers.length + 1 : 1);
        expect(steps.at(-1)).toEqual([total, total]);
        expect(steps.map(([done]) => done)).toEqual(
          steps.map(([done]) => done).toSorted((a, b) => a - b),
        );
        const noise = measureNoise(network, quantized, inputs);
        expect(noise.map(({ name }) => name)).toEqual(layers.map(({ name }) => name));
        for (const { weights } of noise) expect(signalToNoise(weights)).toBeGreaterThan(0);
      }),
      { numRuns: 20 },
    );
  });

  test('refuse to work without images', () => {
    const [network] = fc.sample(float32Networks, { seed: 3, numRuns: 1 });
    const none = { count: 0, read: () => new Float32Array(featureCount(network.tensors[0].shape)) };
    const options = {
      calibration: { method: 'min-max' },
      weights: 'per-channel',
      biasCorrection: false,
    } as const;
    const message = 'net cannot be quantised without calibration images';
    expect(() => quantizeOnImages(network, none, options)).toThrow(message);
    const quantized = quantizeOnImages(network, inputsOf(network), options);
    expect(() => measureNoise(network, quantized, none)).toThrow(message);
  });
});
