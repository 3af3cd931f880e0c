import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { featureCount, type PoolingShape } from '../../core/index.js';
import {
  applyTable,
  averagePool,
  globalAveragePool,
  realAveragePool,
  requantizationTable,
  type StoredQuantization,
  wholeWindow,
} from '../../kernels/index.js';
import type { OnnxAttribute } from '../../models/index.js';
import {
  channelsFirst,
  dequantize,
  type Graph,
  node,
  quantizationConstants,
  quantizationNames,
  quantize,
  runGraph,
} from './onnx-graph.js';
import { quantizations, storedValues } from './quantization-arbitraries.js';
import { reference } from './support.js';

interface Axis {
  readonly size: number;
  readonly kernel: number;
  readonly stride: number;
  readonly before: number;
  readonly after: number;
}

const axis: fc.Arbitrary<Axis> = fc
  .record({ size: fc.integer({ min: 1, max: 8 }), kernel: fc.integer({ min: 1, max: 4 }) })
  .chain(({ size, kernel }) =>
    fc.record({
      size: fc.constant(size),
      kernel: fc.constant(Math.min(size, kernel)),
      stride: fc.integer({ min: 1, max: 3 }),
      before: fc.nat({ max: Math.min(size, kernel) - 1 }),
      after: fc.nat({ max: Math.min(size, kernel) - 1 }),
    }),
  );

/** Output positions of ONNX pooling; with ceil_mode a last window must start before the end pad. */
function outputSize({ size, kernel, stride, before, after }: Axis, ceil: boolean): number {
  const steps = (size + before + after - kernel) / stride;
  const positions = (ceil ? Math.ceil(steps) : Math.floor(steps)) + 1;
  return ceil && (positions - 1) * stride >= size + before ? positions - 1 : positions;
}

const poolings = fc
  .record({
    y: axis,
    x: axis,
    channels: fc.integer({ min: 1, max: 17 }),
    images: fc.integer({ min: 1, max: 2 }),
    ceil: fc.boolean(),
    countIncludePad: fc.boolean(),
    quantization: quantizations(1),
  })
  .chain((pooling) => {
    const { channels, y, x, images } = pooling;
    return fc.record({
      pooling: fc.constant(pooling),
      values: storedValues(images * channels * y.size * x.size),
    });
  })
  .map(({ pooling, values }) => {
    const { y, x, channels, ceil } = pooling;
    const shape: PoolingShape = {
      input: { channels, height: y.size, width: x.size },
      output: { channels, height: outputSize(y, ceil), width: outputSize(x, ceil) },
      kernel: [y.kernel, x.kernel],
      strides: [y.stride, x.stride],
      pads: [y.before, x.before, y.after, x.after],
    };
    return { ...pooling, shape, values };
  });

type Pooling = typeof poolings extends fc.Arbitrary<infer T> ? T : never;

/** onnxruntime refuses to average a whole image with other multipliers than these. */
function globalInRange({ shape, quantization }: Pooling): boolean {
  const { height, width } = shape.input;
  const multiplier = quantization.inputs[0].scale / (quantization.output.scale * height * width);
  return multiplier >= 2 ** -32 && multiplier < 256;
}

function isWholeImage({ shape }: Pooling): boolean {
  const { input, kernel } = shape;
  return kernel[0] === input.height && kernel[1] === input.width;
}

function attributes({ shape, ceil, countIncludePad }: Pooling) {
  return {
    kernel_shape: { type: 'ints', value: shape.kernel },
    strides: { type: 'ints', value: shape.strides },
    pads: { type: 'ints', value: shape.pads },
    ceil_mode: { type: 'int', value: Number(ceil) },
    count_include_pad: { type: 'int', value: Number(countIncludePad) },
  } as const;
}

/** The com.microsoft operator, and the group that onnxruntime fuses into it. */
function forms(opType: string, attributes: Readonly<Record<string, OnnxAttribute>>) {
  const operands = ['x', ...quantizationNames('x'), ...quantizationNames('y')];
  return {
    operator: [node(`QLinear${opType}`, operands, 'y', attributes)],
    group: [dequantize('x'), node(opType, ['x_real'], 'y_real', attributes), quantize('y')],
  };
}

