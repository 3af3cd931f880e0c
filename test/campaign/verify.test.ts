import { describe, expect, test } from 'vitest';
import { cifar10Workload } from '../../campaign/index.js';
import {
  describeMismatch,
  type VerificationCase,
  verifyCase,
} from '../../campaign/verify/index.js';
import { loadKernels, requantize } from '../../kernels/index.js';
import {
  arrayLayers,
  decodeOnnx,
  encodeOnnx,
  loadCifar10,
  type OnnxTensor,
  writeQOperator,
} from '../../models/index.js';
import { createNetworkDatapath } from '../../sim/index.js';
import { smallNetwork } from './small-network.js';

const network = smallNetwork();
const workload = cifar10Workload(loadCifar10({ split: 'test', limit: 3 }));
const datapath = createNetworkDatapath(network, loadKernels(), 3);
const layers = arrayLayers(network);

type Change = (tensor: OnnxTensor) => OnnxTensor;

/** Compares the network with a file in which some constants are changed, by name. */
function verifyAgainst(changes: Readonly<Record<string, Change>>) {
  const written = decodeOnnx(writeQOperator(network, { exposeLayers: true }), 'net');
  const initializers = written.graph.initializers.map((tensor) =>
    changes[tensor.name] ? changes[tensor.name](tensor) : tensor,
  );
  const model = { ...written, graph: { ...written.graph, initializers } };
  const verificationCase: VerificationCase = {
    name: 'changed',
    images: 3,
    level: 'disabled',
    qdq: false,
    clips: new Map(),
    writeModel: () => encodeOnnx(model),
  };
  return verifyCase(verificationCase, datapath, { network, workload, threads: 1 });
}

/** Adds to one integer of a constant. */
function adding(index: number, amount: number): Change {
  return (tensor) => {
    if (tensor.elementType !== 'int8' && tensor.elementType !== 'int32') return tensor;
    const data = tensor.data.slice();
    data[index] += amount;
    return { ...tensor, data } as OnnxTensor;
  };
}

test('finds nothing when nothing is changed', async () => {
  const { first, mismatches, values, layers: compared } = await verifyAgainst({});
  expect([first, mismatches]).toEqual([undefined, 0]);
  expect(compared).toBe(network.layers.length);
  expect(values).toBe(3 * (2048 + 2048 + 512 + 512 + 16 + 10));
});

describe('the first difference', () => {
  test('of a changed weight lies in its layer and channel', async () => {
    const layer = layers[1];
    const channel = 5;
    const weight = channel * (layer.weights.length / layer.bias.length);
    const amount = layer.weights[weight] > 0 ? -100 : 100;
    const { first, mismatches } = await verifyAgainst({
      [`${layer.name}.weight`]: adding(weight, amount),
    });
    expect([first?.layer, first?.channel]).toEqual([layer.name, channel]);
    expect(mismatches).toBeGreaterThan(1);
  });

  test.each([
    ['a convolution', layers[1].name],
    ['a fully connected layer', layers[layers.length - 1].name],
  ])(
    'of a changed bias in %s has the accumulator that onnxruntime started from',
    async (_, name) => {
      const layer = layers.find((candidate) => candidate.name === name)!;
      const channel = 3;
      const amount = 100_000;
      const { first } = await verifyAgainst({ [`${name}.bias`]: adding(channel, amount) });
      expect([first?.layer, first?.image, first?.channel]).toEqual([name, 0, channel]);
      const { accumulator, bitcell, onnxruntime } = first!;
      const { value, multiplier, zeroPoint, scale } = accumulator!;
      const low = layer.relu ? zeroPoint : 0;
      expect(requantize(value, multiplier, zeroPoint, low, 255)).toBe(bitcell);
      expect(requantize(value + amount, multiplier, zeroPoint, low, 255)).toBe(onnxruntime);
      expect(scale).toBe(
        Math.fround(network.tensors[layer.input].quantization!.scale * layer.scales[channel]),
      );
    },
  );

  test('is the earliest of several', async () => {
    const { first } = await verifyAgainst({
      [`${layers[3].name}.bias`]: adding(0, 100_000),
      [`${layers[1].name}.bias`]: adding(2, 100_000),
    });
    expect([first?.layer, first?.channel]).toEqual([layers[1].name, 2]);
  });

  test('comes with its neighbours on both sides', async () => {
    const [layer] = layers;
    const { first } = await verifyAgainst({ [`${layer.name}.bias`]: adding(0, 100_000) });
    const { neighbours, y, x, bitcell, onnxruntime } = first!;
    expect(neighbours.along).toBe('positions');
    const [row, column] = [y - neighbours.first[0], x - neighbours.first[1]];
    expect(neighbours.bitcell[row][column]).toBe(bitcell);
    expect(neighbours.onnxruntime[row][column]).toBe(onnxruntime);
    // The whole channel is changed: all neighbours that do not saturate differ as well.
    const pairs = neighbours.bitcell.flatMap((values, index) =>
      values.map((value, place) => [value, neighbours.onnxruntime[index][place]]),
    );
    expect(pairs.length).toBeGreaterThanOrEqual(9);
    expect(pairs.every(([ours, theirs]) => theirs > ours || ours === 255)).toBe(true);
  });

  test('reads as the place, the accumulator and the neighbours', () => {
    const difference = {
      layer: 'fc',
      image: 7,
      channel: 1,
      y: 0,
      x: 0,
      bitcell: 10,
      onnxruntime: 11,
      isInteger: true,
      neighbours: {
        along: 'channels',
        first: [0, 0],
        bitcell: [[1, 10, 255]],
        onnxruntime: [[1, 11, 255]],
      },
      accumulator: { value: -35, scale: 0.5, multiplier: 0.25, zeroPoint: 19 },
    } as const;
    expect(describeMismatch('clean', difference)).toBe(
      [
        'clean: layer fc, image 7, channel 1, position (0, 0): Bitcell 10, onnxruntime 11',
        "  Bitcell's accumulator -35 (scale 0.5) times 0.25 is -8.75, before rounding and zero point 19",
        '  around it, channels 0 to 2, Bitcell | onnxruntime:',
        '           1  10 255  |   1  11 255',
      ].join('\n'),
    );
  });
});
