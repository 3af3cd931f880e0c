import {
  type Float32Network,
  type Float32WeightedLayer,
  type Int8Layer,
  type Int8Network,
  type Int8WeightedLayer,
  isWeighted,
} from '../network.js';
import { shareEqualWeights } from '../weights/shared-weights.js';

/**
 * The float32 network that a quantised one stands for: weights fround(scale · (w − zero point)), biases
 * fround(fround(s_x · s_w) · b), activations not quantised. It keeps name, file and checksum. Layers that share words
 * share them still if they dequantise them to the same.
 */
export function dequantize(network: Int8Network): Float32Network {
  const { name, source, checksum, tensors, input, output } = network;
  return {
    format: 'float32',
    name,
    ...(source !== undefined && { source }),
    checksum,
    tensors: tensors.map(({ name, shape }) => ({ name, shape })),
    input,
    output,
    layers: shareEqualWeights(
      network.layers.map((layer) =>
        isWeighted(layer)
          ? dequantizeLayer(layer, tensors[layer.input].quantization?.scale ?? 1)
          : withoutIntegers(layer),
      ),
    ),
  };
}

/** A layer without weights, of a network in which there are no integers that it could leave. */
function withoutIntegers<L extends Exclude<Int8Layer, Int8WeightedLayer>>(layer: L): L {
  if (!('inFloat32' in layer)) return layer;
  const { inFloat32: _, ...rest } = layer;
  return rest as L;
}

function dequantizeLayer(layer: Int8WeightedLayer, inputScale: number): Float32WeightedLayer {
  const { weights: stored, scales, zeroPoints, bias: storedBias, unsignedWeights, ...rest } = layer;
  const window = stored.length / scales.length;
  const weights = new Float32Array(stored.length);
  const bias = new Float32Array(scales.length);
  // All products are exact in float64, so that storing them is the only rounding.
  for (const [channel, scale] of scales.entries()) {
    bias[channel] = Math.fround(inputScale * scale) * storedBias[channel];
    const zeroPoint = zeroPoints[channel];
    for (let index = channel * window; index < (channel + 1) * window; index += 1) {
      weights[index] = scale * (stored[index] - zeroPoint);
    }
  }
  return { ...rest, weights, bias };
}
