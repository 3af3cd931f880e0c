import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  arrayLayers,
  type Int8LayerClip,
  type Int8Network,
  quantizedName,
  readNetwork,
  writeClipped,
  writeFloat32,
  writeQdq,
  writeQOperator,
} from '../../models/index.js';
import { withoutEnds } from './ends.js';
import { float32Networks, int8Networks, symmetricInt8Networks } from './networks.js';
import { optimized, randomInputs, runOnnx } from './onnxruntime.js';

const exposed = { exposeLayers: true };

function clipsOf(
  network: Int8Network,
  mode: Int8LayerClip['mode'],
  threshold: number,
): Map<string, Int8LayerClip> {
  return new Map(
    arrayLayers(network).map(({ name, shape }) => [
      name,
      {
        mode,
        position: 'accumulator',
        thresholds: new Int32Array(shape.output.channels).fill(threshold),
      },
    ]),
  );
}

describe('a network survives being written and read', () => {
  test('float32', () => {
    fc.assert(
      fc.property(float32Networks, (network) => {
        const read = readNetwork(writeFloat32(network));
        expect({ ...withoutEnds(read), checksum: '' }).toEqual(network);
      }),
    );
  });

  test('QDQ', () => {
    fc.assert(
      fc.property(int8Networks, (network) => {
        const read = readNetwork(writeQdq(network));
        expect({ ...withoutEnds(read), checksum: '' }).toEqual(network);
      }),
    );
  });

  test('and the bytes are the same each time', () => {
    fc.assert(
      fc.property(int8Networks, (network) => {
        const bytes = writeQdq(network);
        expect(writeQdq(readNetwork(bytes) as Int8Network)).toEqual(bytes);
      }),
      { numRuns: 20 },
    );
  });
});

describe('onnxruntime', () => {
  test('fuses QDQ files wholly into integer operators at its highest level', async () => {
    const edges = ['QuantizeLinear', 'DequantizeLinear'];
    const weighted = ['QLinearConv', 'QGemm'];
    // onnxruntime may choose another order of dimensions for pooling.
    const moving = ['MaxPool', 'NhwcMaxPool', 'Transpose', 'Flatten', 'Reshape'];
    await fc.assert(
      fc.asyncProperty(symmetricInt8Networks, async (network) => {
        const { graph } = await optimized(writeQdq(network));
        const operators = graph.nodes.map(({ opType }) => opType);
        expect(operators.filter((operator) => !moving.includes(operator)).sort()).toEqual(
          [
            ...edges,
            ...arrayLayers(network).map(({ kind }) => weighted[kind === 'convolution' ? 0 : 1]),
          ].sort(),
        );
      }),
      { numRuns: 40 },
    );
  });

  test('computes the same from QOperator form as written and from QDQ form fused', async () => {
    await fc.assert(
      fc.asyncProperty(symmetricInt8Networks, async (network) => {
        const inputs = randomInputs(network, 3, network.tensors[0].quantization!.scale * 300);
        const qOperator = await runOnnx(
          writeQOperator(network, exposed),
          network,
          inputs,
          'disabled',
        );
        const qdq = await runOnnx(writeQdq(network, exposed), network, inputs, 'all');
        expect(qOperator.size).toBe(network.layers.length + 1);
        expect(qdq).toEqual(qOperator);
      }),
      { numRuns: 40 },
    );
  });

  test('computes the same from clipped form when nothing exceeds its threshold', async () => {
    await fc.assert(
      fc.asyncProperty(
        int8Networks,
        fc.constantFrom('clip-zero' as const, 'clamp' as const),
        async (network, mode) => {
          const inputs = randomInputs(network, 3, network.tensors[0].quantization!.scale * 300);
          const clips = clipsOf(network, mode, 2 ** 31 - 1);
          const clipped = writeClipped(network, clips, exposed);
          const expected = await runOnnx(
            writeQOperator(network, exposed),
            network,
            inputs,
            'disabled',
          );
          expect(await runOnnx(clipped, network, inputs, 'disabled')).toEqual(expected);
          expect(await runOnnx(clipped, network, inputs, 'all')).toEqual(expected);
        },
      ),
      { numRuns: 40 },
    );
  });

  test('gives the zero point where every accumulator exceeds its clip-zero threshold', async () => {
    await fc.assert(
      fc.asyncProperty(symmetricInt8Networks, async (network) => {
        const inputs = randomInputs(network, 2, network.tensors[0].quantization!.scale * 300);
        const clipped = writeClipped(network, clipsOf(network, 'clip-zero', -(2 ** 31)), exposed);
        const outputs = await runOnnx(clipped, network, inputs, 'all');
        for (const { output } of arrayLayers(network)) {
          const tensor = network.tensors[output];
          const values = outputs.get(quantizedName(tensor));
          expect(new Set(values)).toEqual(new Set([tensor.quantization!.zeroPoint]));
        }
      }),
      { numRuns: 20 },
    );
  });

  test('with a threshold of 0, clamp leaves no real number above 0', async () => {
    await fc.assert(
      fc.asyncProperty(symmetricInt8Networks, async (network) => {
        const inputs = randomInputs(network, 2, network.tensors[0].quantization!.scale * 300);
        const first = arrayLayers(network)[0];
        const clips = new Map([[first.name, clipsOf(network, 'clamp', 0).get(first.name)!]]);
        const name = quantizedName(network.tensors[first.output]);
        const { zeroPoint } = network.tensors[first.output].quantization!;
        const free = await runOnnx(writeQOperator(network, exposed), network, inputs, 'disabled');
        const clamped = await runOnnx(
          writeClipped(network, clips, exposed),
          network,
          inputs,
          'disabled',
        );
        const expected = free.get(name)!.map((value) => Math.min(value, zeroPoint));
        expect(clamped.get(name)).toEqual(expected);
      }),
      { numRuns: 20 },
    );
  });
});

describe('writers refuse', () => {
  const [network] = fc.sample(
    symmetricInt8Networks.filter((candidate) => arrayLayers(candidate)[0].relu),
    { seed: 1, numRuns: 1 },
  );
  const [first] = arrayLayers(network);

  test('a ReLU output whose zero point is not 0', () => {
    const tensors = network.tensors.map((tensor) => ({
      ...tensor,
      quantization: { scale: 1, zeroPoint: 3 },
    }));
    expect(() => writeQdq({ ...network, tensors })).toThrow(
      `net: layer "${first.name}" ends in a ReLU, but its output has zero point 3, expected 0`,
    );
  });

  test('a tensor that is not quantised', () => {
    const tensors = network.tensors.map(({ name, shape }) => ({ name, shape }));
    expect(() => writeQOperator({ ...network, tensors })).toThrow(
      /^net: tensor ".*" is not quantised$/,
    );
  });

  test('a clip for an unknown layer or another number of channels', () => {
    const clip = {
      mode: 'clamp',
      position: 'accumulator',
      thresholds: new Int32Array(99),
    } as const;
    const { channels, height, width } = first.shape.output;
    expect(() => writeClipped(network, new Map([['conv9', clip]]))).toThrow(
      'net has no layer "conv9" with weights',
    );
    expect(() => writeClipped(network, new Map([[first.name, clip]]))).toThrow(
      `net: layer "${first.name}" has ${channels} channels and ${channels * height * width} neurons, but 99 thresholds`,
    );
  });

  test('two tensors of one name', () => {
    const tensors = network.tensors.map((tensor) => ({ ...tensor, name: 'x' }));
    expect(() => writeQdq({ ...network, tensors })).toThrow(
      'net would use the value name "x" twice or unnamed',
    );
  });
});
