import { featureCount } from '../../core/index.js';
import { arrayLayers, type WeightedLayer } from '../../models/index.js';
import type { Datapath } from '../../sim/index.js';
import { coarsenMaxima, type Granularity, PROFILE_GRANULARITY } from './granularity.js';

/**
 * Clip thresholds from a fault-free profile: for each layer whose outputs pass an activation function,
 * the largest accumulator (bias included) seen on `images`. int8: for a neuron or a channel the recorded integer
 * itself, for a layer what ACT_max is in each channel. float32: as many numbers as the granularity has, for a layer
 * FT-ClipAct's ACT_max. Layers without an activation function (the logits) get none.
 *
 * @param images float32, normalised, image × channel × row × column; use training images
 * @param granularity default: `PROFILE_GRANULARITY` of the word format
 * @returns by layer name; neurons in channel, row, column order
 */
export function profileMaxima(
  datapath: Datapath,
  images: Float32Array,
  count: number,
  granularity: Granularity = PROFILE_GRANULARITY[datapath.network.format],
): Record<string, readonly number[]> {
  const { network } = datapath;
  const layers = arrayLayers(network).filter(({ relu }) => relu);
  const maxima = new Map(
    layers.map(({ name, shape }) => [
      name,
      new Float64Array(featureCount(shape.output)).fill(-Infinity),
    ]),
  );
  datapath.setDisturbance(undefined);
  datapath.setActivationUnits(new Map());
  datapath.run(images, count, {
    accumulators(layer, ...block) {
      const largest = maxima.get(layer.name);
      if (largest) collect(layer, largest, ...block);
    },
  });
  return Object.fromEntries(
    [...maxima].map(([name, largest]) => [
      name,
      coarsenMaxima(network, name, Array.from(largest), 'neuron', granularity),
    ]),
  );
}

/** @param largest of each neuron, in channel, row, column order */
function collect(
  { shape: { output } }: WeightedLayer,
  largest: Float64Array,
  values: Int32Array | Float32Array,
  firstRow: number,
  rows: number,
  rowStride: number,
): void {
  const positions = output.height * output.width;
  for (let row = 0; row < rows; row += 1) {
    let neuron = (firstRow + row) % positions;
    for (let channel = 0; channel < output.channels; channel += 1, neuron += positions) {
      const value = values[row * rowStride + channel];
      if (value > largest[neuron]) largest[neuron] = value;
    }
  }
}
