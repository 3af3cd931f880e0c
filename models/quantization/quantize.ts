import { ModelError, sha256Hex } from '../../core/index.js';
import { writeQdq } from '../export/qdq.js';
import {
  type Float32Network,
  type Float32WeightedLayer,
  type Int8Network,
  type Int8WeightedLayer,
  isWeighted,
  type Quantization,
} from '../network.js';
import type { ActivationRange } from './calibration.js';
import { joinRanges } from './join-ranges.js';

/** Scales never fall below this, so that products of scales stay normal float32 numbers. */
const SMALLEST_SCALE = 2 ** -40;
/** A bias takes at most half of the accumulator's range and leaves the rest to the products. */
const LARGEST_BIAS = 2 ** 30;
const LARGEST_WEIGHT = 127;
const LARGEST_ACTIVATION = 255;

/**
 * Static post-training quantisation: weights int8, symmetric, one scale per output channel (largest
 * magnitude / 127); activations uint8, one scale and zero point per tensor, zero exactly
 * representable, ReLU outputs from zero on; biases int32 of scale s_x · s_w[c]
 * (Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
 * Inference", CVPR 2018).
 *
 * Tensors joined by max pooling or flattening share one quantisation. A channel whose bias would not fit
 * gets a larger weight scale.
 *
 * @param ranges of each tensor of the network, by index, from a calibration
 * @returns a network with the checksum of its QDQ file
 * @throws ModelError when a weight or bias is not finite
 */
export function quantizeNetwork(
  network: Float32Network,
  ranges: readonly ActivationRange[],
): Int8Network {
  const quantizations = joinRanges(network, ranges).map(({ low, high }) =>
    quantizeRange(low, high),
  );
  const quantized: Int8Network = {
    ...network,
    format: 'int8',
    checksum: '',
    tensors: network.tensors.map((tensor, index) => ({
      ...tensor,
      quantization: quantizations[index],
    })),
    layers: network.layers.map((layer) => {
      if (isWeighted(layer)) return quantizeLayer(layer, quantizations[layer.input].scale);
      if (layer.kind !== 'affine') return layer;
      throw new ModelError(
        `Layer "${layer.name}" is a batch normalisation that no weights take up, and cannot be quantised`,
      );
    }),
  };
  return { ...quantized, checksum: sha256Hex(writeQdq(quantized)) };
}

/** The affine map of [low, high], widened to contain 0, onto 0…255. */
function quantizeRange(low: number, high: number): Quantization {
  const bottom = Math.min(low, 0);
  const top = Math.max(high, 0);
  // A tensor that is always 0 is taken for one from 0 to 1: a useful scale for the next layer's bias.
  if (top === bottom) return quantizeRange(0, 1);
  const scale = Math.fround(Math.max((top - bottom) / LARGEST_ACTIVATION, SMALLEST_SCALE));
  // 0 − bottom, unlike −bottom, is never −0.
  return { scale, zeroPoint: Math.min(Math.round((0 - bottom) / scale), LARGEST_ACTIVATION) };
}

function quantizeLayer(layer: Float32WeightedLayer, inputScale: number): Int8WeightedLayer {
  const channels = layer.shape.output.channels;
  const window = layer.weights.length / channels;
  const scales = new Float32Array(channels);
  const weights = new Int8Array(layer.weights.length);
  const bias = new Int32Array(channels);
  for (let channel = 0; channel < channels; channel += 1) {
    const start = channel * window;
    const end = start + window;
    const largest = layer.weights
      .subarray(start, end)
      .reduce((maximum, weight) => Math.max(maximum, Math.abs(weight)), 0);
    if (!Number.isFinite(largest) || !Number.isFinite(layer.bias[channel])) {
      throw new ModelError(
        `Layer "${layer.name}" has weights or a bias in channel ${channel} that are not finite, and cannot be quantised`,
      );
    }
    scales[channel] = Math.max(
      largest / LARGEST_WEIGHT,
      Math.abs(layer.bias[channel]) / (inputScale * LARGEST_BIAS),
      SMALLEST_SCALE,
    );
    for (let index = start; index < end; index += 1) {
      const rounded = Math.round(layer.weights[index] / scales[channel]);
      // The rounding of the scale to float32 can put the largest weight a little above 127.
      weights[index] = Math.max(-LARGEST_WEIGHT, Math.min(LARGEST_WEIGHT, rounded));
    }
    bias[channel] = Math.round(layer.bias[channel] / Math.fround(inputScale * scales[channel]));
  }
  return { ...layer, weights, scales, zeroPoints: new Int32Array(channels), bias };
}
