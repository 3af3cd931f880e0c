import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  activationTable,
  applyFunction,
  FUNCTIONS,
  type FunctionName,
  realFunction,
} from '../../kernels/index.js';
import type { OnnxAttribute } from '../../models/index.js';
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

interface Case {
  readonly opType: string;
  readonly domain?: string;
  readonly parameters?: Readonly<Record<string, number>>;
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
  /** Largest |difference| / max(1, |y|), in units of 2^-24; 0: equal to the bit. */
  readonly bound: number;
  readonly positive?: true;
}

/** Each function as onnxruntime has it. */
const CASES: Readonly<Record<FunctionName, readonly Case[]>> = {
  abs: [{ opType: 'Abs', bound: 0 }],
  ceil: [{ opType: 'Ceil', bound: 0 }],
  celu: [
    { opType: 'Celu', bound: 2 },
    { opType: 'Celu', parameters: { alpha: 1.3 }, bound: 4 },
  ],
  cos: [{ opType: 'Cos', bound: 2 }],
  elu: [
    { opType: 'Elu', bound: 2 },
    { opType: 'Elu', parameters: { alpha: 0.7 }, bound: 2 },
  ],
  erf: [{ opType: 'Erf', bound: 0 }],
  exp: [{ opType: 'Exp', bound: 2 }],
  floor: [{ opType: 'Floor', bound: 0 }],
  gelu: [
    { opType: 'Gelu', bound: 0 },
    { opType: 'Gelu', domain: 'com.microsoft', bound: 0 },
  ],
  'gelu-tanh': [
    { opType: 'Gelu', attributes: { approximate: { type: 'string', value: 'tanh' } }, bound: 0 },
    { opType: 'FastGelu', domain: 'com.microsoft', bound: 0 },
  ],
  'hard-sigmoid': [
    { opType: 'HardSigmoid', bound: 0 },
    { opType: 'HardSigmoid', parameters: { alpha: 0.3, beta: 0.4 }, bound: 0 },
  ],
  'hard-swish': [{ opType: 'HardSwish', bound: 0 }],
  log: [{ opType: 'Log', bound: 4, positive: true }],
  mish: [{ opType: 'Mish', bound: 8 }],
  negate: [{ opType: 'Neg', bound: 0 }],
  reciprocal: [{ opType: 'Reciprocal', bound: 0 }],
  round: [{ opType: 'Round', bound: 0 }],
  selu: [{ opType: 'Selu', bound: 6 }],
  sigmoid: [{ opType: 'Sigmoid', bound: 0 }],
  sign: [{ opType: 'Sign', bound: 0 }],
  sin: [{ opType: 'Sin', bound: 2 }],
  softplus: [{ opType: 'Softplus', bound: 4 }],
  softsign: [{ opType: 'Softsign', bound: 0 }],
  sqrt: [{ opType: 'Sqrt', bound: 0, positive: true }],
  swish: [
    { opType: 'QuickGelu', domain: 'com.microsoft', parameters: { alpha: 1 }, bound: 0 },
    { opType: 'QuickGelu', domain: 'com.microsoft', parameters: { alpha: 1.702 }, bound: 0 },
  ],
  tanh: [{ opType: 'Tanh', bound: 0 }],
  'thresholded-relu': [
    { opType: 'ThresholdedRelu', parameters: { alpha: 0.3 }, bound: 0 },
    { opType: 'ThresholdedRelu', bound: 0 },
  ],
};

function operator(
  { opType, domain = '', parameters = {}, attributes }: Case,
  input: string,
  output: string,
) {
  const floats = Object.entries(parameters).map(([name, value]) => [
    name,
    { type: 'float', value: Math.fround(value) } as const,
  ]);
  return {
    ...node(opType, [input], output, { ...Object.fromEntries(floats), ...attributes }),
    domain,
  };
}

function functionOf(name: FunctionName, { parameters = {} }: Case) {
  return realFunction(name, Object.values(parameters).map(Math.fround));
}

/** Numbers of all sizes, around the places where formulas change, and at the ends. */
const reals = fc.array(
  fc.oneof(
    fc.float({ min: -4, max: 4, noNaN: true }),
    fc.float({ min: -120, max: 120, noNaN: true }),
    fc.float({ min: Math.fround(-1e4), max: Math.fround(1e4), noNaN: true }),
    fc.constantFrom(0, -0, 1, -1, 0.5, 1.5, 2.5, -0.5, -1.5, 0.921875, 18, 9, -9, 88, -88, -104),
  ),
  { minLength: 2000, maxLength: 2000 },
);

describe('functions of one value against onnxruntime', () => {
  for (const [name, cases] of Object.entries(CASES)) {
    test(name, async () => {
      for (const one of cases) {
        await fc.assert(
          fc.asyncProperty(reals, async (drawn) => {
            const values = Float32Array.from(drawn, (x) => (one.positive ? Math.abs(x) : x));
            const output = new Float32Array(values.length);
            applyFunction(functionOf(name as FunctionName, one), values, output);
            const expected = await runFloat32(
              { nodes: [operator(one, 'x', 'y')] },
              [{ name: 'x', dims: [values.length], values }],
              { name: 'y', type: 'float32', rank: 1 },
            );
            const distances = expected.map((y, index) =>
              Object.is(y, output[index]) || y === output[index]
                ? 0
                : (Math.abs(y - output[index]) / Math.max(1, Math.abs(y))) * 2 ** 24,
            );
            expect(Math.max(...distances)).toBeLessThanOrEqual(one.bound);
          }),
          { numRuns: 5 },
        );
      }
    });
  }
});

test('every function gives NaN for NaN', () => {
  for (const name of Object.keys(FUNCTIONS) as FunctionName[]) {
    expect(realFunction(name)(Number.NaN)).toBeNaN();
  }
});

/** Functions whose tables onnxruntime makes to the bit, in float32 or fused. */
const EXACT = Object.entries(CASES).flatMap(([name, cases]) =>
  cases
    .filter(({ bound, positive }) => bound === 0 && !positive)
    .map((one) => ({ name: name as FunctionName, one })),
);

test('a function between DequantizeLinear and QuantizeLinear is a table of 256', async () => {
  const every = Uint8Array.from({ length: 256 }, (_, stored) => stored);
  await fc.assert(
    fc.asyncProperty(
      quantizations(1),
      fc.constantFrom(...EXACT),
      async ({ inputs: [input], output, signed }, { name, one }) => {
        const table = activationTable(input, output, functionOf(name, one));
        const graph = {
          constants: [...quantizationConstants('x', input), ...quantizationConstants('y', output)],
          inputs: [{ name: 'x', signed, dims: [1, 256], values: every }],
          output: { name: 'y', type: signed ? 'int8' : 'uint8', rank: 2 },
          opset: 20,
        } as const;
        const group = [dequantize('x'), operator(one, 'x_real', 'y_real'), quantize('y')];
        expect(await runGraph({ ...graph, nodes: group }, 'all')).toEqual([...table]);
        if (name !== 'sigmoid') return;
        const names = ['x', 'y'].flatMap(quantizationNames);
        const fused = [node('QLinearSigmoid', ['x', ...names], 'y')];
        expect(await runGraph({ ...graph, nodes: fused }, 'disabled')).toEqual([...table]);
      },
    ),
    { numRuns: 120 },
  );
});
