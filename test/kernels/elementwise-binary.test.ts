import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  BINARY_OPERATIONS,
  type BinaryOperation,
  createBinary,
  createBinaryByConstant,
  createTableBinary,
  dequantizeStored,
  quantizedAddTable,
  quantizedMultiplyTable,
  quantizeUint8,
  realBinaryTable,
  rowMajorSteps,
  storedReals,
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

const PAIRS = 65_536;
const everyA = Uint8Array.from({ length: PAIRS }, (_, pair) => pair >>> 8);
const everyB = Uint8Array.from({ length: PAIRS }, (_, pair) => pair & 255);

const names = ['a', 'b', 'y'].flatMap(quantizationNames);
const operatorOf = (opType: string) => [
  node(opType, ['a', names[0], names[1], 'b', ...names.slice(2)], 'y'),
];
const groupOf = (opType: string) => [
  dequantize('a'),
  dequantize('b'),
  node(opType, ['a_real', 'b_real'], 'y_real'),
  quantize('y'),
];

type Quantized = ReturnType<typeof quantizations> extends fc.Arbitrary<infer T> ? T : never;

function graphOf(
  { inputs: [a, b], output, signed }: Quantized,
  x: { readonly dims: readonly number[]; readonly values: Uint8Array },
  y: { readonly dims: readonly number[]; readonly values: Uint8Array },
) {
  return {
    constants: [
      ...quantizationConstants('a', a),
      ...quantizationConstants('b', b),
      ...quantizationConstants('y', output),
    ],
    inputs: [
      { name: 'a', signed, ...x },
      { name: 'b', signed, ...y },
    ],
    output: {
      name: 'y',
      type: signed ? 'int8' : 'uint8',
      rank: Math.max(x.dims.length, y.dims.length),
    },
  } as const;
}

const OPERATORS = {
  Add: 'add',
  Sub: 'subtract',
  Mul: 'multiply',
  Div: 'divide',
  Min: 'minimum',
  Max: 'maximum',
} as const satisfies Readonly<Record<string, BinaryOperation>>;

