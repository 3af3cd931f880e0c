import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InputError, ModelError } from '../../core/index.js';
import {
  arrayLayers,
  createCalibration,
  dequantize,
  type Float32Network,
  type Int8Network,
  inputsOf,
  isMoving,
  isOnArray,
  quantizeNetwork,
  readNetwork,
  writeFloat32,
  writeQdq,
} from '../../models/index.js';
import { withoutEnds } from './ends.js';
import { float32Networks, int8Networks } from './networks.js';
import { randomInputs, runOnnx } from './onnxruntime.js';

const ranges = fc
  .tuple(
    fc.float({ min: -100, max: 100, noNaN: true }),
    fc.float({ min: -100, max: 100, noNaN: true }),
  )
  .map(([one, other]) => ({ low: Math.min(one, other), high: Math.max(one, other) }));

/** A network and a range for each of its tensors. */
const calibrated = float32Networks.chain((network) =>
  fc.tuple(
    fc.constant(network),
    fc.array(ranges, { minLength: network.tensors.length, maxLength: network.tensors.length }),
  ),
);

describe('quantizeNetwork', () => {
  test('reproduces each weight within half a scale, and uses the whole range', () => {
    fc.assert(
      fc.property(calibrated, ([network, ranges]) => {
        const { tensors, ...quantized } = quantizeNetwork(network, ranges);
        for (const [index, layer] of arrayLayers(network).entries()) {
          const { weights, scales, zeroPoints } = arrayLayers({ tensors, ...quantized })[index];
          const inputScale = tensors[layer.input].quantization!.scale;
          const window = weights.length / scales.length;
          for (const [channel, scale] of scales.entries()) {
            expect(zeroPoints[channel]).toBe(0);
            let largest = 0;
            for (let w = channel * window; w < (channel + 1) * window; w += 1) {
              const error = Math.abs(layer.weights[w] - scale * weights[w]);
              // Scales are float32: a little more than half where the quotient is a tie.
              expect(error).toBeLessThanOrEqual(scale * 0.5001);
              largest = Math.max(largest, Math.abs(weights[w]));
            }
            const bias = Math.abs(layer.bias[channel]);
            const setByBias = scale <= Math.fround(bias / (inputScale * 2 ** 30));
            if (!setByBias) expect(largest).toBe(127);
          }
        }
      }),
    );
  });

  test('reproduces each bias within half of its scale', () => {
    fc.assert(
      fc.property(calibrated, ([network, ranges]) => {
        const quantized = quantizeNetwork(network, ranges);
        const reals = arrayLayers(network);
        for (const [index, { bias, scales, input }] of arrayLayers(quantized).entries()) {
          const inputScale = quantized.tensors[input].quantization!.scale;
          for (const [channel, value] of bias.entries()) {
            const scale = Math.fround(inputScale * scales[channel]);
            expect(Math.abs(value)).toBeLessThan(2 ** 30 * 1.001);
            expect(Math.abs(value * scale - reals[index].bias[channel])).toBeLessThanOrEqual(
              scale * 0.5001,
            );
          }
        }
      }),
    );
  });

  test('covers each range and zero within half a step', () => {
    fc.assert(
      fc.property(calibrated, ([network, ranges]) => {
        const { tensors, layers } = quantizeNetwork(network, ranges);
        const joined = new Set(
          layers.filter((layer) => isMoving(layer)).flatMap((layer) => inputsOf(layer)),
        );
        const rectified = new Set(arrayLayers(network).flatMap((l) => (l.relu ? [l.output] : [])));
        for (const [index, { quantization }] of tensors.entries()) {
          const { scale, zeroPoint } = quantization!;
          expect(Number.isInteger(zeroPoint) && zeroPoint >= 0 && zeroPoint <= 255).toBe(true);
          expect(Math.fround(scale)).toBe(scale);
          if (rectified.has(index)) expect(zeroPoint).toBe(0);
          // Tensors before pooling and flattening take the quantisation of those after it.
          if (joined.has(index) || rectified.has(index)) continue;
          const { low, high } = ranges[index];
          const isPooled = layers.some((layer) => !isOnArray(layer) && layer.output === index);
          if (isPooled) continue;
          expect(scale * (0 - zeroPoint)).toBeLessThanOrEqual(Math.min(low, 0) + scale * 0.501);
          expect(scale * (255 - zeroPoint)).toBeGreaterThanOrEqual(
            Math.max(high, 0) - scale * 0.501,
          );
        }
        for (const layer of layers) {
          if (!isMoving(layer)) continue;
          expect(tensors[inputsOf(layer)[0]].quantization).toEqual(
            tensors[layer.output].quantization,
          );
        }
      }),
    );
  });

  test('gives a network that its file holds, with the checksum of that file', () => {
    fc.assert(
      fc.property(calibrated, ([network, ranges]) => {
        const quantized = quantizeNetwork(network, ranges);
        expect(withoutEnds(readNetwork(writeQdq(quantized)))).toEqual(quantized);
      }),
      { numRuns: 50 },
    );
  });

  test('keeps a bias that would not fit, with a larger weight scale', () => {
    const [network] = fc.sample(float32Networks, { seed: 3, numRuns: 1 });
    const layers = network.layers.map((layer) =>
      isOnArray(layer)
        ? { ...layer, weights: layer.weights.map(() => 0), bias: layer.bias.map(() => -0.75) }
        : layer,
    );
    const quantized = quantizeNetwork(
      { ...network, layers },
      network.tensors.map(() => ({ low: 0, high: 1 })),
    );
    for (const { bias } of arrayLayers(dequantize(quantized))) {
      for (const value of bias) expect(value).toBeCloseTo(-0.75, 6);
    }
  });

  test('refuses weights that are not finite, naming the layer', () => {
    const [network] = fc.sample(float32Networks, { seed: 3, numRuns: 1 });
    const name = arrayLayers(network)[0].name;
    const layers = network.layers.map((layer) =>
      isOnArray(layer) ? { ...layer, weights: layer.weights.map(() => NaN) } : layer,
    );
    const action = () =>
      quantizeNetwork(
        { ...network, layers },
        network.tensors.map(() => ({ low: 0, high: 1 })),
      );
    expect(action).toThrow(ModelError);
    expect(action).toThrow(
      `Layer "${name}" has weights or a bias in channel 0 that are not finite, and cannot be quantised`,
    );
  });

  test('computes what the float32 network computes, within the bound of its rounding errors', async () => {
    await fc.assert(
      fc.asyncProperty(float32Networks, async (network) => {
        const inputs = randomInputs(network, 4, 2);
        const tensors = await everyTensor(network, inputs);
        const calibration = createCalibration(network, { method: 'min-max' });
        for (const [index, values] of tensors.entries()) {
          calibration.observe(index, Float32Array.from(values));
        }
        const quantized = quantizeNetwork(network, calibration.ranges());
        const found = (await runOnnx(writeQdq(quantized), network, inputs, 'all')).get('logits')!;
        const expected = tensors[network.output];
        const bound = errorBound(network, quantized, tensors);
        for (const [index, value] of found.entries()) {
          expect(Math.abs(value - expected[index])).toBeLessThanOrEqual(bound);
        }
      }),
      { numRuns: 40 },
    );
  });
});

