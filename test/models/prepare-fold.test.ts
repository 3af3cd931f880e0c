import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import type { ElementType } from '../../models/index.js';
import {
  int,
  int64s,
  ints,
  type NodeCase,
  nodeCase,
  numbers,
  prepared,
  runNode,
  smallDims,
  tensor,
} from './prepared.js';

const small = (min: number, max: number) => fc.integer({ min, max });
const types = (...names: ElementType[]) => fc.constantFrom(...names);
const anyDims = smallDims(0, 3);
const moved = types('float32', 'float64', 'int64', 'int32', 'bool', 'uint8');
const sortedOut = (list: readonly number[], type: ElementType) =>
  type === 'bool' ? list.map((value) => (value > 0 ? 1 : 0)) : list;
const x = (type: ElementType, dims: readonly number[], list: readonly number[]) =>
  tensor('x', type, dims, sortedOut(list, type));

/** Operators on a tensor of any type and other constants, of which fast-check draws the dimensions. */
const MOVING: Readonly<Record<string, fc.Arbitrary<NodeCase>>> = {
  Transpose: smallDims(1, 4).chain((dims) =>
    fc
      .tuple(moved, numbers, fc.shuffledSubarray([...dims.keys()], { minLength: dims.length }))
      .map(([type, list, perm]) =>
        nodeCase('Transpose', [x(type, dims, list)], { perm: ints(...perm) }),
      ),
  ),
  Slice: fc
    .tuple(
      moved,
      numbers,
      smallDims(1, 3),
      small(-5, 5),
      small(-5, 5),
      fc.constantFrom(1, 2, -1, -2),
    )
    .map(([type, list, dims, start, end, step]) =>
      nodeCase('Slice', [
        x(type, dims, list),
        int64s('s', start),
        int64s('e', end),
        int64s('a', -1),
        int64s('k', step),
      ]),
    ),
  Concat: fc
    .tuple(moved, numbers, smallDims(1, 3), small(1, 3), small(-1, 0))
    .map(([type, list, dims, other, axis]) => {
      const joined = dims.with(axis, other);
      const second = { ...x(type, joined, list.toReversed()), name: 'b' };
      return nodeCase('Concat', [x(type, dims, list), second], { axis: int(axis) });
    }),
  Split: fc
    .tuple(moved, numbers, smallDims(0, 2), small(0, 3), small(1, 3))
    .map(([type, list, dims, one, other]) =>
      nodeCase(
        'Split',
        [x(type, [...dims, one + other], list), int64s('s', one, other)],
        { axis: int(-1) },
        { outputs: ['y', 'z'] },
      ),
    ),
  Gather: fc
    .tuple(moved, numbers, smallDims(1, 3), fc.array(small(-1, 0), { maxLength: 3 }), small(-1, 0))
    .map(([type, list, dims, indices, axis]) =>
      nodeCase('Gather', [x(type, dims, list), int64s('i', ...indices)], { axis: int(axis) }),
    ),
  GatherElements: fc
    .tuple(moved, numbers, smallDims(1, 3), small(-1, 0))
    .map(([type, list, dims, axis]) =>
      nodeCase('GatherElements', [x(type, dims, list), tensor('i', 'int64', dims, [0, -1])], {
        axis: int(axis),
      }),
    ),
  GatherND: fc
    .tuple(moved, numbers, smallDims(2, 3), smallDims(0, 1), small(1, 2))
    .map(([type, list, dims, rows, depth]) =>
      nodeCase('GatherND', [x(type, dims, list), tensor('i', 'int64', [...rows, depth], [0, -1])]),
    ),
  Expand: fc
    .tuple(moved, numbers, smallDims(0, 3, 2), smallDims(0, 3, 3))
    .map(([type, list, dims, shape]) =>
      nodeCase('Expand', [x(type, dims, list), int64s('s', ...shape)]),
    ),
  Tile: fc
    .tuple(moved, numbers, small(1, 3), small(1, 3), small(0, 3), small(0, 3))
    .map(([type, list, a, b, one, other]) =>
      nodeCase('Tile', [x(type, [a, b], list), int64s('r', one, other)]),
    ),
  Pad: fc
    .tuple(
      types('float32', 'int64', 'int32'),
      numbers,
      fc.array(small(0, 2), { minLength: 4, maxLength: 4 }),
      fc.boolean(),
    )
    .map(([type, list, pads, isStated]) =>
      nodeCase('Pad', [
        x(type, [2, 3], list),
        int64s('p', ...pads),
        isStated ? tensor('v', type, [], [7]) : undefined,
      ]),
    ),
  'Reshape, Squeeze, Flatten': fc
    .tuple(moved, numbers, fc.constantFrom('Reshape', 'Squeeze', 'Flatten'), smallDims(1, 3))
    .map(([type, list, opType, dims]) =>
      nodeCase(opType, [x(type, dims, list), opType === 'Reshape' ? int64s('s', -1) : undefined]),
    ),
  'Shape, Size': fc
    .tuple(fc.constantFrom('Shape', 'Size'), anyDims)
    .map(([opType, dims]) => nodeCase(opType, [x('float32', dims, [1])])),
  ConstantOfShape: fc.tuple(moved, smallDims(0, 3)).map(([type, dims]) =>
    nodeCase('ConstantOfShape', [int64s('s', ...dims)], {
      value: { type: 'tensor', value: tensor('', type, [1], [1]) },
    }),
  ),
  Range: fc
    .tuple(
      types('int64', 'int32', 'float32', 'float64'),
      small(-5, 5),
      small(-9, 9),
      fc.constantFrom(1, 2, -1, -3),
    )
    .map(([type, start, limit, step]) =>
      nodeCase('Range', [
        tensor('a', type, [], [start]),
        tensor('b', type, [], [limit]),
        tensor('c', type, [], [step]),
      ]),
    ),
  Trilu: fc
    .tuple(types('float32', 'int64'), numbers, smallDims(2, 3), small(-2, 2), small(0, 1))
    .map(([type, list, dims, offset, upper]) =>
      nodeCase(
        'Trilu',
        [x(type, dims, list), tensor('k', 'int64', [], [offset])],
        { upper: int(upper) },
        { opset: 14 },
      ),
    ),
  NonZero: fc
    .tuple(types('float32', 'int64', 'bool'), smallDims(1, 3))
    .map(([type, dims]) => nodeCase('NonZero', [x(type, dims, [0, 3, 0, 0, 1])])),
};