describe('tables of two values equal onnxruntime, all 65,536 pairs', () => {
  test('QLinearMul and a fused DequantizeLinear-Mul-QuantizeLinear group', async () => {
    await fc.assert(
      fc.asyncProperty(quantizations(2), async (quantization) => {
        const { inputs, output } = quantization;
        const table = quantizedMultiplyTable({ a: inputs[0], b: inputs[1], output });
        const graph = graphOf(
          quantization,
          { dims: [1, PAIRS], values: everyA },
          { dims: [1, PAIRS], values: everyB },
        );
        const expected = Buffer.from(table);
        const single = await runGraph({ ...graph, nodes: operatorOf('QLinearMul') }, 'disabled');
        expect(expected.equals(Buffer.from(single))).toBe(true);
        const fused = await runGraph({ ...graph, nodes: groupOf('Mul') }, 'all');
        expect(expected.equals(Buffer.from(fused))).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  test('groups that stay in float32', async () => {
    await fc.assert(
      fc.asyncProperty(
        quantizations(2),
        fc.constantFrom('Sub', 'Min', 'Max', 'Mul' as const),
        async (quantization, opType) => {
          const { inputs, output } = quantization;
          const operands = { a: inputs[0], b: inputs[1], output };
          const combine = BINARY_OPERATIONS[OPERATORS[opType as keyof typeof OPERATORS]];
          const graph = graphOf(
            quantization,
            { dims: [1, PAIRS], values: everyA },
            { dims: [1, PAIRS], values: everyB },
          );
          const result = await runGraph({ ...graph, nodes: groupOf(opType) }, 'disabled');
          expect(Buffer.from(realBinaryTable(operands, combine)).equals(Buffer.from(result))).toBe(
            true,
          );
        },
      ),
      { numRuns: 30 },
    );
  });
});

/** Dimensions of two operands that can be broadcast together, and of what they make. */
const shapes = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.constantFrom('both', 'both', 'a', 'b')), {
    minLength: 1,
    maxLength: 4,
  })
  .chain((axes) =>
    fc.record({
      axes: fc.constant(axes),
      missing: fc.nat({ max: axes.length - 1 }),
      left: fc.boolean(),
    }),
  )
  .map(({ axes, missing, left }) => {
    const dims = axes.map(([size]) => size);
    const of = (name: string, from: number) =>
      axes.slice(from).map(([size, which]) => (which === 'both' || which === name ? size : 1));
    const a = of('a', left ? missing : 0);
    const b = of('b', left ? 0 : missing);
    const output = dims.map((_, axis) => {
      const sizes = [a, b].map((one) => one[axis - dims.length + one.length] ?? 1);
      return Math.max(...sizes);
    });
    return { a, b, output };
  });

const count = (dims: readonly number[]) => dims.reduce((product, size) => product * size, 1);

/** Steps of an operand of row-major dimensions through those of an output; 0 where it is broadcast. */
function stepsOf(dims: readonly number[], output: readonly number[]): number[] {
  const steps = rowMajorSteps(dims);
  return output.map((_, axis) => {
    const own = axis - output.length + dims.length;
    return own < 0 || dims[own] === 1 ? 0 : steps[own];
  });
}

/** Whether onnxruntime exchanges the operands of QLinearAdd. */
function isExchanged(a: readonly number[], b: readonly number[]): boolean {
  const shared = Math.min(a.length, b.length);
  for (let back = 1; back <= shared; back++) {
    const [one, other] = [a[a.length - back], b[b.length - back]];
    if (one > 1 || other > 1) return one === 1;
  }
  return true;
}

describe('broadcasting equals onnxruntime', () => {
  test('QLinearAdd and QLinearMul of any shapes', async () => {
    await fc.assert(
      fc.asyncProperty(
        quantizations(2),
        shapes,
        fc.boolean(),
        fc.infiniteStream(fc.nat({ max: 255 })),
        async (quantization, { a, b, output: dims }, adds, bytes) => {
          const { inputs, output } = quantization;
          const draw = (length: number) =>
            Uint8Array.from({ length }, () => bytes.next().value as number);
          const [x, y] = [draw(count(a)), draw(count(b))];
          const operands = { a: inputs[0], b: inputs[1], output };
          const table = adds
            ? quantizedAddTable({ ...operands, exchanged: isExchanged(a, b) })
            : quantizedMultiplyTable(operands);
          const result = new Uint8Array(count(dims));
          createTableBinary(
            table,
            { dims, steps: [stepsOf(a, dims), stepsOf(b, dims)] },
            { values: x, length: 0 },
            { values: y, length: 0 },
            result,
          )(1);
          const graph = graphOf(quantization, { dims: a, values: x }, { dims: b, values: y });
          const nodes = operatorOf(adds ? 'QLinearAdd' : 'QLinearMul');
          expect([...result]).toEqual(await runGraph({ ...graph, nodes }, 'disabled'));
        },
      ),
      { numRuns: 150 },
    );
  });

  test('float32 operators of any shapes', async () => {
    const real = fc.oneof(
      fc.float({ min: -100, max: 100, noNaN: true }),
      fc.constantFrom(0, -0, 1, 2, 3),
    );
    await fc.assert(
      fc.asyncProperty(
        shapes,
        fc.constantFrom('Add', 'Sub', 'Mul', 'Div', 'Min', 'Max', 'Pow', 'PRelu'),
        fc.infiniteStream(real),
        async ({ a, b, output: dims }, opType, reals) => {
          // A slope is broadcast to x, and not x to it.
          if (opType === 'PRelu' && String(a) !== String(dims)) return;
          const draw = (length: number, read: (value: number) => number) =>
            Float32Array.from({ length }, () => read(reals.next().value as number));
          const powers = opType === 'Pow';
          const x = draw(count(a), (value) => (powers ? Math.abs(value) + 0.01 : value));
          const y = draw(count(b), (value) => (powers ? Math.round(value / 40) : value));
          const operation = ({ ...OPERATORS, Pow: 'power', PRelu: 'prelu' } as const)[opType];
          const result = new Float32Array(count(dims));
          createBinary(
            operation,
            { dims, steps: [stepsOf(a, dims), stepsOf(b, dims)] },
            { values: x, length: 0 },
            { values: y, length: 0 },
            result,
          )(1);
          const expected = await runFloat32(
            { nodes: [node(opType, ['a', 'b'], 'y')] },
            [
              { name: 'a', dims: a, values: x },
              { name: 'b', dims: b, values: y },
            ],
            { name: 'y', type: 'float32', rank: dims.length },
          );
          if (powers) {
            for (const [index, value] of expected.entries()) {
              expect(Math.abs(result[index] / value - 1)).toBeLessThanOrEqual(2 ** -23);
            }
          } else {
            // Zeros of either sign are equal.
            expect([...result].map((value) => value + 0)).toEqual(
              expected.map((value) => value + 0),
            );
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});

test('images lie one behind the other, and share constants', () => {
  const broadcast = {
    dims: [2, 3],
    steps: [
      [3, 1],
      [0, 1],
    ],
  } as const;
  const output = new Float32Array(12);
  const x = { values: Float32Array.from({ length: 12 }, (_, index) => index), length: 6 };
  createBinary(
    'subtract',
    broadcast,
    x,
    { values: Float32Array.of(1, 2, 3), length: 0 },
    output,
  )(2);
  expect([...output]).toEqual([-1, -1, -1, 2, 2, 2, 5, 5, 5, 8, 8, 8]);
  const vectors = { values: Float32Array.of(1, 2, 3, 4, 5, 6), length: 3 };
  createBinary('subtract', broadcast, x, vectors, output)(2);
  expect([...output]).toEqual([-1, -1, -1, 2, 2, 2, 2, 2, 2, 5, 5, 5]);
});

test('float32 constants of a quantised tensor: as the table of a constant that is stored', () => {
  fc.assert(
    fc.property(quantizations(2), fc.nat({ max: 255 }), ({ inputs: [a, b], output }, stored) => {
      const table = realBinaryTable({ a, b, output }, BINARY_OPERATIONS.subtract);
      const result = new Uint8Array(256);
      const every = Uint8Array.from({ length: 256 }, (_, value) => value);
      createBinaryByConstant(
        BINARY_OPERATIONS.subtract,
        { dims: [256], steps: [[1], [0]] },
        { values: every, length: 256, reals: storedReals(a) },
        Float32Array.of(dequantizeStored(stored, b)),
        {
          values: result,
          quantize: (real) => quantizeUint8(real, output.scale, output.zeroPoint),
        },
      )(1);
      expect([...result]).toEqual([...every].map((value) => table[256 * value + stored]));
    }),
  );
});
