import { InputError, ModelError, sha256Hex } from '../../core/index.js';
import { writeQdq } from '../export/qdq.js';
import { withRectifiers } from '../import/rectified.js';
import {
  arrayLayers,
  type Float32ArrayLayer,
  type Float32Network,
  type Int8ArrayLayer,
  type Int8Layer,
  type Int8Network,
  isWeighted,
  networkOutputs,
  type Quantization,
} from '../network.js';
import { definitionOf } from '../operators/index.js';
import { type ActivationRange, quantizeRange, SMALLEST_SCALE } from './affine.js';
import { joinRanges } from './join-ranges.js';

/** A bias takes at most half of the accumulator's range and leaves the rest to the products. */
export const LARGEST_BIAS = 2 ** 30;
const LARGEST_WEIGHT = 127;

export const WEIGHT_GRANULARITIES = ['per-channel', 'per-tensor'] as const;

/** Whether each output channel of a layer has a weight scale of its own, or all share one. */
export type WeightGranularity = (typeof WEIGHT_GRANULARITIES)[number];

/**
 * Static post-training quantisation: weights int8, symmetric, one scale per output channel or per
 * layer (largest magnitude / 127); activations uint8, one scale and zero point per tensor, zero
 * exactly representable, ReLU outputs from zero on; biases int32 of scale s_x · s_w[c]
 * (Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
 * Inference", CVPR 2018).
 *
 * Tensors joined by max pooling or flattening share the quantisation of the last of them, because
 * clamping before a maximum is the same as clamping after it. A channel whose bias would not fit
 * gets a larger weight scale. Layers that share weights get the same scales, so that they share the words, too: the
 * largest that one of them needs, or where one reads them transposed one for all channels.
 *
 * @param ranges of each tensor of the network, by index, from a calibration
 * @returns a network with the checksum of its QDQ file
 * @throws InputError when the granularity is unknown
 * @throws ModelError when a weight or bias is not finite
 */
export function quantizeNetwork(
  network: Float32Network,
  ranges: readonly ActivationRange[],
  granularity: WeightGranularity = 'per-channel',
): Int8Network {
  const quantizations = joinRanges(network, ranges).map(quantizeRange);
  const layers = quantizeLayers(network, quantizations, granularity);
  const quantized = {
    ...network,
    format: 'int8' as const,
    tensors: network.tensors.map((tensor, index) => ({
      ...tensor,
      quantization: quantizations[index],
    })),
    layers: network.layers.map((layer) => {
      const own = layers.get(layer.name);
      if (own) return own;
      if (!isWeighted(layer) && definitionOf(layer).int8) return layer;
      throw new ModelError(
        layer.kind === 'affine'
          ? `Layer "${layer.name}" is a batch normalisation that no weights take up, and cannot be quantised`
          : `Layer "${layer.name}" (${layer.kind}) is computed in float32 alone, and cannot be quantised; quantise the ONNX file with onnxruntime's quantize_static`,
      );
    }),
  };
  const { layers: rectified } = withRectifiers({ ...quantized, outputs: networkOutputs(network) });
  return withQdqChecksum({ ...quantized, layers: rectified as Int8Layer[] });
}

/** The same network with the checksum of its QDQ file. */
export function withQdqChecksum(network: Int8Network): Int8Network {
  return { ...network, checksum: sha256Hex(writeQdq(network)) };
}

/**
 * The words of the layers on the array, by their names.
 *
 * @param quantizations of each tensor of the network, by index
 * @throws InputError when the granularity is unknown
 * @throws ModelError when a weight or bias is not finite
 */
export function quantizeLayers(
  network: Float32Network,
  quantizations: readonly Quantization[],
  granularity: WeightGranularity,
): ReadonlyMap<string, Int8ArrayLayer> {
  if (!WEIGHT_GRANULARITIES.includes(granularity)) {
    throw new InputError(
      `Weights cannot be quantised "${granularity}"; choose ${WEIGHT_GRANULARITIES.join(' or ')}`,
    );
  }
  const scales = sharedScales(network, (layer) => {
    const own = weightScales(layer, quantizations[layer.input].scale);
    return granularity === 'per-tensor' ? own.fill(Math.max(...own)) : own;
  });
  return new Map(
    [...scales].map(([layer, own]) => [
      layer.name,
      quantizeLayer(layer, quantizations[layer.input].scale, own),
    ]),
  );
}

/** Weight scales by layer, of those that each layer alone needs: the same where layers share weights. */
function sharedScales(
  network: Float32Network,
  scalesOf: (layer: Float32ArrayLayer) => Float32Array,
): ReadonlyMap<Float32ArrayLayer, Float32Array> {
  const groups = new Map<string, Float32ArrayLayer[]>();
  for (const layer of arrayLayers(network)) {
    const first = layer.sharedWeights?.layer ?? layer.name;
    groups.set(first, [...(groups.get(first) ?? []), layer]);
  }
  const scales = new Map<Float32ArrayLayer, Float32Array>();
  for (const layers of groups.values()) {
    const needed = layers.map(scalesOf);
    // Channels of the one are inputs of the other.
    const acrossChannels = layers.some(({ sharedWeights }) => sharedWeights?.transposed)
      ? Math.max(...needed.map((values) => Math.max(...values)))
      : 0;
    for (const [index, layer] of layers.entries()) {
      const common = needed[index].map((_, channel) =>
        Math.max(acrossChannels, ...needed.map((values) => values[channel] ?? 0)),
      );
      scales.set(layer, common);
    }
  }
  return scales;
}

function quantizeLayer(
  layer: Float32ArrayLayer,
  inputScale: number,
  scales: Float32Array,
): Int8ArrayLayer {
  const channels = scales.length;
  const window = layer.weights.length / channels;
  const weights = new Int8Array(layer.weights.length);
  const bias = new Int32Array(channels);
  for (let channel = 0; channel < channels; channel += 1) {
    for (let index = channel * window; index < (channel + 1) * window; index += 1) {
      const rounded = Math.round(layer.weights[index] / scales[channel]);
      // The rounding of the scale to float32 can put the largest weight a little above 127.
      weights[index] = Math.max(-LARGEST_WEIGHT, Math.min(LARGEST_WEIGHT, rounded));
    }
    bias[channel] = Math.round(layer.bias[channel] / Math.fround(inputScale * scales[channel]));
  }
  return { ...layer, weights, scales, zeroPoints: new Int32Array(channels), bias };
}

/** The smallest scale of each output channel that holds its weights and its bias. */
function weightScales(layer: Float32ArrayLayer, inputScale: number): Float32Array {
  const window = layer.weights.length / layer.bias.length;
  return layer.bias.map((bias, channel) => {
    const largest = layer.weights
      .subarray(channel * window, (channel + 1) * window)
      .reduce((maximum, weight) => Math.max(maximum, Math.abs(weight)), 0);
    if (!Number.isFinite(largest) || !Number.isFinite(bias)) {
      throw new ModelError(
        `Layer "${layer.name}" has weights or a bias in channel ${channel} that are not finite, and cannot be quantised`,
      );
    }
    const forBias = Math.abs(bias) / (inputScale * LARGEST_BIAS);
    return Math.max(largest / LARGEST_WEIGHT, forBias, SMALLEST_SCALE);
  });
}
