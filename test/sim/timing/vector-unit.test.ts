import { expect, test } from 'vitest';
import type { Float32Network, Layer } from '../../../models/index.js';
import { vectorTiming } from '../../../sim/index.js';

const map = { channels: 4, height: 6, width: 6 };
const half = { channels: 4, height: 3, width: 3 };

/** A network of one layer, from tensor 0 (and 1) to tensor 2. */
function networkOf(layer: Layer, output = map): Float32Network {
  return {
    name: 'one layer',
    checksum: '',
    format: 'float32',
    tensors: [
      { name: 'x', shape: map },
      { name: 'y', shape: map },
      { name: 'z', shape: output },
    ],
    input: 0,
    output: 2,
    layers: [layer as Float32Network['layers'][number]],
  };
}

const base = { name: 'layer', input: 0, output: 2 };
const pooling = {
  input: map,
  output: half,
  kernel: [2, 2],
  strides: [2, 2],
  pads: [0, 0, 0, 0],
} as const;
const vector = { channels: 4, height: 1, width: 1 };

test.each<[Layer, typeof map, number]>([
  [{ ...base, kind: 'max-pool', shape: pooling }, half, 36 * 4],
  [{ ...base, kind: 'average-pool', shape: pooling, countIncludePad: false }, half, 36 * 5],
  [{ ...base, kind: 'global-average-pool' }, vector, 144 + 4],
  [{ name: 'layer', kind: 'add', inputs: [0, 1], output: 2, relu: false }, map, 144],
  [{ name: 'layer', kind: 'add', inputs: [0, 1], output: 2, relu: true }, map, 288],
  [{ ...base, kind: 'leaky-relu', alpha: 0.1 }, map, 144],
  [{ ...base, kind: 'clip', low: 0, high: Number.POSITIVE_INFINITY }, map, 144],
  [{ ...base, kind: 'clip', low: 0, high: 6 }, map, 288],
  [{ ...base, kind: 'flatten' }, map, 0],
])('%o', (layer, output, operations) => {
  for (const lanes of [1, 16, 1000]) {
    const cycles = Math.ceil(operations / lanes);
    expect(vectorTiming(networkOf(layer, output), { lanes })).toEqual({
      lanes,
      layers: [{ name: 'layer', kind: layer.kind, operations, cycles }],
      cycles,
    });
  }
});
