import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { featureCount, fullyConnectedShape } from '../../core/index.js';
import { loadKernels } from '../../kernels/index.js';
import {
  dequantizeWords,
  type Float32Network,
  type Int8Network,
  type IslandLayer,
  type Layer,
  type Network,
  networkInputs,
} from '../../models/index.js';
import {
  createNetworkDatapath,
  createRecording,
  defaultFeatureMapMemory,
  differingLayers,
  placeFeatureMaps,
  recordRun,
  runFrom,
  runPerImage,
  runTransients,
  storedWords,
  type TransientFault,
  transientDisturbance,
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
  bytes: 512,
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

/** A network with another input, which is added behind the island, and two more layers with an output each. */
function withBranches<N extends Network>(network: N): N {
  const tensors = [
    ...network.tensors,
    { name: 'other', shape: TENSORS[3].shape },
    { name: 'sum', shape: TENSORS[3].shape },
    { name: 'mean', shape: { channels: 8, height: 1, width: 1 } },
  ];
  const layers: readonly Layer[] = [
    ...network.layers,
    { kind: 'add', name: 'plus', inputs: [4, 5], output: 6, relu: false },
    { kind: 'global-average-pool', name: 'mean', input: 6, output: 7 },
  ];
  const value = (name: string, tensor: number, dims: readonly number[]) =>
    ({ name, tensor, dims, layout: 'row-major', elementType: 'float32' }) as const;
  return {
    ...network,
    ...{ tensors, layers },
    inputs: [
      { ...value('x', 0, [1, 2, 4, 4]), layout: 'channels-last' },
      value('other', 5, [1, 2, 8, 8]),
    ],
    outputs: [value('z', 4, [1, 2, 8, 8]), value('mean', 7, [1, 8])],
  };
}

const networks = fc.constantFrom<Network>(
  ...[FLOAT, QUANTIZED, withBranches(FLOAT), withBranches(QUANTIZED)],
);
const IMAGES = 5;
const images = numbers(IMAGES * (32 + 128), 4);

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

test('two inputs and two outputs of a sample lie one behind the other', () => {
  const [one, both] = [FLOAT, withBranches(FLOAT)].map((network) =>
    createNetworkDatapath(network, kernels, 2),
  );
  const samples = numbers(3 * (32 + 128), 4);
  const outputs = both.run(samples, 3);
  expect(outputs.length).toBe(3 * (128 + 8));
  for (let sample = 0; sample < 3; sample += 1) {
    const [x, other] = [0, 32].map((start) => samples.subarray(sample * 160 + start));
    const [z, mean] = [0, 128].map((start) => outputs.subarray(sample * 136 + start));
    const alone = one.run(x.slice(0, 32), 1);
    expect(z.slice(0, 128)).toEqual(alone);
    for (let channel = 0; channel < 8; channel += 1) {
      let sum = 0;
      for (let place = channel; place < 128; place += 8) sum += alone[place] + other[place];
      expect(mean[channel]).toBeCloseTo(sum / 16, 4);
    }
  }
});

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

  property.prop([networks, fc.array(fc.nat(), { maxLength: 6 }), fc.integer({ min: 1, max: 3 })], {
    numRuns: 40,
  })(
    'gives each image the outputs that it has alone with its transient faults',
    (network, places, batch) => {
      const datapath = createNetworkDatapath(network, kernels, batch);
      const recording = createRecording(network, IMAGES, Number.POSITIVE_INFINITY);
      const numbered = Uint32Array.from({ length: IMAGES }, (_, image) => image);
      recordRun(datapath, recording, images, numbered);
      const words = storedWords(network as Float32Network);
      const lengths = network.tensors.map(({ shape }) => featureCount(shape));
      const inputs = networkInputs(network).map(({ tensor }) => tensor);
      const faultAt = (place: number): TransientFault => {
        const bit = place % (network.format === 'int8' ? 8 : 31);
        const tensor = [0, 1, 3, ...inputs][place % (3 + inputs.length)];
        return place % 3 === 0
          ? { kind: 'weight', weight: place % words.length, bit }
          : { kind: 'value', tensor, value: place % lengths[tensor], bit };
      };
      const faultsOf = (image: number) =>
        places.filter((_, index) => index % IMAGES === image).map(faultAt);
      const run = { datapath, recording, words, numbers: numbered, faultsOf };
      const outputs = runTransients({ ...run, loadImages: () => images });
      const alone = runPerImage(datapath, images, IMAGES, (image) =>
        transientDisturbance(network, faultsOf(image), words),
      );
      expect(outputs).toEqual(alone);
    },
  );

  property.prop([networks, ...faults], { numRuns: 20 })(
    'gives each image the outputs that it has alone with its weights',
    (network, shares, bit) => {
      const weights = patchesOf(network, shares, bit);
      const datapath = createNetworkDatapath(network, kernels, 3);
      const outputs = runPerImage(datapath, images, IMAGES, (image) =>
        image % 2 === 0 ? { weights } : undefined,
      );
      const clean = datapath.run(images, IMAGES);
      datapath.setDisturbance({ weights });
      const faulty = datapath.run(images, IMAGES);
      const length = outputs.length / IMAGES;
      for (const [index, value] of outputs.entries()) {
        expect(value).toBe((Math.floor(index / length) % 2 === 0 ? faulty : clean)[index]);
      }
    },
  );

  test('has its inputs and what it hands on in the feature-map memory, and no weights', () => {
    const network = withBranches(FLOAT);
    const memory = defaultFeatureMapMemory(network);
    const { tensors } = placeFeatureMaps(network, memory, 'resident');
    expect(tensors.map(({ tensor, layer }) => [tensor, layer])).toEqual([
      [0, undefined],
      [5, undefined],
      [1, 'conv'],
      [3, 'up'],
      [4, 'act'],
      [6, 'plus'],
    ]);
    expect(() => placeFeatureMaps(QUANTIZED, memory, 'resident')).toThrow(
      /^small: tensor "y" holds float32 numbers among int8 values/,
    );
  });
});
