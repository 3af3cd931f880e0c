import { type Int8ArrayLayer, type Int8Layer, type Int8Network, isOnArray } from '../network.js';
import { LARGEST_BIAS, withQdqChecksum } from './quantize.js';

/** Means of what was added, one per channel; sums are float64. */
export interface ChannelMeans {
  /** Add `rows` rows; `values[row * rowStride + channel]`. */
  add(values: Int32Array | Float32Array, rows: number, rowStride: number): void;
  means(): Float64Array;
}

export function createChannelMeans(channels: number): ChannelMeans {
  const sums = new Float64Array(channels);
  let count = 0;
  return {
    add(values, rows, rowStride) {
      for (let row = 0; row < rows; row += 1) {
        const start = row * rowStride;
        for (let channel = 0; channel < channels; channel += 1) {
          sums[channel] += values[start + channel];
        }
      }
      count += rows;
    },
    means: () => sums.map((sum) => sum / count),
  };
}

/**
 * Empirical bias correction (Nagel et al., "Data-Free Quantization Through Weight Equalization and
 * Bias Correction", ICCV 2019, section 4.2 and its appendix on data): quantisation shifts the mean of
 * each output channel; the opposite of that shift is added to the channel's bias. Layers are
 * corrected in network order, each with the corrected layers before it. The means are those of the
 * sums before activation function and requantisation, which move with the bias by exactly as much; so
 * the shift that remains is at most half a unit of the accumulator, unless the bias saturates at ±2³⁰.
 *
 * @param expected means of each layer's sums in the float32 network, bias included, by layer name
 * @param measure means of a layer's accumulators, bias included, in the network given, one per
 * output channel, over the same images
 * @returns a network with the checksum of its QDQ file
 */
export function correctBiases(
  network: Int8Network,
  expected: ReadonlyMap<string, Float64Array>,
  measure: (network: Int8Network, layer: Int8ArrayLayer) => Float64Array,
): Int8Network {
  return withQdqChecksum({ ...network, layers: correctedLayers(network, expected, measure) });
}

/** The layers of `correctBiases`. */
export function correctedLayers(
  network: Int8Network,
  expected: ReadonlyMap<string, Float64Array>,
  measure: (network: Int8Network, layer: Int8ArrayLayer) => Float64Array,
): readonly Int8Layer[] {
  let { layers } = network;
  for (const [index, layer] of layers.entries()) {
    const means = expected.get(layer.name);
    // What adds a float32 bias behind the accumulator has no integers to correct.
    if (!isOnArray(layer) || !means || layer.realBias) continue;
    const measured = measure({ ...network, layers }, layer);
    const inputScale = network.tensors[layer.input].quantization?.scale ?? 1;
    const bias = layer.bias.map((value, channel) => {
      const unit = Math.fround(inputScale * layer.scales[channel]);
      const corrected = value + Math.round(means[channel] / unit - measured[channel]);
      return Math.max(-LARGEST_BIAS, Math.min(LARGEST_BIAS, corrected));
    });
    layers = layers.with(index, { ...layer, bias });
  }
  return layers;
}
