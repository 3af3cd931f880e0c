import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createQuantizedSoftmax,
  groupingAlong,
  normalizeGroups,
  normalizeResponse,
  placeOfExtreme,
  placesOf,
  REDUCTIONS,
  type ReductionName,
  reduceGroups,
  rowMajorSteps,
  softmaxGroups,
} from '../../kernels/index.js';
import {
  dequantize,
  node,
  quantizationConstants,
  quantizationNames,
  quantize,
  runFloat32,
  runGraph,
} from './onnx-graph.js';
import { quantizations } from './quantization-arbitraries.js';

const count = (dims: readonly number[]) => dims.reduce((product, size) => product * size, 1);
const int = (value: number) => ({ type: 'int', value }) as const;
const float = (value: number) => ({ type: 'float', value: Math.fround(value) }) as const;

const dims = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 });

/** A tensor, and some of its axes. */
const tensors = dims.chain((dims) =>
  fc.record({
    dims: fc.constant(dims),
    axes: fc.subarray([...dims.keys()], { minLength: 1 }),
    values: fc
      .array(fc.float({ min: -10, max: 10, noNaN: true }), {
        minLength: count(dims),
        maxLength: count(dims),
      })
      .map((values) => Float32Array.from(values)),
  }),
);

function expectClose(result: ArrayLike<number>, expected: readonly number[], bound: number): void {
  expect(result.length).toBe(expected.length);
  const largest = Math.max(1, ...expected.map(Math.abs));
  const distances = expected.map((value, index) => Math.abs(value - result[index]) / largest);
  expect(Math.max(0, ...distances)).toBeLessThanOrEqual(bound);
}

test('groups hold every value once, in order', () => {
  fc.assert(
    fc.property(tensors, ({ dims, axes }) => {
      const { starts, members } = groupingAlong(dims, axes);
      const places = [...starts].flatMap((start) => [...members].map((member) => start + member));
      expect([...places].sort((a, b) => a - b)).toEqual([...Array(count(dims)).keys()]);
      expect([...starts]).toEqual([...starts].sort((a, b) => a - b));
      expect([...members]).toEqual([...members].sort((a, b) => a - b));
      expect([...placesOf(dims, rowMajorSteps(dims))]).toEqual([...Array(count(dims)).keys()]);
    }),
  );
});

const REDUCERS: Readonly<Record<ReductionName, string>> = {
  mean: 'ReduceMean',
  sum: 'ReduceSum',
  maximum: 'ReduceMax',
  minimum: 'ReduceMin',
  product: 'ReduceProd',
  l1: 'ReduceL1',
  l2: 'ReduceL2',
  'sum-of-squares': 'ReduceSumSquare',
  'log-of-sum': 'ReduceLogSum',
};

