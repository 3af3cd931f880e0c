import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { fullyConnectedShape } from '../../core/index.js';
import { loadKernels } from '../../kernels/index.js';
import {
  dequantizeWords,
  type Float32Network,
  type Int8Network,
  type IslandLayer,
  type Network,
} from '../../models/index.js';
import {
  createNetworkDatapath,
  createRecording,
  differingLayers,
  recordRun,
  runFrom,
  storedWords,
  type WeightPatches,
  withWords,
} from '../../sim/index.js';
import { ints, islandOf, node, numbers } from './islands.js';

const kernels = loadKernels();

const CONVOLUTION = {
  input: { channels: 2, height: 4, width: 4 },
  output: { channels: 3, height: 4, width: 4 },
  kernel: [3, 3],
  strides: [1, 1],
  pads: [1, 1, 1, 1],
  dilations: [1, 1],
  groups: 1,
} as const;

const { model, feeds, fetches, reasons } = islandOf(
  [node('ConvTranspose', ['c', 'w'], ['y'], { strides: ints(2, 2) })],
  [
    { name: 'c', elementType: 'float32', dims: [1, 3, 4, 4] },
    { name: 'w', elementType: 'float32', dims: [3, 2, 2, 2] },
  ],
  [{ name: 'y', elementType: 'float32', dims: [1, 2, 8, 8] }],
);

const ISLAND: IslandLayer = {
  ...{ kind: 'island', name: 'up', inputs: [1, 2], output: 3, model, fetches, reasons },
  feeds: [{ ...feeds[0], layout: 'channels-last' }, feeds[1]],
  batched: false,
};

const TENSORS = [
  { name: 'x', shape: CONVOLUTION.input },
  { name: 'c', shape: CONVOLUTION.output },
  { name: 'w', shape: { channels: 2, height: 1, width: 12 } },
  { name: 'y', shape: { channels: 8, height: 1, width: 16 } },
  { name: 'z', shape: { channels: 8, height: 1, width: 16 } },
];

const PARTS = {
  ...{ name: 'small', checksum: '', input: 0, output: 4 },
  outputs: [
    { name: 'z', tensor: 4, dims: [1, 2, 8, 8], layout: 'row-major', elementType: 'float32' },
  ],
} as const;

const FLOAT: Float32Network = {
  ...PARTS,
  format: 'float32',
  tensors: TENSORS,
  layers: [
    {
      ...{ kind: 'convolution', name: 'conv', input: 0, output: 1, shape: CONVOLUTION, relu: true },
      ...{ weights: numbers(54), bias: numbers(3) },
    },
    {
      ...{ kind: 'stored-weights', name: 'up.weight', inputs: [], output: 2 },
      ...{ shape: fullyConnectedShape(8, 3), weights: numbers(24, 3) },
    },
    ISLAND,
    { kind: 'leaky-relu', name: 'act', input: 3, output: 4, alpha: 0.25 },
  ],
};

const QUANTIZED: Int8Network = {
  ...PARTS,
  format: 'int8',
  tensors: TENSORS.map((tensor, index) =>
    index === 0 || index === 1
      ? { ...tensor, quantization: { scale: 0.0625, zeroPoint: 128 } }
      : tensor,
  ),
  layers: [
    {
      ...{
        kind: 'convolution',
        name: 'conv',
        input: 0,
        output: 1,
        shape: CONVOLUTION,
        relu: false,
      },
      weights: Int8Array.from(numbers(54, 200)),
      ...{ scales: new Float32Array(3).fill(0.01), zeroPoints: new Int32Array(3) },
      bias: new Int32Array(3),
    },
    {
      ...{ kind: 'stored-weights', name: 'up.weight', inputs: [], output: 2 },
      shape: fullyConnectedShape(8, 3),
      weights: Int8Array.from(numbers(24, 250)),
      ...{ scales: Float32Array.of(0.5, 0.25, 1), zeroPoints: Int32Array.of(0, 3, -1) },
    },
    ISLAND,
    { kind: 'leaky-relu', name: 'act', input: 3, output: 4, alpha: 0.25 },
  ],
};

