import {
  type Float32ArrayLayer,
  type Float32Layer,
  type Float32Network,
  type Int8ArrayLayer,
  type Int8Layer,
  type Int8Network,
  type Int8Words,
  isOnArray,
} from '../network.js';
import { shareEqualWeights } from '../weights/shared-weights.js';

/**
 * The float32 network that a quantised one stands for: weights fround(scale · (w − zero point)), biases
 * fround(fround(s_x · s_w) · b), activations not quantised. It keeps name, file and checksum. Layers that share words
 * share them still if they dequantise them to the same.
 */
export function dequantize(network: Int8Network): Float32Network {
  const { name, source, checksum, tensors, input, output, inputs, outputs } = network;
  return {
    format: 'float32',
    name,
    ...(source !== undefined && { source }),
    checksum,
    tensors: tensors.map(({ name, shape }) => ({ name, shape })),
    input,
    output,
    ...(inputs && { inputs }),
    ...(outputs && { outputs }),
    layers: shareEqualWeights(
      network.layers.map((layer) =>
        isOnArray(layer)
          ? dequantizeLayer(layer, tensors[layer.input].quantization?.scale ?? 1)
          : withoutIntegers(layer),
      ),
    ),
  };
}

/** A layer without a product, of a network in which there are no integers that it could leave or make. */
function withoutIntegers(layer: Exclude<Int8Layer, Int8ArrayLayer>): Float32Layer {
  switch (layer.kind) {
    case 'stored-weights': {
      const { scales: _, zeroPoints, unsignedWeights, ...rest } = layer;
      return { ...rest, weights: dequantizeWords(layer) };
    }
    case 'quantize':
    case 'dequantize':
    case 'grid': {
      const { name, input, output } = layer;
      return { kind: 'part', name, input, output, start: 0 };
    }
    case 'add':
    case 'average-pool':
    case 'global-average-pool': {
      const { inFloat32: _, ...rest } = layer;
      return rest;
    }
    default:
      return layer;
  }
}

function dequantizeLayer(layer: Int8ArrayLayer, inputScale: number): Float32ArrayLayer {
  const { scales, zeroPoints: _, bias: stored, unsignedWeights, realBias, ...rest } = layer;
  // All products are exact in float64, so that storing them is the only rounding.
  const bias = scales.map((scale, channel) => Math.fround(inputScale * scale) * stored[channel]);
  return {
    ...rest,
    weights: dequantizeWords(layer),
    bias: realBias ? bias.map((value, channel) => value + realBias[channel]) : bias,
  };
}

/** The real numbers that words stand for: fround(scale · (w − zero point)). */
export function dequantizeWords({ weights: stored, scales, zeroPoints }: Int8Words): Float32Array {
  const window = stored.length / scales.length;
  const weights = new Float32Array(stored.length);
  for (const [channel, scale] of scales.entries()) {
    const zeroPoint = zeroPoints[channel];
    for (let index = channel * window; index < (channel + 1) * window; index += 1) {
      weights[index] = scale * (stored[index] - zeroPoint);
    }
  }
  return weights;
}
