import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  applyTable,
  batchNormalizationTable,
  clipTable,
  concatChannels,
  dequantizeStored,
  leakyReluTable,
  mergedQuantization,
  quantizeUint8,
  requantizationTable,
  type StoredQuantization,
} from '../../kernels/index.js';
import type { OnnxNode, OnnxTensor } from '../../models/index.js';
import {
  channelsFirst,
  dequantize,
  type Level,
  node,
  quantizationConstants,
  quantizationNames,
  quantize,
  runGraph,
} from './onnx-graph.js';
import { quantizations, storedValues } from './quantization-arbitraries.js';

const every = Uint8Array.from({ length: 256 }, (_, value) => value);
type Case = ReturnType<typeof quantizations> extends fc.Arbitrary<infer T> ? T : never;

async function allValues(
  { inputs: [x], output, signed }: Case,
  nodes: readonly OnnxNode[],
  level: Level,
  constants: readonly OnnxTensor[] = [],
): Promise<number[]> {
  return await runGraph(
    {
      nodes,
      constants: [
        ...quantizationConstants('x', x),
        ...quantizationConstants('y', output),
        ...constants,
      ],
      inputs: [{ name: 'x', signed, dims: [1, 256, 1, 1], values: every }],
      output: { name: 'y', type: signed ? 'int8' : 'uint8', rank: 4 },
    },
    level,
  );
}

function scalar(name: string, value: number): OnnxTensor {
  return { name, elementType: 'float32', dims: [], data: Float32Array.of(value) };
}

const levels: readonly Level[] = ['disabled', 'all'];
const slope = fc.oneof(fc.constantFrom(0, 0.5, 1, 2), fc.float({ min: 0, max: 2, noNaN: true }));
const bound = fc.oneof(fc.constantFrom(0, 6), fc.float({ min: -300, max: 300, noNaN: true }));

describe('all 256 values equal onnxruntime, fused or not', () => {
  test('leaky ReLU', async () => {
    await fc.assert(
      fc.asyncProperty(quantizations(1), slope, async (quantization, alpha) => {
        const attributes = { alpha: { type: 'float', value: alpha } } as const;
        const operands = ['x', ...quantizationNames('x'), ...quantizationNames('y')];
        const operator = [node('QLinearLeakyRelu', operands, 'y', attributes)];
        const group = [
          dequantize('x'),
          node('LeakyRelu', ['x_real'], 'y_real', attributes),
          quantize('y'),
        ];
        const table = [...leakyReluTable(quantization.inputs[0], quantization.output, alpha)];
        expect(await allValues(quantization, operator, 'disabled')).toEqual(table);
        for (const level of levels) {
          expect(await allValues(quantization, group, level)).toEqual(table);
        }
      }),
      { numRuns: 50 },
    );
  });

  test('ReLU and Clip', async () => {
    await fc.assert(
      fc.asyncProperty(quantizations(1), bound, bound, async (quantization, a, b) => {
        const { inputs, output } = quantization;
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        const bounds = [scalar('low', low), scalar('high', high)];
        const relu = [dequantize('x'), node('Relu', ['x_real'], 'y_real'), quantize('y')];
        const clip = [
          dequantize('x'),
          node('Clip', ['x_real', 'low', 'high'], 'y_real'),
          quantize('y'),
        ];
        for (const level of levels) {
          expect(await allValues(quantization, relu, level)).toEqual([
            ...clipTable(inputs[0], output, 0, Infinity),
          ]);
          expect(await allValues(quantization, clip, level, bounds)).toEqual([
            ...clipTable(inputs[0], output, low, high),
          ]);
        }
      }),
      { numRuns: 50 },
    );
  });

  test('batch normalisation', async () => {
    const positive = fc.float({ min: Math.fround(0.01), max: 4, noNaN: true });
    const real = fc.float({ min: -3, max: 3, noNaN: true });
    const parameters = fc.record({ scale: real, bias: real, mean: real, variance: positive });
    const epsilon = Math.fround(1e-3);
    const nodes = [
      dequantize('x'),
      node('BatchNormalization', ['x_real', 'scale', 'bias', 'mean', 'variance'], 'y_real', {
        epsilon: { type: 'float', value: epsilon },
      }),
      quantize('y'),
    ];
    await fc.assert(
      fc.asyncProperty(
        quantizations(1),
        parameters,
        async ({ inputs, output, signed }, channel) => {
          const graph = {
            nodes,
            constants: [
              ...quantizationConstants('x', inputs[0]),
              ...quantizationConstants('y', output),
              ...Object.entries(channel).map(([name, value]) => ({
                ...scalar(name, value),
                dims: [1],
              })),
            ],
            inputs: [{ name: 'x', signed, dims: [1, 1, 16, 16], values: every }],
            output: { name: 'y', type: signed ? 'int8' : 'uint8', rank: 4 },
          } as const;
          const table = batchNormalizationTable(inputs[0], output, { ...channel, epsilon });
          for (const level of levels) expect(await runGraph(graph, level)).toEqual([...table]);
        },
      ),
      { numRuns: 50 },
    );
  });

  test('another scale and zero point', async () => {
    const group = [
      dequantize('x'),
      node('QuantizeLinear', ['x_real', ...quantizationNames('y')], 'y'),
    ];
    await fc.assert(
      fc.asyncProperty(quantizations(1), async (quantization) => {
        const table = requantizationTable(quantization.inputs[0], quantization.output);
        for (const level of levels) {
          expect(await allValues(quantization, group, level)).toEqual([...table]);
        }
      }),
      { numRuns: 50 },
    );
  });
});

