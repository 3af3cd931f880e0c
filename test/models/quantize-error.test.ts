import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type ActivationRange,
  arrayLayers,
  type Bin,
  correctBiases,
  createCalibration,
  createHistogram,
  createNoiseMeter,
  type Int8Network,
  isOnArray,
  leastSquaresRange,
  type Quantization,
  quantizeNetwork,
  quantizeRange,
  readNetwork,
  signalToNoise,
  squaredError,
  weightNoise,
  writeQdq,
} from '../../models/index.js';
import { withoutEnds } from './ends.js';
import { float32Networks } from './networks.js';

const reals = fc.oneof(
  fc.float({ noNaN: true, noDefaultInfinity: true }),
  fc.float({ min: -8, max: 8, noNaN: true }),
);
const valueLists = fc.array(reals, { minLength: 1, maxLength: 300 });

function histogramOf(values: Iterable<number>): { bins: Bin[]; widest: ActivationRange } {
  const histogram = createHistogram();
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    histogram.add(value);
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return { bins: histogram.bins(), widest: { low, high } };
}

/** Σ (x − x̂)² of values on 256 levels. */
function errorOfValues(values: Iterable<number>, { scale, zeroPoint }: Quantization): number {
  let sum = 0;
  for (const value of values) {
    const level = Math.min(255, Math.max(0, Math.round(value / scale) + zeroPoint));
    sum += (value - scale * (level - zeroPoint)) ** 2;
  }
  return sum;
}

/** Values that are normally distributed, up to the granularity of the generator, and reproducible. */
function normalValues(length: number): number[] {
  let state = 1;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return Array.from({ length }, () => {
    let sum = -6;
    for (let term = 0; term < 12; term += 1) sum += uniform();
    return sum;
  });
}

describe('histogram bins', () => {
  test('count every value, within half a bin of its centre', () => {
    fc.assert(
      fc.property(valueLists, (values) => {
        const { bins } = histogramOf(values);
        expect(bins.reduce((sum, { count }) => sum + count, 0)).toBe(values.length);
        const largest = Math.max(...values.map(Math.abs));
        for (const value of values) {
          const distance = Math.min(...bins.map(({ centre }) => Math.abs(centre - value)));
          expect(distance).toBeLessThanOrEqual(largest / 8192);
        }
      }),
    );
  });
});

describe('leastSquaresRange', () => {
  test('never has a larger error than min–max, and stays within it', () => {
    fc.assert(
      fc.property(valueLists, (values) => {
        const { bins, widest } = histogramOf(values);
        const found = leastSquaresRange(bins, widest);
        expect(squaredError(bins, quantizeRange(found))).toBeLessThanOrEqual(
          squaredError(bins, quantizeRange(widest)),
        );
        expect(found.low).toBeLessThanOrEqual(0);
        expect(found.high).toBeGreaterThanOrEqual(0);
        expect(found.low).toBeGreaterThanOrEqual(Math.min(widest.low, 0));
        expect(found.high).toBeLessThanOrEqual(Math.max(widest.high, 0));
      }),
      { numRuns: 200 },
    );
  });

  test('finds the best of all its candidates where the values have one sign', () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ min: 0, max: 8, noNaN: true }), { minLength: 1, maxLength: 50 }),
        fc.boolean(),
        (magnitudes, negative) => {
          const { bins, widest } = histogramOf(magnitudes.map((m) => (negative ? -m : m)));
          const end = negative ? widest.low : widest.high;
          fc.pre(end !== 0);
          const errors = Array.from({ length: 128 }, (_, step) => {
            const tried = (end * (step + 1)) / 128;
            const { scale, zeroPoint } = quantizeRange(
              negative ? { low: tried, high: 0 } : { low: 0, high: tried },
            );
            return bins.reduce(
              (sum, { centre, count }) =>
                sum + count * errorOfValues([centre], { scale, zeroPoint }),
              0,
            );
          });
          const least = Math.min(...errors);
          const found = squaredError(bins, quantizeRange(leastSquaresRange(bins, widest)));
          expect(found).toBeLessThanOrEqual(least * (1 + 1e-9));
          expect(found).toBeGreaterThanOrEqual(least * (1 - 1e-9));
        },
      ),
      { numRuns: 50 },
    );
  });

  test('cuts off an outlier where clipping it costs as much as it saves in rounding', () => {
    const [count, outlier] = [200_000, 60];
    const values = [...normalValues(count), outlier];
    const { bins, widest } = histogramOf(values);
    const found = leastSquaresRange(bins, widest);
    // (outlier − high)² + count · step² / 12, with step = (high − low) / 255, is least here:
    const weight = count / (12 * 255 ** 2);
    const best = (outlier + weight * found.low) / (1 + weight);
    expect(Math.abs(found.high - best)).toBeLessThan(1);
    expect(errorOfValues(values, quantizeRange(found))).toBeLessThan(
      0.9 * errorOfValues(values, quantizeRange(widest)),
    );
  });
});