describe('reductions against onnxruntime', () => {
  test('along any axes', async () => {
    const names = Object.keys(REDUCTIONS) as ReductionName[];
    await fc.assert(
      fc.asyncProperty(tensors, fc.constantFrom(...names), async ({ dims, axes, values }, name) => {
        const x = name === 'log-of-sum' ? values.map((value) => Math.abs(value) + 1) : values;
        const groups = groupingAlong(dims, axes);
        const output = new Float32Array(groups.starts.length);
        // Products of hundreds of numbers leave float32.
        if (name === 'product' && groups.members.length > 20) return;
        reduceGroups(name, groups, x, output, 1);
        const expected = await runFloat32(
          {
            nodes: [node(REDUCERS[name], ['x', 'axes'], 'y')],
            constants: [
              {
                name: 'axes',
                elementType: 'int64',
                dims: [axes.length],
                data: BigInt64Array.from(axes, BigInt),
              },
            ],
          },
          [{ name: 'x', dims, values: x }],
          { name: 'y', type: 'float32', rank: dims.length },
        );
        const exact = name === 'maximum' || name === 'minimum';
        expectClose(output, expected, exact ? 0 : 2 ** -18);
      }),
      { numRuns: 150 },
    );
  });

  test('ArgMax and ArgMin, the first or the last', async () => {
    await fc.assert(
      fc.asyncProperty(
        tensors,
        fc.boolean(),
        fc.boolean(),
        async ({ dims, axes: [axis], values }, least, last) => {
          // Few different numbers, so that there are equal ones.
          const x = values.map((value) => Math.round(value / 4));
          const groups = groupingAlong(dims, [axis]);
          const output = new Float32Array(groups.starts.length);
          placeOfExtreme(groups, { least, last }, x, output, 1);
          const attributes = { axis: int(axis), select_last_index: int(last ? 1 : 0) };
          const expected = await runFloat32(
            {
              nodes: [
                node(least ? 'ArgMin' : 'ArgMax', ['x'], 'place', attributes),
                node('Cast', ['place'], 'y', { to: int(1) }),
              ],
            },
            [{ name: 'x', dims, values: x }],
            { name: 'y', type: 'float32', rank: dims.length },
          );
          expect([...output]).toEqual(expected);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('softmax against onnxruntime', () => {
  for (const opType of ['Softmax', 'LogSoftmax']) {
    test(opType, async () => {
      await fc.assert(
        fc.asyncProperty(tensors, async ({ dims, axes: [axis], values }) => {
          const output = new Float32Array(values.length);
          softmaxGroups(groupingAlong(dims, [axis]), opType === 'LogSoftmax', values, output, 1);
          const expected = await runFloat32(
            { nodes: [node(opType, ['x'], 'y', { axis: int(axis) })] },
            [{ name: 'x', dims, values }],
            { name: 'y', type: 'float32', rank: dims.length },
          );
          expectClose(output, expected, 2 ** -22);
        }),
        { numRuns: 60 },
      );
    });
  }

  test('QLinearSoftmax and a fused DequantizeLinear-Softmax-QuantizeLinear group', async () => {
    const names = ['x', 'y'].flatMap(quantizationNames);
    await fc.assert(
      fc.asyncProperty(
        tensors,
        quantizations(1),
        fc.oneof(
          fc.constantFrom(1 / 256, 1 / 255, 1 / 127),
          fc.double({ min: 1e-4, max: 0.1, noNaN: true }),
        ),
        async (
          { dims, axes: [axis], values },
          { inputs: [input], output: drawn, signed },
          scale,
        ) => {
          const output = { ...drawn, scale: Math.fround(scale) };
          const x = Uint8Array.from(values, (value) => (value + 10) * 12.75);
          const result = new Uint8Array(x.length);
          const softmax = createQuantizedSoftmax(groupingAlong(dims, [axis]), { input, output });
          softmax(x, result, 1);
          const graph = {
            constants: [
              ...quantizationConstants('x', input),
              ...quantizationConstants('y', output),
            ],
            inputs: [{ name: 'x', signed, dims, values: x }],
            output: { name: 'y', type: signed ? 'int8' : 'uint8', rank: dims.length },
          } as const;
          const attributes = { axis: int(axis), opset: int(13) };
          const nodes = [node('QLinearSoftmax', ['x', ...names], 'y', attributes)];
          expect(await runGraph({ ...graph, nodes }, 'disabled')).toEqual([...result]);
          const group = [
            dequantize('x'),
            node('Softmax', ['x_real'], 'y_real', { axis: int(axis) }),
            quantize('y'),
          ];
          expect(await runGraph({ ...graph, nodes: group }, 'all')).toEqual([...result]);
        },
      ),
      { numRuns: 150 },
    );
  });
});

const maps = fc
  .record({
    channels: fc.integer({ min: 1, max: 6 }),
    height: fc.integer({ min: 1, max: 5 }),
    width: fc.integer({ min: 1, max: 5 }),
    seed: fc.infiniteStream(fc.float({ min: -5, max: 5, noNaN: true })),
  })
  .map(({ channels, height, width, seed }) => {
    const draw = (length: number) =>
      Float32Array.from({ length }, () => seed.next().value as number);
    return {
      dims: [2, channels, height, width],
      values: draw(2 * channels * height * width),
      scale: draw(channels),
      bias: draw(channels),
      per: { scale: draw(width), bias: draw(width) },
    };
  });

const parameter = (name: string, data: Float32Array) =>
  ({ name, elementType: 'float32', dims: [data.length], data }) as const;

describe('normalisations against onnxruntime', () => {
  test('InstanceNormalization', async () => {
    await fc.assert(
      fc.asyncProperty(maps, async ({ dims, values, scale, bias }) => {
        const [images, channels, height, width] = dims;
        const output = new Float32Array(values.length);
        const normalization = {
          groups: groupingAlong([channels, height, width], [1, 2]),
          epsilon: 1e-3,
          parameterOf: placesOf([channels, height, width], [1, 0, 0]),
          factors: scale,
          offsets: bias,
        };
        normalizeGroups(normalization, values, output, images);
        const expected = await runFloat32(
          {
            nodes: [
              node('InstanceNormalization', ['x', 'scale', 'bias'], 'y', { epsilon: float(1e-3) }),
            ],
            constants: [parameter('scale', scale), parameter('bias', bias)],
          },
          [{ name: 'x', dims, values }],
          { name: 'y', type: 'float32', rank: 4 },
        );
        expectClose(output, expected, 2 ** -14);
      }),
      { numRuns: 40 },
    );
  });

  test('LayerNormalization', async () => {
    await fc.assert(
      fc.asyncProperty(maps, async ({ dims, values, per }) => {
        const output = new Float32Array(values.length);
        const normalization = {
          groups: groupingAlong(dims, [3]),
          epsilon: 1e-3,
          parameterOf: placesOf(dims, [0, 0, 0, 1]),
          factors: per.scale,
          offsets: per.bias,
        };
        normalizeGroups(normalization, values, output, 1);
        const expected = await runFloat32(
          {
            nodes: [
              node('LayerNormalization', ['x', 'scale', 'bias'], 'y', { epsilon: float(1e-3) }),
            ],
            constants: [parameter('scale', per.scale), parameter('bias', per.bias)],
          },
          [{ name: 'x', dims, values }],
          { name: 'y', type: 'float32', rank: 4 },
        );
        expectClose(output, expected, 2 ** -14);
      }),
      { numRuns: 40 },
    );
  });

  test('LRN', async () => {
    await fc.assert(
      fc.asyncProperty(maps, fc.integer({ min: 1, max: 3 }), async ({ dims, values }, half) => {
        const [images, channels, height, width] = dims;
        const size = 2 * half - 1;
        const order = placesOf(
          [images, height, width, channels],
          [channels * height * width, width, 1, height * width],
        );
        const inner = Float32Array.from(order, (place) => values[place]);
        const output = new Float32Array(values.length);
        const response = { size, alpha: Math.fround(0.02), beta: 0.75, base: 1 };
        normalizeResponse(response, { channels, height, width }, inner, output, images);
        const attributes = { size: int(size), alpha: float(0.02), beta: float(0.75) };
        const expected = await runFloat32(
          { nodes: [node('LRN', ['x'], 'y', attributes)] },
          [{ name: 'x', dims, values }],
          { name: 'y', type: 'float32', rank: 4 },
        );
        const reordered = new Float32Array(values.length);
        for (const [index, place] of order.entries()) reordered[place] = output[index];
        expectClose(reordered, expected, 2 ** -20);
      }),
      { numRuns: 40 },
    );
  });
});