test('two quantisations in succession become one as soon as onnxruntime optimises', async () => {
  const stage = (from: string, name: string, to: string) => [
    node('QuantizeLinear', [from, ...quantizationNames(name)], `${name}_stored`),
    node('DequantizeLinear', [`${name}_stored`, ...quantizationNames(name)], to),
  ];
  const nodes = [
    dequantize('x'),
    ...stage('x_real', 'first', 'between'),
    ...stage('between', 'second', 'y'),
  ];
  await fc.assert(
    fc.asyncProperty(quantizations(2), async ({ inputs, output: x, signed }) => {
      const [first, second] = inputs;
      // Ranges that have only 0 in common would make the scale 0.
      fc.pre(Math.abs(first.zeroPoint - second.zeroPoint) < 255);
      const graph = {
        nodes,
        constants: [
          ...quantizationConstants('x', x),
          ...quantizationConstants('first', first),
          ...quantizationConstants('second', second),
        ],
        inputs: [{ name: 'x', signed, dims: [256], values: every }],
        output: { name: 'y', type: 'float32', rank: 1 },
      } as const;
      const through = (real: number, to: StoredQuantization) =>
        dequantizeStored(quantizeUint8(real, to.scale, to.zeroPoint), to);
      const reals = Array.from(every, (value) => dequantizeStored(value, x));
      expect(await runGraph(graph, 'disabled')).toEqual(
        reals.map((real) => through(through(real, first), second)),
      );
      const merged = mergedQuantization(first, second);
      expect(await runGraph(graph, 'all')).toEqual(reals.map((real) => through(real, merged)));
    }),
    { numRuns: 60 },
  );
});

test('requantisation to the same scale and zero point is the identity', () => {
  fc.assert(
    fc.property(quantizations(1), ({ output }) => {
      const result = new Uint8Array(256);
      applyTable(requantizationTable(output, output), every, result);
      expect(result).toEqual(every);
    }),
  );
});

test('concatenation along channels equals QLinearConcat and a fused Concat', async () => {
  const sizes = fc.integer({ min: 1, max: 5 });
  const cases = fc
    .record({
      quantization: quantizations(3),
      channels: fc.tuple(sizes, sizes, sizes),
      height: sizes,
      width: sizes,
      images: fc.integer({ min: 1, max: 2 }),
      same: fc.boolean(),
    })
    .chain((shape) =>
      fc.record({
        shape: fc.constant(shape),
        values: fc.tuple(
          ...shape.channels.map((channels) =>
            storedValues(channels * shape.height * shape.width * shape.images),
          ),
        ),
      }),
    );
  const inputs = ['a', 'b', 'c'];
  const attributes = { axis: { type: 'int', value: 1 } } as const;
  const operands = inputs.flatMap((name) => [name, ...quantizationNames(name)]);
  const operator = [
    node('QLinearConcat', [...quantizationNames('y'), ...operands], 'y', attributes),
  ];
  const group = [
    ...inputs.map(dequantize),
    node(
      'Concat',
      inputs.map((name) => `${name}_real`),
      'y_real',
      attributes,
    ),
    quantize('y'),
  ];
  await fc.assert(
    fc.asyncProperty(cases, async ({ shape, values }) => {
      const { quantization, channels, height, width, images, same } = shape;
      const { output, signed } = quantization;
      // The first input may be copied as it is.
      const from = quantization.inputs.map((input, part) => (same && part === 0 ? output : input));
      const total = channels.reduce((sum, count) => sum + count, 0);
      const result = new Uint8Array(images * height * width * total);
      concatChannels(
        values.map((values, part) => ({
          values,
          channels: channels[part],
          ...(from[part] !== output && { table: requantizationTable(from[part], output) }),
        })),
        result,
        images * height * width,
      );
      const graph = {
        constants: [
          ...quantizationConstants('y', output),
          ...inputs.flatMap((name, part) => quantizationConstants(name, from[part])),
        ],
        inputs: inputs.map((name, part) => ({
          name,
          signed,
          dims: [images, channels[part], height, width],
          values: channelsFirst(values[part], { channels: channels[part], height, width }),
        })),
        output: { name: 'y', type: signed ? 'int8' : 'uint8', rank: 4 },
      } as const;
      const expected = [...channelsFirst(result, { channels: total, height, width })];
      expect(await runGraph({ ...graph, nodes: operator }, 'disabled')).toEqual(expected);
      expect(await runGraph({ ...graph, nodes: group }, 'all')).toEqual(expected);
    }),
    { numRuns: 50 },
  );
});