describe('calibration by squared error', () => {
  const [network] = fc.sample(float32Networks, { seed: 3, numRuns: 1 });

  function rangesOf(parts: readonly (readonly number[])[]): ActivationRange[] {
    const calibration = createCalibration(network, { method: 'mse' });
    for (const tensor of network.tensors.keys()) {
      for (const part of parts) calibration.observe(tensor, Float32Array.from(part));
    }
    return calibration.ranges();
  }

  test('depends on the values only, not on their order or parts', () => {
    fc.assert(
      fc.property(valueLists, fc.nat(300), (values, cut) => {
        const whole = rangesOf([values]);
        expect(rangesOf([values.slice(0, cut), values.slice(cut)])).toEqual(whole);
        expect(rangesOf([values.toReversed()])).toEqual(whole);
      }),
      { numRuns: 30 },
    );
  });

  test('refuses a method that does not exist', () => {
    expect(() => createCalibration(network, JSON.parse('{"method":"entropy"}'))).toThrow(
      'There is no calibration "entropy"; choose min-max, percentile, mse',
    );
  });
});

describe('weights per tensor', () => {
  test('share one scale and are reproduced within half of it', () => {
    fc.assert(
      fc.property(float32Networks, fc.float({ min: 1, max: 100, noNaN: true }), (network, high) => {
        const ranges = network.tensors.map(() => ({ low: -high, high }));
        const quantized = quantizeNetwork(network, ranges, 'per-tensor');
        const reals = arrayLayers(network);
        for (const [index, { weights, scales, bias }] of arrayLayers(quantized).entries()) {
          const [scale] = scales;
          expect(new Set(scales).size).toBe(1);
          // The weights of the test networks are so large that no bias enlarges the scale.
          expect(Math.max(...weights.map(Math.abs))).toBe(127);
          for (const [w, weight] of weights.entries()) {
            expect(Math.abs(reals[index].weights[w] - scale * weight)).toBeLessThanOrEqual(
              scale * 0.5001,
            );
          }
          const inputScale = quantized.tensors[reals[index].input].quantization!.scale;
          const unit = Math.fround(inputScale * scale);
          for (const [channel, value] of bias.entries()) {
            expect(Math.abs(reals[index].bias[channel] - unit * value)).toBeLessThanOrEqual(
              unit * 0.5001,
            );
          }
        }
      }),
    );
  });

  test('have a scale at least as large as that of each channel', () => {
    fc.assert(
      fc.property(float32Networks, (network) => {
        const ranges = network.tensors.map(() => ({ low: -1, high: 1 }));
        const perChannel = arrayLayers(quantizeNetwork(network, ranges));
        const perTensor = arrayLayers(quantizeNetwork(network, ranges, 'per-tensor'));
        for (const [index, layer] of perTensor.entries()) {
          for (const [channel, scale] of layer.scales.entries()) {
            expect(scale).toBeGreaterThanOrEqual(perChannel[index].scales[channel]);
          }
        }
      }),
    );
  });

  test('are the only other choice', () => {
    const [network] = fc.sample(float32Networks, { seed: 3, numRuns: 1 });
    const ranges = network.tensors.map(() => ({ low: -1, high: 1 }));
    expect(() => quantizeNetwork(network, ranges, JSON.parse('"per-row"'))).toThrow(
      'Weights cannot be quantised "per-row"; choose per-channel or per-tensor',
    );
  });
});

