import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { ModelError } from '../../core/index.js';
import { typeOf } from '../../models/graph/graph.js';
import {
  floats,
  int,
  int64s,
  ints,
  type NodeCase,
  nodeCase,
  prepared,
  runNode,
  smallDims,
  tensor,
  text,
} from './prepared.js';

const values = [0.5, -1, 2, 3, -0.25, 7];
const x = (dims: readonly number[]) => tensor('x', 'float32', dims, values);
const w = (...dims: number[]) => tensor('w', 'float32', dims, values);
const small = (min: number, max: number) => fc.integer({ min, max });
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const autoPads = fc.constantFrom('NOTSET', 'VALID', 'SAME_UPPER', 'SAME_LOWER');

/** Windows over one or two axes, with attributes of which some do not go together. */
const windows = fc
  .record({
    spatial: fc.array(small(4, 9), { minLength: 1, maxLength: 2 }),
    kernel: small(1, 4),
    stride: small(1, 3),
    dilation: small(1, 2),
    before: small(0, 2),
    after: small(0, 2),
    autoPad: autoPads,
  })
  .map(({ spatial, kernel, stride, dilation, before, after, autoPad }) => {
    const all = (size: number) => ints(...spatial.map(() => size));
    const isExplicit = autoPad === 'NOTSET';
    return {
      spatial,
      kernel: spatial.map(() => kernel),
      isExplicit,
      attributes: {
        kernel_shape: all(kernel),
        strides: all(stride),
        dilations: isExplicit ? all(dilation) : undefined,
        auto_pad: text(autoPad),
        pads: isExplicit
          ? ints(...spatial.map(() => before), ...spatial.map(() => after))
          : undefined,
      },
    };
  });