const networks = fc.constantFrom<Network>(FLOAT, QUANTIZED);
const IMAGES = 5;
const images = numbers(IMAGES * 32, 4);

/** Words that read with one bit inverted, each a share of all. */
function patchesOf(network: Network, shares: readonly number[], bit: number): WeightPatches {
  const words = storedWords(network as Float32Network);
  const bits = network.format === 'int8' ? bit % 8 : bit;
  const weights = Uint32Array.from(
    new Set(shares.map((share) => Math.floor(share * words.length))),
  ).sort();
  return {
    weights,
    words: weights.map((weight) => words[weight] ^ (1 << bits)),
    effectiveFaults: weights.length,
  };
}

const faults = [
  fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), {
    minLength: 1,
    maxLength: 4,
  }),
  fc.integer({ min: 0, max: 31 }),
] as const;

describe('a network with an island', () => {
  test.each([FLOAT, QUANTIZED] as const)('feeds it the weights as they are read', (network) => {
    const seen = new Map<number, Float32Array>();
    const datapath = createNetworkDatapath(network as Network, kernels, 1);
    const observer = {
      tensor: (tensor: number, values: Uint8Array | Float32Array) => {
        if (values instanceof Float32Array) seen.set(tensor, values.slice());
      },
    };
    datapath.run(images, 1, observer);
    const layer = network.layers[1];
    if (layer.kind !== 'stored-weights') throw new Error('no weights');
    expect(seen.get(2)).toEqual('scales' in layer ? dequantizeWords(layer) : layer.weights);
    // The last weight is the last channel's, which all outputs of odd rows and columns of it take.
    const before = seen.get(3);
    const words = storedWords(network as Float32Network);
    const last = words.length - 1;
    const weights = Uint32Array.of(last);
    datapath.setDisturbance({
      weights: { weights, words: Uint32Array.of(words[last] ^ 2), effectiveFaults: 1 },
    });
    datapath.run(images, 1, observer);
    const changed = [...(seen.get(3) ?? [])].flatMap((value, index) =>
      value === before?.[index] ? [] : [index],
    );
    expect(changed.length).toBeGreaterThan(0);
    for (const index of changed) {
      expect(index).toBeGreaterThanOrEqual(64);
      expect([Math.floor(index / 8) % 2, index % 2]).toEqual([1, 1]);
    }
  });

  property.prop([networks, ...faults, fc.integer({ min: 1, max: 4 })], { numRuns: 30 })(
    'gives the same outputs whatever is computed together, and as a network with these words',
    (network, shares, bit, batch) => {
      const patches = patchesOf(network, shares, bit);
      const outputs = [1, batch].map((size) => {
        const datapath = createNetworkDatapath(network, kernels, size);
        datapath.setDisturbance({ weights: patches });
        return datapath.run(images, IMAGES);
      });
      expect(outputs[1]).toEqual(outputs[0]);
      const faulty = withWords(network as Float32Network, patches);
      expect(createNetworkDatapath(faulty, kernels, 2).run(images, IMAGES)).toEqual(outputs[0]);
    },
  );

  property.prop([networks, ...faults, fc.integer({ min: 1, max: 4 })], { numRuns: 30 })(
    'can be started within',
    (network, shares, bit, batch) => {
      const datapath = createNetworkDatapath(network, kernels, batch);
      const recording = createRecording(network, IMAGES, Number.POSITIVE_INFINITY);
      const places = Uint32Array.from({ length: IMAGES }, (_, image) => image);
      recordRun(datapath, recording, images, places);
      const weights = patchesOf(network, shares, bit);
      datapath.setDisturbance({ weights });
      const differing = differingLayers(network, { weights });
      fc.pre(differing !== undefined);
      const outputs = runFrom(datapath, recording, places, differing, () => images);
      expect(outputs).toEqual(datapath.run(images, IMAGES));
    },
  );
});