describe('signal-to-quantisation-noise ratio', () => {
  function ratioOf(values: Float32Array, quantization: Quantization): number {
    const { scale, zeroPoint } = quantization;
    const levels = Uint8Array.from(values, (value) =>
      Math.min(255, Math.max(0, Math.round(value / scale) + zeroPoint)),
    );
    const meter = createNoiseMeter();
    meter.add(values, levels, quantization);
    return signalToNoise(meter.total());
  }

  test('of a uniform signal over all 256 levels is 10·log10(4·255²) dB', () => {
    // Signal energy (255 s)²/3 against rounding noise s²/12 (Bennett 1948).
    const length = 255 * 400;
    const values = Float32Array.from({ length }, (_, index) => ((index + 0.5) * 255) / length);
    expect(ratioOf(values, { scale: 1, zeroPoint: 0 })).toBeCloseTo(
      10 * Math.log10(4 * 255 ** 2),
      2,
    );
  });

  test('of a constant is 20·log10(|x| / |x − x̂|)', () => {
    const ratio = ratioOf(new Float32Array(7).fill(2.25), { scale: 1, zeroPoint: 3 });
    expect(ratio).toBeCloseTo(20 * Math.log10(2.25 / 0.25), 10);
  });

  test('falls by 20 dB when the noise grows tenfold in amplitude', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1e-3, max: 1e3, noNaN: true }),
        fc.double({ min: 1e-6, max: 1e3, noNaN: true }),
        (signal, noise) => {
          const difference =
            signalToNoise({ signal, noise }) - signalToNoise({ signal, noise: 100 * noise });
          expect(difference).toBeCloseTo(20, 9);
        },
      ),
    );
  });

  test('does not change with the unit of the values', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -2000, max: 2000 }), { minLength: 1 }),
        fc.integer({ min: -10, max: 10 }),
        (thousandths, exponent) => {
          const values = thousandths.map((value) => Math.fround(value / 1000));
          const unit = 2 ** exponent;
          const scaled = Float32Array.from(values, (value) => value * unit);
          const ratio = ratioOf(Float32Array.from(values), { scale: 1 / 64, zeroPoint: 128 });
          expect(ratioOf(scaled, { scale: unit / 64, zeroPoint: 128 })).toBe(ratio);
        },
      ),
    );
  });

  test('of weights is infinite where all are multiples of their scale', () => {
    fc.assert(
      fc.property(float32Networks, (network) => {
        const ranges = network.tensors.map(() => ({ low: -1, high: 1 }));
        // Powers of two over 127 would not be exact; multiples of 1/128 up to 127/128 are.
        const layers = network.layers.map((layer) => {
          if (!isOnArray(layer)) return layer;
          const window = layer.weights.length / layer.bias.length;
          const weights = layer.weights.map((weight, index) =>
            index % window === 0 ? 127 / 128 : Math.trunc(weight * 127) / 128,
          );
          return { ...layer, weights };
        });
        const exact = { ...network, layers };
        const quantized = arrayLayers(quantizeNetwork(exact, ranges));
        for (const [index, layer] of arrayLayers(exact).entries()) {
          const energies = weightNoise(layer, quantized[index]);
          expect(energies.signal).toBeGreaterThan(0);
          expect(signalToNoise(energies)).toBe(Infinity);
        }
      }),
    );
  });

  test('of weights is at least that of half a scale everywhere', () => {
    fc.assert(
      fc.property(float32Networks, (network) => {
        const ranges = network.tensors.map(() => ({ low: -1, high: 1 }));
        const quantized = arrayLayers(quantizeNetwork(network, ranges));
        for (const [index, layer] of arrayLayers(network).entries()) {
          const { scales } = quantized[index];
          const window = layer.weights.length / scales.length;
          const worst = scales.reduce((sum, scale) => sum + (window * scale ** 2) / 4, 0);
          const signal = layer.weights.reduce((sum, weight) => sum + weight ** 2, 0);
          expect(signalToNoise(weightNoise(layer, quantized[index]))).toBeGreaterThanOrEqual(
            signalToNoise({ signal, noise: worst }) - 0.01,
          );
        }
      }),
    );
  });
});

describe('correctBiases', () => {
  const [network] = fc.sample(float32Networks, { seed: 3, numRuns: 1 });
  const ranges = network.tensors.map(() => ({ low: -1, high: 1 }));
  const quantized = quantizeNetwork(network, ranges);

  function correctedBy(shift: number): Int8Network {
    const expected = new Map(
      arrayLayers(network).map(({ name, bias }) => [name, new Float64Array(bias.length)]),
    );
    return correctBiases(quantized, expected, (_, { bias }) =>
      new Float64Array(bias.length).fill(shift),
    );
  }

  test('adds the opposite of the shift, in units of the accumulator', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1000, max: 1000 }), (shift) => {
        const corrected = arrayLayers(correctedBy(shift));
        for (const [index, { bias }] of arrayLayers(quantized).entries()) {
          expect(corrected[index].bias).toEqual(bias.map((value) => value - shift));
        }
      }),
    );
  });

  test('measures each layer with those before it corrected, and the others as they were', () => {
    const names = arrayLayers(network).map(({ name }) => name);
    const expected = new Map(names.map((name) => [name, new Float64Array(64)]));
    const seen: string[] = [];
    correctBiases(quantized, expected, (current, { name, bias }) => {
      const layers = arrayLayers(current);
      for (const [index, layer] of arrayLayers(quantized).entries()) {
        const shift = seen.includes(layer.name) ? 5 : 0;
        expect(layers[index].bias).toEqual(layer.bias.map((value) => value - shift));
      }
      seen.push(name);
      return new Float64Array(bias.length).fill(5);
    });
    expect(seen).toEqual(names);
  });

  test('keeps biases within half of the range of the accumulator', () => {
    for (const { bias } of arrayLayers(correctedBy(-(2 ** 33)))) {
      expect(new Set(bias)).toEqual(new Set([2 ** 30]));
    }
    for (const { bias } of arrayLayers(correctedBy(2 ** 33))) {
      expect(new Set(bias)).toEqual(new Set([-(2 ** 30)]));
    }
  });

  test('gives the checksum of its QDQ file', () => {
    const corrected = correctedBy(3);
    expect(withoutEnds(readNetwork(writeQdq(corrected)))).toEqual(withoutEnds(corrected));
  });
});