/**
 * The largest possible difference between a float32 network's output and its quantised form's. With
 * errors E of the input's values, at most half a scale s_w of the weights and half of s_x·s_w of the
 * bias, a sum over n weights is off by at most ‖w‖₁·E + n·(|x| + E)·s_w/2 + s_x·s_w/2; rounding and the
 * ends of the range add one step of the output. Pooling and flattening add nothing.
 */
function errorBound(
  network: Float32Network,
  quantized: Int8Network,
  tensors: readonly number[][],
): number {
  const step = (tensor: number) => quantized.tensors[tensor].quantization!.scale;
  const errors = [step(network.input)];
  const reals = arrayLayers(network);
  for (const layer of quantized.layers) {
    if (isMoving(layer)) errors.push(errors[inputsOf(layer)[0]]);
    if (!isOnArray(layer)) continue;
    const { weights } = reals.find(({ name }) => name === layer.name)!;
    const window = weights.length / layer.scales.length;
    const error = errors[layer.input];
    const largestInput = Math.max(...tensors[layer.input].map(Math.abs));
    const sums = Array.from(layer.scales, (scale, channel) => {
      const norm = weights
        .subarray(channel * window, (channel + 1) * window)
        .reduce((sum, weight) => sum + Math.abs(weight), 0);
      return (
        norm * error + (window * (largestInput + error) * scale + step(layer.input) * scale) / 2
      );
    });
    errors.push(Math.max(...sums) + step(layer.output));
  }
  // Beside all this, float32 itself rounds.
  return errors[network.output] * 1.001 + 1e-6;
}

