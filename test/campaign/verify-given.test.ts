import { expect, test } from 'vitest';
import { cifar10Workload } from '../../campaign/index.js';
import { type Comparison, compareLayer, judge } from '../../campaign/verify/compare.js';
import { verifyGiven } from '../../campaign/verify/file/given.js';
import { fullyConnectedShape } from '../../core/index.js';
import { loadKernels } from '../../kernels/index.js';
import {
  type Int8Network,
  loadCifar10,
  type Quantization,
  readNetwork,
  writeQdq,
  writeQOperator,
} from '../../models/index.js';
import { createNetworkDatapath } from '../../sim/index.js';
import { smallNetwork } from './small-network.js';

const workload = cifar10Workload(loadCifar10({ split: 'test', limit: 3 }));

/** Compares a network with a file that need not be its own. */
async function compare(network: Int8Network, file: Uint8Array) {
  const datapath = createNetworkDatapath(network, loadKernels(), 3);
  return verifyGiven({ network, file, workload, images: 3, threads: 1 }, datapath);
}

/** int8 activations; an average of four of them is often a tie but for the rounding of their scale. */
function averagingNetwork(): Int8Network {
  const signed = (scale: number): Quantization => ({ scale, zeroPoint: 128, signed: true });
  const images = { channels: 3, height: 32, width: 32 };
  const features = { channels: 8, height: 4, width: 4 };
  const pooled = { channels: 8, height: 2, width: 2 };
  const dense = fullyConnectedShape(32, 10);
  const shapes = [images, features, pooled, dense.input, dense.output];
  const scales = [0.02, 0.05, 0.05, 0.05, 1 / 64].map(Math.fround);
  const ramp = (length: number) =>
    Int8Array.from({ length }, (_, index) => ((index * 89) % 256) - 128);
  const weighted = { relu: false, zeroPoints: new Int32Array(8), bias: new Int32Array(8) } as const;
  return {
    ...{ name: 'averages', checksum: '', format: 'int8', input: 0, output: 4 },
    tensors: shapes.map((shape, index) => ({
      ...{ name: `t${index}`, shape, quantization: signed(scales[index]) },
    })),
    layers: [
      {
        ...{ kind: 'convolution', name: 'conv', input: 0, output: 1, ...weighted },
        weights: ramp(8 * 27),
        scales: new Float32Array(8).fill(1 / 512),
        shape: {
          ...{ input: images, output: features, kernel: [3, 3], strides: [8, 8] },
          ...{ pads: [1, 1, 1, 1], dilations: [1, 1], groups: 1 },
        },
      },
      {
        ...{ kind: 'average-pool', name: 'pool', input: 1, output: 2, countIncludePad: false },
        shape: {
          ...{ input: features, output: pooled, kernel: [2, 2], strides: [2, 2] },
          pads: [0, 0, 0, 0],
        },
      },
      { kind: 'flatten', name: 'flatten', input: 2, output: 3 },
      {
        ...{ kind: 'fully-connected', name: 'fc', input: 3, output: 4, relu: false },
        shape: dense,
        weights: ramp(320),
        scales: new Float32Array(10).fill(1 / 1024),
        ...{ zeroPoints: new Int32Array(10), bias: new Int32Array(10) },
      },
    ],
  };
}

test('a file is equal, and one with other weights is not', async () => {
  const network = smallNetwork();
  for (const file of [writeQdq(network), writeQOperator(network)]) {
    const cases = await compare(network, file);
    expect(cases.map(({ name }) => name)).toEqual([
      'the file as given, all',
      'the file as given, disabled',
      'the file as given, inner tensors as outputs, all',
    ]);
    for (const found of cases) {
      expect(found).toMatchObject({ mismatches: 0, exposingChanges: 0, unfused: [] });
    }
    const [all, , inside] = cases;
    expect([all.layers, all.values, all.steps]).toEqual([1, 30, 0]);
    expect(inside.values).toBeGreaterThanOrEqual(3 * (2048 + 2048 + 16 + 10));
  }
  const [first, ...rest] = network.layers;
  if (first.kind !== 'convolution') throw new Error('no convolution first');
  const weights = first.weights.map((weight) => -weight);
  const other = { ...network, layers: [{ ...first, weights }, ...rest] };
  for (const { mismatches } of await compare(network, writeQdq(other))) {
    expect(mismatches).toBeGreaterThan(10);
  }
});

test('int8 averages equal those of the file untouched, which are others when inner tensors are outputs', async () => {
  const written = averagingNetwork();
  const file = writeQdq(written);
  const network = readNetwork(file, 'averages') as Int8Network;
  expect(network.tensors.some(({ quantization }) => quantization?.signed)).toBe(false);
  const [all, , inside] = await compare(network, file);
  expect(all).toMatchObject({ mismatches: 0, steps: 0, unfused: [] });
  expect(inside.exposingChanges).toBeGreaterThan(0);
  expect(inside.unfused).toEqual(['node "conv" (Conv)']);
  // With the rounding of int8 tensors, which are not rewritten, the outputs would differ.
  const [rounded] = await compare(written, file);
  expect(rounded.mismatches).toBeGreaterThan(0);
  expect(rounded.first?.layer).toBe('t4 (output)');
});

function compareValues(ours: readonly number[], theirs: readonly number[], integers: boolean) {
  const comparison: Comparison = new Map();
  const numbers = integers ? Uint8Array : Float32Array;
  compareLayer(comparison, {
    ...{ layer: 'x', order: 0, firstImage: 0, images: 1 },
    shape: { channels: ours.length, height: 1, width: 1 },
    ours: numbers.from(ours),
    theirs: numbers.from(theirs),
  });
  return comparison;
}

test('the step rule allows 2 % of the range, or one integer, and 0.5 % on average', () => {
  const range = [0, 100, ...new Array<number>(98).fill(50)];
  const with_ = (...changed: number[]) => [0, 100, ...changed, ...range.slice(2 + changed.length)];
  const judged = (ours: readonly number[], integers = false) => {
    const { mismatches, steps } = judge(compareValues(ours, range, integers), () => 'step');
    return [mismatches, steps];
  };
  expect(judged(range)).toEqual([0, 0]);
  expect(judged(with_(52, 48))).toEqual([0, 2]);
  expect(judged(with_(53))).toEqual([1, 0]);
  expect(judged(with_(...new Array<number>(25).fill(52)))).toEqual([0, 25]);
  expect(judged(with_(...new Array<number>(26).fill(52)))).toEqual([26, 0]);
  expect(judged(with_(Number.NaN))).toEqual([1, 0]);
  const small = compareValues([1, ...new Array<number>(299).fill(0)], new Array(300).fill(0), true);
  expect(judge(small, () => 'step')).toMatchObject({ mismatches: 1, steps: 0 });
  const wider = compareValues(
    [3, ...new Array<number>(299).fill(0)],
    [2, ...new Array<number>(299).fill(0)],
    true,
  );
  expect(judge(wider, () => 'step')).toMatchObject({ mismatches: 0, steps: 1 });
  // Without the rule, each difference counts.
  expect(judge(compareValues(with_(52, 48), range, true))).toMatchObject({
    ...{ values: 100, mismatches: 2, steps: 0 },
    first: { layer: 'x', channel: 2, bitcell: 52, onnxruntime: 50 },
  });
});
