import { featureCount } from '../../core/index.js';
import { arrayLayers } from '../../models/index.js';
import type { Datapath, WeightPatches } from '../../sim/index.js';

/** Percentiles that a distribution holds. */
const PERCENTILES = [0.1, 1, 10, 50, 90, 99, 99.9, 99.99] as const;

/** Values between −2^(e+1) and −2^e, 0, or between 2^e and 2^(e+1). */
export interface OctaveCount {
  /** The bound nearer to 0. */
  readonly from: number;
  readonly count: number;
}

/** Accumulators of one layer (bias included, before the activation) on some images, as real numbers for float32 words. */
export interface LayerDistribution {
  readonly name: string;
  /** Finite accumulators. */
  readonly values: number;
  readonly nonFinite: number;
  readonly least: number | null;
  readonly largest: number | null;
  /** By percent; to within 2⁻⁷ of their size. */
  readonly percentiles: Readonly<Record<string, number>>;
  /** Finite values by sign and power of two, ascending; empty ones left out. */
  readonly histogram: readonly OctaveCount[];
  /** Largest finite value of each channel; null: none is finite. */
  readonly channelMaxima: readonly (number | null)[];
  /** Largest finite value of each neuron, in channel, row, column order; null: none is finite. */
  readonly neuronMaxima: readonly (number | null)[];
}

/** Keys of float32 numbers that grow with them: the upper half of their bits, the order of negative ones turned. */
const KEYS = 1 << 16;
const SIGN = 1 << 15;
const bits = new Uint32Array(1);
const real = new Float32Array(bits.buffer);

function keyOf(value: number): number {
  real[0] = value;
  const upper = bits[0] >>> 16;
  return upper & SIGN ? KEYS - 1 - upper : upper | SIGN;
}

/** The number of a key that is nearest to 0. */
function numberOf(key: number): number {
  bits[0] = (key & SIGN ? key ^ SIGN : KEYS - 1 - key) << 16;
  return real[0];
}

interface Collected {
  readonly name: string;
  readonly channels: number;
  readonly positions: number;
  readonly counts: Float64Array;
  /** Position-major. */
  readonly maxima: Float64Array;
  nonFinite: number;
  least: number;
}

/**
 * Distributions of the accumulators of all layers with an activation function.
 *
 * @param images as for `Datapath.run`
 * @param patches faulty words; undefined: none. What clips the datapath has stays as it is
 */
export function accumulatorDistributions(
  datapath: Datapath,
  images: Float32Array,
  count: number,
  patches?: WeightPatches,
): LayerDistribution[] {
  const layers = new Map(
    arrayLayers(datapath.network)
      .filter(({ relu }) => relu)
      .map(({ name, shape: { output } }): [string, Collected] => [
        name,
        {
          name,
          channels: output.channels,
          positions: output.height * output.width,
          counts: new Float64Array(KEYS),
          maxima: new Float64Array(featureCount(output)).fill(-Infinity),
          nonFinite: 0,
          least: Infinity,
        },
      ]),
  );
  datapath.setDisturbance({ weights: patches });
  datapath.run(images, count, {
    accumulators({ name }, values, firstRow, rows, rowStride) {
      const layer = layers.get(name);
      if (!layer) return;
      for (let row = 0; row < rows; row += 1) {
        const position = (firstRow + row) % layer.positions;
        const start = row * rowStride;
        collect(layer, position, values.subarray(start, start + layer.channels));
      }
    },
  });
  return [...layers.values()].map(summarize);
}

function collect(layer: Collected, position: number, values: Int32Array | Float32Array): void {
  const { counts, maxima, channels } = layer;
  for (let channel = 0; channel < channels; channel += 1) {
    const value = values[channel];
    if (!Number.isFinite(value)) {
      layer.nonFinite += 1;
      continue;
    }
    counts[keyOf(value)] += 1;
    const neuron = position * channels + channel;
    if (value > maxima[neuron]) maxima[neuron] = value;
    if (value < layer.least) layer.least = value;
  }
}

function summarize(layer: Collected): LayerDistribution {
  const { name, channels, positions, counts, maxima, nonFinite, least } = layer;
  const values = counts.reduce((sum, count) => sum + count, 0);
  const channelMaxima = Array.from({ length: channels }, (_, channel) => {
    let largest = -Infinity;
    for (let position = 0; position < positions; position += 1) {
      largest = Math.max(largest, maxima[position * channels + channel]);
    }
    return largest;
  });
  const neuronMaxima = Array.from(
    { length: channels * positions },
    (_, neuron) => maxima[(neuron % positions) * channels + Math.floor(neuron / positions)],
  );
  return {
    name,
    values,
    nonFinite,
    least: finite(least),
    largest: finite(Math.max(...channelMaxima)),
    percentiles: percentilesOf(counts, values),
    histogram: octavesOf(counts),
    channelMaxima: channelMaxima.map(finite),
    neuronMaxima: neuronMaxima.map(finite),
  };
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

/** The smallest key below which, itself included, the percent of the values lie. */
function percentilesOf(counts: Float64Array, values: number): Record<string, number> {
  const found: Record<string, number> = {};
  let below = 0;
  let key = -1;
  for (const percent of values > 0 ? PERCENTILES : []) {
    while (below < (percent / 100) * values) {
      key += 1;
      below += counts[key];
    }
    found[percent] = numberOf(key);
  }
  return found;
}

function octavesOf(counts: Float64Array): OctaveCount[] {
  const octaves = new Map<number, number>();
  for (const [key, count] of counts.entries()) {
    if (count === 0) continue;
    const value = numberOf(key);
    const from = value === 0 ? 0 : Math.sign(value) * 2 ** Math.floor(Math.log2(Math.abs(value)));
    octaves.set(from, (octaves.get(from) ?? 0) + count);
  }
  return [...octaves].map(([from, count]) => ({ from, count }));
}