/** Values of each tensor, from networks cut after it. */
async function everyTensor(network: Float32Network, inputs: Float32Array): Promise<number[][]> {
  const tensors = [Array.from(inputs)];
  for (const [index, { output }] of network.layers.entries()) {
    const cut = { ...network, layers: network.layers.slice(0, index + 1), output };
    const results = await runOnnx(writeFloat32(cut), network, inputs, 'disabled');
    tensors.push(results.get(network.tensors[output].name)!);
  }
  return tensors;
}

test('dequantize multiplies in float32', () => {
  fc.assert(
    fc.property(int8Networks, (network) => {
      const real = dequantize(network);
      expect(real.checksum).toBe(network.checksum);
      const layers = arrayLayers(real);
      for (const [index, layer] of arrayLayers(network).entries()) {
        const { scale } = network.tensors[layer.input].quantization!;
        const window = layer.weights.length / layer.scales.length;
        for (const [w, weight] of layer.weights.entries()) {
          const channel = Math.floor(w / window);
          const difference = weight - layer.zeroPoints[channel];
          expect(layers[index].weights[w]).toBe(Math.fround(layer.scales[channel] * difference));
        }
        for (const [channel, bias] of layer.bias.entries()) {
          const biasScale = Math.fround(scale * layer.scales[channel]);
          expect(layers[index].bias[channel]).toBe(Math.fround(biasScale * bias));
        }
      }
    }),
  );
});

describe('createCalibration', () => {
  const [network] = fc.sample(float32Networks, { seed: 3, numRuns: 1 });
  const values = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), {
    minLength: 1,
    maxLength: 200,
  });

  function rangeOf(values: readonly number[], percentile?: number) {
    const calibration = createCalibration(
      network,
      percentile === undefined ? { method: 'min-max' } : { method: 'percentile', percentile },
    );
    for (const tensor of network.tensors.keys()) {
      calibration.observe(tensor, Float32Array.from(values));
    }
    return calibration.ranges()[0];
  }

  test('min-max finds the extremes', () => {
    fc.assert(
      fc.property(values, (values) => {
        const sorted = Float32Array.from(values).sort();
        expect(rangeOf(values)).toEqual({ low: sorted[0], high: sorted[sorted.length - 1] });
      }),
    );
  });

  test('percentile lies within a bin beyond the exact percentiles', () => {
    fc.assert(
      fc.property(values, fc.constantFrom(60, 90, 99.9, 100), (values, percentile) => {
        const sorted = Float32Array.from(values).sort();
        const inside = Math.ceil((sorted.length * percentile) / 100);
        const { low, high } = rangeOf(values, percentile);
        const exactHigh = sorted[inside - 1];
        const exactLow = sorted[sorted.length - inside];
        const bin = Math.max(Math.abs(sorted[0]), Math.abs(sorted[sorted.length - 1])) / 4096;
        expect(high).toBeGreaterThanOrEqual(exactHigh);
        expect(high).toBeLessThanOrEqual(exactHigh + bin);
        expect(low).toBeLessThanOrEqual(exactLow);
        expect(low).toBeGreaterThanOrEqual(exactLow - bin);
      }),
      { numRuns: 300 },
    );
  });

  test('percentile does not depend on the order of the values', () => {
    fc.assert(
      fc.property(values, fc.constantFrom(60, 90, 99), (values, percentile) => {
        const sorted = values.toSorted((a, b) => a - b);
        expect(rangeOf(values, percentile)).toEqual(rangeOf(sorted, percentile));
        expect(rangeOf(sorted.toReversed(), percentile)).toEqual(rangeOf(sorted, percentile));
      }),
    );
  });

  test('refuses percentiles out of range, values that are not finite, tensors never seen', () => {
    expect(() => createCalibration(network, { method: 'percentile', percentile: 50 })).toThrow(
      new InputError('The percentile 50 is not above 50 and at most 100'),
    );
    const calibration = createCalibration(network, { method: 'min-max' });
    expect(() => calibration.observe(0, Float32Array.of(1, NaN))).toThrow(
      'net: tensor "input" takes the value NaN, which cannot be quantised',
    );
    expect(() => createCalibration(network, { method: 'min-max' }).ranges()).toThrow(
      'net: no values of tensor "input" were observed',
    );
  });
});