/** Cases by operator; onnxruntime refuses some. */
const CASES: Readonly<Record<string, fc.Arbitrary<NodeCase>>> = {
  Conv: fc.tuple(windows, small(1, 3), small(1, 2)).map(([form, outputs, groups]) =>
    nodeCase(
      'Conv',
      [x([1, 2 * groups, ...form.spatial]), w(outputs * groups, 2, ...form.kernel)],
      {
        ...form.attributes,
        group: int(groups),
      },
    ),
  ),
  MaxPool: fc
    .tuple(windows, fc.boolean())
    .map(([form, roundsUp]) =>
      nodeCase(
        'MaxPool',
        [x([1, 2, ...form.spatial])],
        { ...form.attributes, ceil_mode: int(roundsUp && form.isExplicit ? 1 : 0) },
        { outputs: ['y', 'indices'] },
      ),
    ),
  AveragePool: fc.tuple(windows, fc.boolean(), small(0, 1)).map(([form, roundsUp, counts]) =>
    nodeCase(
      'AveragePool',
      [x([1, 2, ...form.spatial])],
      {
        ...form.attributes,
        ceil_mode: int(roundsUp && form.isExplicit ? 1 : 0),
        count_include_pad: int(counts),
      },
      { opset: 19 },
    ),
  ),
  ConvTranspose: fc
    .tuple(windows, small(0, 1), optional(small(6, 12)))
    .map(([form, added, wanted]) =>
      nodeCase('ConvTranspose', [x([1, 2, ...form.spatial]), w(2, 3, ...form.kernel)], {
        ...form.attributes,
        output_padding: ints(...form.spatial.map(() => added)),
        output_shape: wanted ? ints(...form.spatial.map(() => wanted)) : undefined,
      }),
    ),
  ConvInteger: windows.map((form) =>
    nodeCase(
      'ConvInteger',
      [
        tensor('x', 'uint8', [1, 2, ...form.spatial], [1, 2, 3]),
        tensor('w', 'uint8', [3, 2, ...form.kernel], [1, 2, 3]),
      ],
      form.attributes,
    ),
  ),
  GlobalMaxPool: smallDims(3, 5, 4, 1).map((dims) => nodeCase('GlobalMaxPool', [x(dims)])),
  LpPool: windows.map((form) =>
    nodeCase(
      'LpPool',
      [x([1, 2, ...form.spatial])],
      { ...form.attributes, p: int(2) },
      { opset: 18 },
    ),
  ),
  MatMul: fc
    .tuple(smallDims(0, 2, 3, 1), smallDims(0, 2, 2), small(1, 4), small(1, 4), fc.boolean())
    .map(([one, other, rows, inner, isVector]) =>
      nodeCase('MatMul', [
        x([1, ...one, rows, inner]),
        isVector ? w(inner) : w(...other, inner, rows),
      ]),
    ),
  Gemm: fc
    .tuple(small(1, 4), small(1, 4), fc.boolean(), fc.boolean())
    .map(([inner, columns, a, b]) =>
      nodeCase(
        'Gemm',
        [x(a ? [1, 1] : [1, inner]), b ? w(columns, a ? 1 : inner) : w(a ? 1 : inner, columns)],
        {
          transA: int(a ? 1 : 0),
          transB: int(b ? 1 : 0),
        },
      ),
    ),
  FusedMatMul: fc
    .tuple(small(1, 4), small(1, 4), fc.boolean())
    .map(([inner, columns, b]) =>
      nodeCase(
        'FusedMatMul',
        [x([1, 3, inner]), b ? w(1, columns, inner) : w(1, inner, columns)],
        { transB: int(b ? 1 : 0) },
        { domain: 'com.microsoft' },
      ),
    ),
  Einsum: fc
    .constantFrom('bij,jk->bik', 'bij,jk', 'bij,jk->bk', 'bij,jk->kj')
    .map((equation) => nodeCase('Einsum', [x([1, 3, 2]), w(2, 4)], { equation: text(equation) })),
  Slice: fc
    .tuple(
      smallDims(1, 3, 5, 1),
      small(-7, 7),
      fc.oneof(small(-7, 7), fc.constant(2 ** 63)),
      fc.constantFrom(1, 2, -1, -3),
      small(-3, 2),
    )
    .map(([dims, start, end, step, axis]) =>
      nodeCase('Slice', [
        x(dims),
        int64s('starts', start),
        int64s('ends', Math.min(end, 2 ** 53)),
        int64s('axes', axis),
        int64s('steps', step),
      ]),
    ),
  'Slice (attributes)': fc
    .tuple(smallDims(1, 3, 5, 1), small(-7, 7), fc.oneof(small(-7, 7), fc.constant(2 ** 63)))
    .map(([dims, start, end]) =>
      nodeCase('Slice', [x(dims)], { starts: ints(start), ends: ints(end) }, { opset: 9 }),
    ),
  Split: fc.tuple(smallDims(2, 3, 6, 1), small(1, 4)).map(([dims, count]) =>
    nodeCase(
      'Split',
      [x(dims)],
      { axis: int(1), num_outputs: int(count) },
      {
        opset: 18,
        outputs: Array.from({ length: count }, (_, index) => `y${index}`),
      },
    ),
  ),
  'Split (sizes)': fc
    .tuple(small(0, 3), small(1, 3), fc.boolean())
    .map(([one, other, isInput]) =>
      nodeCase(
        'Split',
        [x([1, one + other, 2]), isInput ? int64s('split', one, other) : undefined],
        { axis: int(-2), split: isInput ? undefined : ints(one, other) },
        { opset: isInput ? 13 : 11, outputs: ['y', 'z'] },
      ),
    ),
  Reshape: fc
    .tuple(smallDims(1, 4, 4, 1), fc.array(fc.constantFrom(0, -1, 1, 2, 3, 4, 6), { maxLength: 4 }))
    .map(([dims, target]) => nodeCase('Reshape', [x(dims), int64s('shape', ...target)])),
  Squeeze: fc
    .tuple(smallDims(1, 4, 2, 1), optional(fc.array(small(-3, 3), { maxLength: 2 })))
    .map(([dims, axes]) => nodeCase('Squeeze', [x(dims), axes && int64s('axes', ...axes)])),
  Unsqueeze: fc
    .tuple(smallDims(1, 3, 3, 1), fc.array(small(-4, 4), { minLength: 1, maxLength: 2 }))
    .map(([dims, axes]) =>
      nodeCase('Unsqueeze', [x(dims)], { axes: ints(...axes) }, { opset: 11 }),
    ),
  Flatten: fc
    .tuple(smallDims(1, 4, 3, 1), small(-4, 4))
    .map(([dims, axis]) => nodeCase('Flatten', [x(dims)], { axis: int(axis) })),
  Pad: fc
    .tuple(
      smallDims(2, 2, 4, 1),
      fc.array(small(-1, 3), { minLength: 4, maxLength: 4 }),
      fc.constantFrom('constant', 'edge', 'reflect'),
    )
    .map(([dims, pads, mode]) =>
      nodeCase('Pad', [x(dims), int64s('pads', ...pads)], { mode: text(mode) }),
    ),
  'Pad (axes)': fc
    .tuple(smallDims(2, 4, 4, 1), small(-2, 1), small(0, 3))
    .map(([dims, axis, after]) =>
      nodeCase(
        'Pad',
        [x(dims), int64s('pads', 1, after), undefined, int64s('axes', axis)],
        {},
        { opset: 18 },
      ),
    ),
  Tile: smallDims(1, 3, 3, 1).chain((dims) =>
    fc
      .array(small(0, 3), { minLength: dims.length, maxLength: dims.length })
      .map((repeats) => nodeCase('Tile', [x(dims), int64s('repeats', ...repeats)])),
  ),
  Expand: fc
    .tuple(smallDims(1, 3, 2, 1), smallDims(0, 4, 3))
    .map(([dims, shape]) => nodeCase('Expand', [x(dims), int64s('shape', ...shape)])),
  Gather: fc
    .tuple(smallDims(1, 3, 4, 1), smallDims(0, 2, 3), small(-3, 2))
    .map(([dims, indices, axis]) =>
      nodeCase('Gather', [x(dims), tensor('i', 'int64', indices, [0])], { axis: int(axis) }),
    ),
  GatherND: fc
    .tuple(smallDims(2, 4, 3, 1), smallDims(0, 1, 3), small(1, 3), small(0, 1))
    .map(([dims, indices, depth, batch]) =>
      nodeCase(
        'GatherND',
        [x(dims), tensor('i', 'int64', [...(batch ? [1] : []), ...indices, depth], [0])],
        { batch_dims: int(batch) },
      ),
    ),
  DepthToSpace: fc
    .tuple(small(1, 3), small(1, 2), fc.boolean())
    .map(([block, more, toSpace]) =>
      nodeCase(
        toSpace ? 'DepthToSpace' : 'SpaceToDepth',
        [x(toSpace ? [1, block ** 2 * more, 2, 3] : [1, more, 2 * block, 3 * block])],
        { blocksize: int(block) },
      ),
    ),
  OneHot: fc
    .tuple(smallDims(1, 3, 3, 1), small(1, 5), small(-4, 3))
    .map(([dims, depth, axis]) =>
      nodeCase(
        'OneHot',
        [
          tensor('x', 'int64', dims, [0, 1]),
          tensor('depth', 'int64', [], [depth]),
          tensor('values', 'float32', [2], [0, 1]),
        ],
        { axis: int(axis) },
      ),
    ),
  'elementwise, broadcast': fc
    .tuple(
      fc.constantFrom('Add', 'Mul', 'Div', 'Pow', 'Max', 'Less', 'Equal', 'PRelu'),
      smallDims(1, 4, 3, 1),
      smallDims(0, 4, 3),
    )
    .map(([opType, one, other]) => nodeCase(opType, [x(one), w(...other)])),
  Where: fc
    .tuple(smallDims(1, 3, 2, 1), smallDims(0, 3, 2), smallDims(0, 3, 2))
    .map(([condition, one, other]) =>
      nodeCase('Where', [
        tensor('x', 'bool', condition, [1, 0]),
        tensor('a', 'int64', one, [5]),
        tensor('b', 'int64', other, [6]),
      ]),
    ),
  'reductions (attribute)': fc
    .tuple(
      fc.constantFrom('ReduceMean', 'ReduceMax', 'ReduceL2', 'ReduceProd'),
      smallDims(1, 4, 3, 1),
      optional(fc.uniqueArray(small(-2, 1), { maxLength: 2 })),
      optional(small(0, 1)),
    )
    .map(([opType, dims, axes, keeps]) =>
      nodeCase(opType, [x(dims)], {
        axes: axes && ints(...axes),
        keepdims: keeps === undefined ? undefined : int(keeps),
      }),
    ),
  'reductions (input)': fc
    .tuple(
      fc.constantFrom('ReduceMean', 'ReduceSum', 'ReduceMin'),
      smallDims(1, 4, 3, 1),
      optional(fc.uniqueArray(small(-2, 1), { maxLength: 2 })),
      small(0, 1),
      small(0, 1),
    )
    .map(([opType, dims, axes, keeps, noop]) =>
      nodeCase(
        opType,
        [x(dims), axes && int64s('axes', ...axes)],
        { keepdims: int(keeps), noop_with_empty_axes: int(noop) },
        { opset: 18 },
      ),
    ),
  ArgMax: fc
    .tuple(smallDims(1, 4, 3, 1), optional(small(-2, 1)), optional(small(0, 1)))
    .map(([dims, axis, keeps]) =>
      nodeCase('ArgMax', [x(dims)], {
        axis: axis === undefined ? undefined : int(axis),
        keepdims: keeps === undefined ? undefined : int(keeps),
      }),
    ),
  TopK: fc
    .tuple(smallDims(1, 3, 5, 1), small(0, 4), small(-2, 1))
    .map(([dims, count, axis]) =>
      nodeCase('TopK', [x(dims), int64s('k', count)], { axis: int(axis) }, { outputs: ['y', 'i'] }),
    ),
  'Softmax and others of the same shape': fc
    .tuple(
      fc.constantFrom('Softmax', 'LogSoftmax', 'Hardmax', 'Erf', 'Elu', 'Not'),
      smallDims(1, 4, 3, 1),
      fc.constantFrom(11, 13),
    )
    .map(([opType, dims, opset]) => nodeCase(opType, [x(dims)], {}, { opset })),
  LayerNormalization: fc
    .tuple(smallDims(2, 4, 3, 1), small(-2, 1))
    .map(([dims, axis]) =>
      nodeCase(
        'LayerNormalization',
        [x(dims), tensor('scale', 'float32', dims.slice(axis), [1])],
        { axis: int(axis) },
        { opset: 17, outputs: ['y', 'mean', 'deviation'] },
      ),
    ),
  recurrent: fc
    .tuple(
      fc.constantFrom(
        { opType: 'LSTM', gates: 4 },
        { opType: 'GRU', gates: 3 },
        { opType: 'RNN', gates: 1 },
      ),
      small(1, 4),
      small(1, 3),
      small(1, 4),
      fc.boolean(),
    )
    .map(([{ opType, gates }, batch, width, hidden, isTwice]) => {
      const directions = isTwice ? 2 : 1;
      return nodeCase(
        opType,
        [
          x([1, batch, width]),
          w(directions, gates * hidden, width),
          tensor('r', 'float32', [directions, gates * hidden, hidden], values),
        ],
        { hidden_size: int(hidden), direction: text(isTwice ? 'bidirectional' : 'forward') },
        { opset: 14, outputs: opType === 'LSTM' ? ['y', 'h', 'c'] : ['y', 'h'] },
      );
    }),
  'Resize (scales)': fc
    .tuple(
      small(1, 7),
      small(1, 7),
      fc.constantFrom(0.3, 0.5, 1, 1.1, 2, 2.7),
      fc.constantFrom('nearest', 'linear'),
    )
    .map(([height, width, scale, mode]) =>
      nodeCase(
        'Resize',
        [x([1, 2, height, width]), undefined, tensor('s', 'float32', [4], [1, 1, scale, 2])],
        { mode: text(mode) },
      ),
    ),
  'Resize (sizes)': fc
    .tuple(
      small(1, 7),
      small(1, 7),
      small(1, 9),
      small(1, 9),
      fc.constantFrom('stretch', 'not_larger', 'not_smaller'),
    )
    .map(([height, width, one, other, policy]) =>
      nodeCase(
        'Resize',
        [x([1, 2, height, width]), undefined, undefined, int64s('sizes', one, other)],
        { axes: ints(2, 3), keep_aspect_ratio_policy: text(policy) },
        { opset: 18 },
      ),
    ),
  Upsample: fc
    .tuple(small(1, 5), fc.constantFrom(1, 1.5, 2.3, 3), fc.boolean())
    .map(([size, scale, isOld]) =>
      nodeCase(
        'Upsample',
        [
          x([1, 1, size, size]),
          isOld ? undefined : tensor('s', 'float32', [4], [1, 1, scale, scale]),
        ],
        { scales: isOld ? floats(1, 1, scale, scale) : undefined, mode: text('nearest') },
        { opset: isOld ? 7 : 9 },
      ),
    ),
  GridSample: fc
    .tuple(small(1, 4), small(1, 4))
    .map(([height, width]) =>
      nodeCase(
        'GridSample',
        [x([1, 2, 3, 4]), tensor('g', 'float32', [1, height, width, 2], [0, 0.5])],
        {},
        { opset: 16 },
      ),
    ),
  'quantised operators of onnxruntime': fc
    .tuple(
      fc.constantFrom('QLinearAdd', 'QLinearMul', 'QLinearSigmoid', 'QLinearLeakyRelu'),
      smallDims(1, 3, 3, 1),
      smallDims(0, 3, 3),
    )
    .map(([opType, dims, other]) => {
      const scale = (name: string) => tensor(name, 'float32', [], [0.5]);
      const zero = (name: string) => tensor(name, 'uint8', [], [3]);
      const one = [tensor('x', 'uint8', dims, [1, 2, 3]), scale('xs'), zero('xz')];
      const two = [tensor('b', 'uint8', other, [1, 2, 3]), scale('bs'), zero('bz')];
      const result = [scale('ys'), zero('yz')];
      const isPair = opType === 'QLinearAdd' || opType === 'QLinearMul';
      return nodeCase(
        opType,
        [...one, ...(isPair ? two : []), ...result],
        {},
        { domain: 'com.microsoft' },
      );
    }),
  QLinearAveragePool: windows.map((form) => {
    const { dilations, ...attributes } = form.attributes;
    return nodeCase(
      'QLinearAveragePool',
      [
        tensor('x', 'uint8', [1, 2, ...form.spatial], [1, 2, 3]),
        tensor('xs', 'float32', [], [0.5]),
        tensor('xz', 'uint8', [], [3]),
        tensor('ys', 'float32', [], [0.5]),
        tensor('yz', 'uint8', [], [3]),
      ],
      attributes,
      { domain: 'com.microsoft' },
    );
  }),
  ArrayFeatureExtractor: fc.tuple(small(1, 4), small(1, 4)).map(([width, count]) =>
    nodeCase(
      'ArrayFeatureExtractor',
      [x([1, width]), tensor('i', 'int64', [count], [0])],
      {},
      {
        domain: 'ai.onnx.ml',
      },
    ),
  ),
};