const pairOf = (
  type: ElementType,
  one: readonly number[],
  other: readonly number[],
  list: readonly number[],
  isDivisor = false,
) => [
  x(type, one, list),
  tensor(
    'b',
    type,
    other,
    sortedOut(
      list.toReversed().map((value) => (isDivisor ? value + 20 : value)),
      type,
    ),
  ),
];
const dimsPair = fc.tuple(
  smallDims(0, 3, 3),
  smallDims(0, 3, 2).map((dims) => dims.map(() => 1)),
);
const arithmetic = types('float32', 'float64', 'int64', 'int32');

/** Arithmetic, of which each result is rounded once. */
const COMPUTING: Readonly<Record<string, fc.Arbitrary<NodeCase>>> = {
  'Add, Sub, Mul, Div': fc
    .tuple(fc.constantFrom('Add', 'Sub', 'Mul', 'Div'), arithmetic, numbers, dimsPair)
    .map(([opType, type, list, [one, other]]) =>
      nodeCase(opType, pairOf(type, one, other, list, true)),
    ),
  'Add, Mul (the other way round)': fc
    .tuple(fc.constantFrom('Add', 'Mul'), arithmetic, numbers, dimsPair)
    .map(([opType, type, list, [one, other]]) => nodeCase(opType, pairOf(type, other, one, list))),
  'integers that overflow': fc
    .tuple(
      fc.constantFrom('Add', 'Sub', 'Mul'),
      fc.array(small(-(2 ** 31), 2 ** 31 - 1), { minLength: 1, maxLength: 4 }),
    )
    .map(([opType, list]) => nodeCase(opType, pairOf('int32', [4], [1], list))),
  Mod: fc
    .tuple(types('int64', 'int32', 'float32'), small(0, 1), numbers, dimsPair)
    .map(([type, fmod, list, [one, other]]) =>
      nodeCase('Mod', pairOf(type, one, other, list, true), { fmod: int(fmod) }),
    ),
  'Max, Min': fc
    .tuple(fc.constantFrom('Max', 'Min'), arithmetic, numbers, dimsPair)
    .map(([opType, type, list, [one, other]]) => nodeCase(opType, pairOf(type, one, other, list))),
  Pow: fc
    .tuple(types('float32', 'float64'), numbers, anyDims, fc.constantFrom(0.5, 1, 2, 3, -1))
    .map(([type, list, dims, exponent]) =>
      nodeCase('Pow', [x(type, dims, list.map(Math.abs)), tensor('b', type, [], [exponent])]),
    ),
  'functions of one value': fc
    .tuple(
      fc.constantFrom('Neg', 'Abs', 'Sign', 'Floor', 'Ceil', 'Round', 'Sqrt', 'Reciprocal', 'Relu'),
      types('float32', 'float64'),
      numbers,
      anyDims,
    )
    .map(([opType, type, list, dims]) => nodeCase(opType, [x(type, dims, list)])),
  'functions of one integer': fc
    .tuple(fc.constantFrom('Neg', 'Abs', 'Sign'), types('int64', 'int32'), numbers, anyDims)
    .map(([opType, type, list, dims]) => nodeCase(opType, [x(type, dims, list)])),
  Clip: fc
    .tuple(numbers, anyDims)
    .map(([list, dims]) =>
      nodeCase('Clip', [x('float32', dims, list), undefined, tensor('b', 'float32', [], [1.5])]),
    ),
  relations: fc
    .tuple(
      fc.constantFrom('Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual'),
      arithmetic,
      numbers,
      dimsPair,
    )
    .map(([opType, type, list, [one, other]]) =>
      nodeCase(opType, pairOf(type, one, other, list), {}, { opset: 16 }),
    ),
  'And, Or, Xor': fc
    .tuple(fc.constantFrom('And', 'Or', 'Xor'), numbers, dimsPair)
    .map(([opType, list, [one, other]]) => nodeCase(opType, pairOf('bool', one, other, list))),
  Not: fc.tuple(numbers, anyDims).map(([list, dims]) => nodeCase('Not', [x('bool', dims, list)])),
  Where: fc
    .tuple(moved, numbers, dimsPair)
    .map(([type, list, [one, other]]) =>
      nodeCase('Where', [tensor('c', 'bool', one, [1, 0, 0]), ...pairOf(type, other, one, list)]),
    ),
  Cast: fc
    .tuple(
      types('float32', 'float64', 'int64', 'int32', 'uint8', 'bool', 'float16'),
      fc.constantFrom(1, 3, 5, 6, 7, 9, 10, 11),
      numbers,
      anyDims,
    )
    .map(([type, to, list, dims]) =>
      nodeCase('Cast', [x(type, dims, type === 'float16' ? list.map(Math.abs) : list)], {
        to: int(to),
      }),
    ),
  'Cast to float16': fc
    .tuple(fc.array(fc.float({ noNaN: true }), { minLength: 1, maxLength: 30 }))
    .map(([list]) => nodeCase('Cast', [tensor('x', 'float32', [30], list)], { to: int(10) })),
  'Cast from float16': fc
    .array(small(0, 0x7c00), { minLength: 1, maxLength: 30 })
    .map((list) => nodeCase('Cast', [tensor('x', 'float16', [30], list)], { to: int(1) })),
  'reductions of integers': fc
    .tuple(
      fc.constantFrom('ReduceSum', 'ReduceProd', 'ReduceMax', 'ReduceMin'),
      types('int64', 'int32'),
      numbers,
      smallDims(1, 3, 3),
      small(0, 1),
    )
    .map(([opType, type, list, dims, keeps]) =>
      nodeCase(
        opType,
        [x(type, dims, list), int64s('axes', -1)],
        { keepdims: int(keeps) },
        { opset: 18 },
      ),
    ),
  CumSum: fc
    .tuple(types('int64', 'int32'), numbers, smallDims(1, 3), small(-1, 0))
    .map(([type, list, dims, axis]) =>
      nodeCase(
        'CumSum',
        [x(type, dims, list), tensor('a', 'int64', [], [axis])],
        {},
        { opset: 14 },
      ),
    ),
};

function bytesOf(data: ArrayBufferView): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

describe('what is folded is what onnxruntime computes, to the bit', () => {
  for (const [name, cases] of Object.entries({ ...MOVING, ...COMPUTING })) {
    let compared = 0;
    test.prop([cases], { numRuns: 40 })(name, async (given) => {
      const { constants } = prepared(given, true);
      const results = await runNode(given, true);
      if (!results) return;
      for (const output of given.node.outputs) {
        const folded = constants.get(output);
        if (!folded) continue;
        compared += 1;
        const result = results[output] as unknown as { data: ArrayBufferView; dims: number[] };
        expect(folded.dims).toEqual([...result.dims]);
        expect(bytesOf(folded.data)).toEqual(bytesOf(result.data));
      }
    });

    test(`${name}: some are compared`, () => {
      expect(compared).toBeGreaterThan(5);
    });
  }
});
