import { weightedLayers } from '../models/index.js';
import type { Datapath } from '../sim/index.js';

/**
 * Clip thresholds from a fault-free profile: for each layer whose outputs pass an activation function,
 * the largest accumulator (bias included) seen on `images`. int8: one per output channel, the
 * recorded integer itself. float32: one for the layer, the ACT_max of FT-ClipAct.
 * Layers without an activation function (the logits) get none.
 *
 * @param images float32, normalised, image × channel × row × column; use training images
 */
export function profileMaxima(
  datapath: Datapath,
  images: Float32Array,
  count: number,
): Record<string, number[]> {
  const { network } = datapath;
  const maxima = new Map(
    weightedLayers(network)
      .filter(({ relu }) => relu)
      .map(({ name, shape }) => [name, new Array<number>(shape.output.channels).fill(-Infinity)]),
  );
  datapath.setPatches(undefined);
  datapath.setActivationUnits(new Map());
  datapath.run(images, count, {
    accumulators(layer, values, _firstRow, rows, rowStride) {
      const largest = maxima.get(layer.name);
      if (!largest) return;
      for (let row = 0; row < rows; row += 1) {
        for (let channel = 0; channel < largest.length; channel += 1) {
          const value = values[row * rowStride + channel];
          if (value > largest[channel]) largest[channel] = value;
        }
      }
    },
  });
  const perLayer = (values: number[]) =>
    network.format === 'int8' ? values : [values.reduce((a, b) => Math.max(a, b))];
  return Object.fromEntries([...maxima].map(([name, values]) => [name, perLayer(values)]));
}