function graph(
  { shape, images, values, quantization }: Pooling,
  nodes: Graph['nodes'],
  from: StoredQuantization,
): Graph {
  const { channels, height, width } = shape.input;
  const { output, signed } = quantization;
  return {
    nodes,
    constants: [...quantizationConstants('x', from), ...quantizationConstants('y', output)],
    inputs: [
      {
        name: 'x',
        signed,
        dims: [images, channels, height, width],
        values: channelsFirst(values, shape.input),
      },
    ],
    output: { name: 'y', type: signed ? 'int8' : 'uint8', rank: 4 },
  };
}

describe('equals onnxruntime', () => {
  test('average pooling, ceil_mode, padding counted or not', async () => {
    const averages = poolings.filter((pooling) => !isWholeImage(pooling) || globalInRange(pooling));
    await fc.assert(
      fc.asyncProperty(averages, async (pooling) => {
        const { shape, images, values, quantization, countIncludePad } = pooling;
        const [input] = quantization.inputs;
        const result = new Uint8Array(images * featureCount(shape.output));
        const specification = { shape, input, output: quantization.output, countIncludePad };
        averagePool(specification, values, result, images);
        const expected = [...channelsFirst(result, shape.output)];
        const { operator, group } = forms('AveragePool', attributes(pooling));
        expect(await runGraph(graph(pooling, operator, input), 'disabled')).toEqual(expected);
        expect(await runGraph(graph(pooling, group, input), 'all')).toEqual(expected);
      }),
      { numRuns: 150 },
    );
  });

  test('average pooling left in float32, in the order of operator set 13', async () => {
    const averages = poolings.filter(({ ceil }) => !ceil);
    await fc.assert(
      fc.asyncProperty(averages, async (pooling) => {
        const { shape, images, values, quantization, countIncludePad } = pooling;
        const [input] = quantization.inputs;
        const result = new Uint8Array(images * featureCount(shape.output));
        const specification = { shape, input, output: quantization.output, countIncludePad };
        realAveragePool(specification, 'mlas', values, result, images);
        const { group } = forms('AveragePool', attributes(pooling));
        expect(await runGraph(graph(pooling, group, input), 'disabled')).toEqual([
          ...channelsFirst(result, shape.output),
        ]);
      }),
      { numRuns: 100 },
    );
  });

  test('global average pooling left in float32', async () => {
    const { group } = forms('GlobalAveragePool', {});
    await fc.assert(
      fc.asyncProperty(poolings, async (pooling) => {
        const { shape, images, values, quantization } = pooling;
        const [input] = quantization.inputs;
        const result = new Uint8Array(images * shape.input.channels);
        const whole = { shape: wholeWindow(shape.input), countIncludePad: false };
        const specification = { ...whole, input, output: quantization.output };
        realAveragePool(specification, 'mlas', values, result, images);
        const expected = await runGraph(graph(pooling, group, input), 'disabled');
        expect(expected).toEqual([...result]);
      }),
      { numRuns: 60 },
    );
  });

  test('global average pooling', async () => {
    const { operator, group } = forms('GlobalAveragePool', {});
    await fc.assert(
      fc.asyncProperty(poolings.filter(globalInRange), async (pooling) => {
        const { shape, images, values, quantization } = pooling;
        const [input] = quantization.inputs;
        const result = new Uint8Array(images * shape.input.channels);
        const { output } = quantization;
        globalAveragePool(shape.input, { input, output }, values, result, images);
        expect(await runGraph(graph(pooling, operator, input), 'disabled')).toEqual([...result]);
        expect(await runGraph(graph(pooling, group, input), 'all')).toEqual([...result]);
      }),
      { numRuns: 100 },
    );
  });

  test('global average pooling next to ties', async () => {
    const { operator } = forms('GlobalAveragePool', {});
    const channels = 15;
    const cases = fc.record({
      height: fc.integer({ min: 1, max: 8 }),
      width: fc.integer({ min: 1, max: 8 }),
      unit: fc.integer({ min: 1, max: 17 }),
      half: fc.nat({ max: 7 }),
      scale: fc.float({ min: Math.fround(1e-4), max: 2, noNaN: true }),
      ulps: fc.integer({ min: -1, max: 1 }),
      zeroPoint: fc.nat({ max: 255 }),
      signed: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ height, width, unit, half, scale, ulps, ...to }) => {
        const positions = height * width;
        // The sum `unit` is then worth half + 1/2 output steps, as nearly as float32 can have it.
        const nearest = Math.fround((scale * unit) / (positions * (half + 0.5)));
        const output = { ...to, scale: Math.fround(nearest * (1 + ulps * 2 ** -23)) };
        const input = { scale, zeroPoint: 0, signed: to.signed };
        const shape = { channels, height, width };
        const values = Uint8Array.from({ length: positions * channels }, (_, index) => {
          const sum = ((index % channels) + 1) * unit;
          const position = Math.floor(index / channels);
          return Math.floor(sum / positions) + Number(position < sum % positions);
        });
        const result = new Uint8Array(channels);
        globalAveragePool(shape, { input, output }, values, result, 1);
        const graph: Graph = {
          nodes: operator,
          constants: [...quantizationConstants('x', input), ...quantizationConstants('y', output)],
          inputs: [
            {
              name: 'x',
              signed: to.signed,
              dims: [1, channels, height, width],
              values: channelsFirst(values, shape),
            },
          ],
          output: { name: 'y', type: to.signed ? 'int8' : 'uint8', rank: 4 },
        };
        expect(await runGraph(graph, 'disabled')).toEqual([...result]);
      }),
      { numRuns: 200 },
    );
  });

  test('max pooling of uint8 and int8', async () => {
    await fc.assert(
      fc.asyncProperty(poolings, async (pooling) => {
        const { shape, images, values, quantization } = pooling;
        const result = new Uint8Array(images * featureCount(shape.output));
        reference.maxPool(shape, values, result, images);
        const expected = [...channelsFirst(result, shape.output)];
        const { count_include_pad: _, ...others } = attributes(pooling);
        const operator = [node('MaxPool', ['x'], 'y', others)];
        const group = [
          dequantize('x'),
          node('MaxPool', ['x_real'], 'y_real', others),
          node('QuantizeLinear', ['y_real', ...quantizationNames('x')], 'y'),
        ];
        for (const nodes of [operator, group]) {
          const made = graph(pooling, nodes, quantization.output);
          expect(await runGraph(made, 'disabled')).toEqual(expected);
          expect(await runGraph(made, 'all')).toEqual(expected);
        }
        // Between two quantisations it runs in float32, which keeps the order of the values.
        const [input] = quantization.inputs;
        const requantized = new Uint8Array(result.length);
        applyTable(requantizationTable(input, quantization.output), result, requantized);
        const changing = graph(pooling, [...group.slice(0, 2), quantize('y')], input);
        expect(await runGraph(changing, 'all')).toEqual([
          ...channelsFirst(requantized, shape.output),
        ]);
      }),
      { numRuns: 60 },
    );
  });
});

test('a window of padding alone is refused', () => {
  const shape: PoolingShape = {
    input: { channels: 1, height: 2, width: 2 },
    output: { channels: 1, height: 1, width: 1 },
    kernel: [1, 1],
    strides: [2, 2],
    pads: [1, 0, 0, 0],
  };
  const quantization = { scale: 1, zeroPoint: 0 };
  const specification = {
    shape,
    input: quantization,
    output: quantization,
    countIncludePad: false,
  };
  expect(() => averagePool(specification, new Uint8Array(4), new Uint8Array(1), 1)).toThrow(
    'An average pooling has a window that holds only padding.',
  );
});