describe("a node's outputs have the types that onnxruntime gives them", () => {
  for (const [name, cases] of Object.entries(CASES)) {
    let accepted = 0;
    test.prop([cases], { numRuns: 30 })(name, async (given) => {
      const results = await runNode(given, false);
      const graph = prepared(given, false);
      if (!results) return;
      accepted += 1;
      for (const output of given.node.outputs) {
        // Of a pool larger than what it is moved over, onnxruntime makes an empty tensor, or one value.
        if (/larger than its padded/.test(graph.untyped.get(output) ?? '')) continue;
        const { type, dims: expected } = results[output] as unknown as {
          type: string;
          dims: number[];
        };
        const { elementType, dims } = typeOf(graph, output);
        expect({ elementType, dims }).toEqual({ elementType: type, dims: [...expected] });
      }
    });

    test(`${name}: onnxruntime takes some`, () => {
      expect(accepted).toBeGreaterThan(2);
    });
  }
});

test('a node that does not fit says so when its type is asked for', () => {
  const graph = prepared(nodeCase('MatMul', [x([1, 3]), w(4, 2)]), false);
  expect(() => typeOf(graph, 'y')).toThrow(ModelError);
  expect(() => typeOf(graph, 'y')).toThrow(
    'net: node "node" (MatMul) multiplies [1, 3] by [4, 2], whose inner sizes differ',
  );
});
