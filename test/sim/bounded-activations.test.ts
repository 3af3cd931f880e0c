import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { addFloat32, loadKernels } from '../../kernels/index.js';
import type { Float32ArrayLayer, Float32Network } from '../../models/index.js';
import { createNetworkDatapath } from '../../sim/index.js';
import { createGraphBuilder, xorshift } from '../../testing/index.js';

const INPUT = { channels: 3, height: 4, width: 5 };
const LENGTH = 60;

const numbers = fc.float({ noDefaultInfinity: false, noNaN: false });

/** A convolution of 5 channels. */
function datapathOf(upper: number | undefined, relu: boolean, seed: number) {
  const graph = createGraphBuilder('bounded', INPUT, xorshift(seed));
  const bound = upper === undefined ? {} : { upper };
  const network = graph.finish(graph.convolution(0, { outputs: 5, kernel: 3, relu, ...bound }));
  return createNetworkDatapath(network, loadKernels(), 1);
}

describe('the bound of an activation such as ReLU6', () => {
  test.prop([
    fc.oneof(fc.constantFrom(6, 0, -0, -1, 0.1), fc.double({ noNaN: true })),
    fc.boolean(),
    fc.array(fc.oneof(numbers, fc.double({ min: -9, max: 9 })), {
      minLength: LENGTH,
      maxLength: LENGTH,
    }),
    fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  ])('is what it is behind the layer, to the bit', (upper, relu, values, seed) => {
    const image = Float32Array.from(values);
    const free = datapathOf(undefined, relu, seed).run(image, 1);
    const expected = free.map((value) => (value >= upper ? upper : value));
    const datapath = datapathOf(upper, relu, seed);
    expect(datapath.run(image, 1)).toEqual(expected);
    // A clip takes the place of the bound in the kernel, and leaves it to what is behind.
    const name = (datapath.network as Float32Network).layers[0].name;
    const { bias } = datapath.network.layers[0] as Float32ArrayLayer;
    const thresholds = new Float32Array(bias.length).fill(Infinity);
    const clip = { mode: 'clamp', thresholds } as const;
    datapath.setActivationUnits(new Map([[name, { format: 'float32', clip }]]));
    expect(datapath.run(image, 1)).toEqual(expected);
    datapath.setActivationUnits(new Map());
    expect(datapath.run(image, 1)).toEqual(expected);
  });
});

describe('a sum with a ReLU', () => {
  test.prop([fc.array(fc.tuple(numbers, numbers))])('is 0 unless it is above', (pairs) => {
    const [a, b] = [0, 1].map((side) => Float32Array.from(pairs, (pair) => pair[side]));
    const output = new Float32Array(pairs.length);
    addFloat32(a, b, output, true);
    const sums = a.map((value, index) => value + b[index]);
    expect(output).toEqual(sums.map((sum) => (sum <= 0 ? 0 : sum)));
  });
});
