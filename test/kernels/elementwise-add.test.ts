import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addWithTable,
  fusedMultiplyAdd,
  quantizedAddTable,
  realAddTable,
} from '../../kernels/index.js';
import {
  dequantize,
  type Graph,
  node,
  quantizationConstants,
  quantizationNames,
  quantize,
  runGraph,
} from './onnx-graph.js';
import { quantizations, storedValues } from './quantization-arbitraries.js';

const PAIRS = 65_536;
const everyA = Uint8Array.from({ length: PAIRS }, (_, pair) => pair >>> 8);
const everyB = Uint8Array.from({ length: PAIRS }, (_, pair) => pair & 255);

const names = ['a', 'b', 'y'].flatMap(quantizationNames);
const operator = [node('QLinearAdd', ['a', names[0], names[1], 'b', ...names.slice(2)], 'y')];
const group = [
  dequantize('a'),
  dequantize('b'),
  node('Add', ['a_real', 'b_real'], 'y_real'),
  quantize('y'),
];

type Case = ReturnType<typeof quantizations> extends fc.Arbitrary<infer T> ? T : never;

function addition({ inputs: [a, b], output, signed }: Case, x: Uint8Array, y: Uint8Array): Graph {
  return {
    nodes: operator,
    constants: [
      ...quantizationConstants('a', a),
      ...quantizationConstants('b', b),
      ...quantizationConstants('y', output),
    ],
    inputs: [
      { name: 'a', signed, dims: [1, x.length], values: x },
      { name: 'b', signed, dims: [1, y.length], values: y },
    ],
    output: { name: 'y', type: signed ? 'int8' : 'uint8', rank: 2 },
  };
}

describe('addition equals onnxruntime', () => {
  test('QLinearAdd and a fused DequantizeLinear-Add-QuantizeLinear group, all 65,536 pairs', async () => {
    await fc.assert(
      fc.asyncProperty(quantizations(2), async (quantization) => {
        const { inputs, output } = quantization;
        const table = quantizedAddTable({ a: inputs[0], b: inputs[1], output });
        const graph = addition(quantization, everyA, everyB);
        // Buffer.compare is much faster than toEqual on 65,536 values.
        const expected = Buffer.from(table);
        expect(expected.equals(Buffer.from(await runGraph(graph, 'disabled')))).toBe(true);
        const fused = await runGraph({ ...graph, nodes: group }, 'all');
        expect(expected.equals(Buffer.from(fused))).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  test('a group that stays in float32, all 65,536 pairs, with and without a ReLU', async () => {
    const withRelu = [
      ...group.slice(0, 2),
      node('Add', ['a_real', 'b_real'], 'sum'),
      node('Relu', ['sum'], 'y_real'),
      quantize('y'),
    ];
    await fc.assert(
      fc.asyncProperty(quantizations(2), async (quantization) => {
        const { inputs, output } = quantization;
        const graph = addition(quantization, everyA, everyB);
        const sums = Buffer.from(await runGraph({ ...graph, nodes: group }, 'disabled'));
        expect(sums.equals(realAddTable(inputs[0], inputs[1], output))).toBe(true);
        const rectified = Buffer.from(await runGraph({ ...graph, nodes: withRelu }, 'disabled'));
        const relu = (real: number) => Math.max(real, 0);
        expect(rectified.equals(realAddTable(inputs[0], inputs[1], output, relu))).toBe(true);
      }),
      { numRuns: 15 },
    );
  });

  test('whatever the length of the tensors, one value included', async () => {
    const sums = quantizations(2).chain((quantization) =>
      fc.oneof(fc.constant(1), fc.integer({ min: 2, max: 70 })).chain((length) =>
        fc.record({
          quantization: fc.constant(quantization),
          a: storedValues(length),
          b: storedValues(length),
        }),
      ),
    );
    await fc.assert(
      fc.asyncProperty(sums, async ({ quantization, a, b }) => {
        const { inputs, output } = quantization;
        const result = new Uint8Array(a.length);
        const exchanged = a.length === 1;
        const specification = { a: inputs[0], b: inputs[1], output, exchanged };
        addWithTable(quantizedAddTable(specification), a, b, result);
        expect([...result]).toEqual(await runGraph(addition(quantization, a, b), 'disabled'));
      }),
      { numRuns: 60 },
    );
  });

  test('a single value whose sum rounds differently than in a longer tensor', async () => {
    const quantization = findOrderDependent();
    const { inputs, output, pair } = quantization;
    const [a, b] = [Uint8Array.of(pair >>> 8), Uint8Array.of(pair & 255)];
    const tables = [false, true].map((exchanged) =>
      quantizedAddTable({ a: inputs[0], b: inputs[1], output, exchanged }),
    );
    expect(await runGraph(addition(quantization, a, b), 'disabled')).toEqual([tables[1][pair]]);
    const twice = addition(quantization, Uint8Array.of(...a, ...a), Uint8Array.of(...b, ...b));
    expect(await runGraph(twice, 'disabled')).toEqual([tables[0][pair], tables[0][pair]]);
    expect(tables[0][pair]).not.toBe(tables[1][pair]);
  });
});

/** The first quantisations, of a fixed sequence, in which the order of addition shows. */
function findOrderDependent(): Case & { readonly pair: number } {
  for (const quantization of fc.sample(quantizations(2), { numRuns: 300, seed: 1 })) {
    const { inputs, output } = quantization;
    const [many, single] = [false, true].map((exchanged) =>
      quantizedAddTable({ a: inputs[0], b: inputs[1], output, exchanged }),
    );
    const pair = many.findIndex((value, index) => value !== single[index]);
    if (pair >= 0) return { ...quantization, pair };
  }
  throw new Error('no quantisation of the sample depends on the order');
}

describe('fusedMultiplyAdd', () => {
  const float = fc.float({ noNaN: true, min: -(2 ** 60), max: 2 ** 60 });

  /** A float32 number as an integer multiple of 2^-149. */
  function units(value: number): bigint {
    let exponent = 0;
    let significand = value;
    while (!Number.isInteger(significand)) {
      significand *= 2;
      exponent++;
    }
    return BigInt(significand) << BigInt(149 - exponent);
  }

  test('is the nearest float32 number, the even one of a tie, in exact arithmetic', () => {
    const bits = new Uint32Array(1);
    const view = new Float32Array(bits.buffer);
    fc.assert(
      fc.property(float, float, float, (a, b, c) => {
        const exact = units(a) * units(b) + (units(c) << 149n);
        const result = fusedMultiplyAdd(a, b, c);
        const distance = (value: number) => {
          const difference = (units(value) << 149n) - exact;
          return difference < 0n ? -difference : difference;
        };
        view[0] = result;
        const even = bits[0] % 2 === 0;
        for (const step of [-1, 1]) {
          view[0] = result;
          if ((bits[0] << 1) >>> 0 === 0 && step < 0) continue;
          bits[0] += step;
          const neighbour = distance(view[0]);
          const nearest = distance(result);
          expect(neighbour > nearest || (neighbour === nearest && even)).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('rounds once where float64 arithmetic would round twice', () => {
    // The sum is 2^24 + 3 - 2^-46, just below a tie; float64 rounds it to the tie, then to even.
    const [a, b, c] = [1 + 2 ** -23, 1 - 2 ** -23, 2 ** 24 + 2];
    expect(fusedMultiplyAdd(a, b, c)).toBe(2 ** 24 + 2);
    expect(Math.fround(a * b + c)).toBe(2 ** 24 + 4);
  });
});
