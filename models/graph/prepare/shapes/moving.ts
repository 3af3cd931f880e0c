import type { OnnxNode } from '../../../onnx/index.js';
import { type GraphScope, intAttribute, nodeError } from '../../graph.js';
import {
  axisOf,
  constantInts,
  flattenedDims,
  inputType,
  normalAxis,
  padsOf,
  permutationOf,
  reshapeOf,
  sliceOf,
  splitSizesOf,
  squeezedDims,
  unsqueezedDims,
} from '../forms/index.js';
import { namedType } from './elementwise.js';
import { asInput, broadcast, each, requireRank, type ShapeRule, type ShapeRules } from './rules.js';

/** The first input with other dimensions. */
function reshaping(dimsOf: (scope: GraphScope, node: OnnxNode) => readonly number[]): ShapeRule {
  return (scope, node) => [
    { elementType: inputType(scope, node, 0).elementType, dims: dimsOf(scope, node) },
  ];
}

/** The sizes of a constant input, none negative. */
function sizesOf(scope: GraphScope, node: OnnxNode, position: number, role: string): number[] {
  const sizes = constantInts(scope, node, position, role);
  if (sizes?.every((size) => size >= 0)) return sizes;
  throw nodeError(scope.source, node, `has no proper ${role}`);
}

function concatenated(scope: GraphScope, node: OnnxNode): number[] {
  const shapes = node.inputs.map((_, position) => inputType(scope, node, position).dims);
  const [first] = shapes;
  if (!first) throw nodeError(scope.source, node, 'has no inputs');
  const axis = axisOf(scope, node, first.length, 1);
  const fits = shapes.every(
    (dims) =>
      dims.length === first.length &&
      dims.every((size, other) => other === axis || size === first[other]),
  );
  if (!fits) {
    const shown = shapes.map((dims) => `[${dims.join(', ')}]`).join(' and ');
    throw nodeError(scope.source, node, `joins tensors of shapes ${shown} along axis ${axis}`);
  }
  const size = shapes.reduce((sum, dims) => sum + dims[axis], 0);
  return first.map((other, index) => (index === axis ? size : other));
}

function gathered(scope: GraphScope, node: OnnxNode): number[] {
  const { dims } = inputType(scope, node, 0);
  const indices = inputType(scope, node, 1).dims;
  const axis = axisOf(scope, node, dims.length, 0);
  return [...dims.slice(0, axis), ...indices, ...dims.slice(axis + 1)];
}

function gatheredND(scope: GraphScope, node: OnnxNode): number[] {
  const { dims } = inputType(scope, node, 0);
  const indices = inputType(scope, node, 1).dims;
  const batch = intAttribute(scope.source, node, 'batch_dims', 0);
  const taken = indices.at(-1);
  if (taken === undefined || batch < 0 || batch >= indices.length || batch + taken > dims.length) {
    throw nodeError(scope.source, node, `takes indices of shape [${indices.join(', ')}]`);
  }
  return [...indices.slice(0, -1), ...dims.slice(batch + taken)];
}

/** Blocks of block² channels become blocks of positions, or the other way round. */
function blocks(toSpace: boolean) {
  return (scope: GraphScope, node: OnnxNode): number[] => {
    const type = inputType(scope, node, 0);
    requireRank(scope, node, type, 4);
    const [batch, channels, height, width] = type.dims;
    const block = intAttribute(scope.source, node, 'blocksize', 0);
    const dims = toSpace
      ? [batch, channels / block ** 2, height * block, width * block]
      : [batch, channels * block ** 2, height / block, width / block];
    if (block >= 1 && dims.every(Number.isInteger)) return dims;
    throw nodeError(scope.source, node, `has blocksize ${block} for [${type.dims.join(', ')}]`);
  };
}

/** The part of a tensor's dimensions that a Shape gives (all of them before operator set 15). */
export function shapeRange(
  scope: GraphScope,
  node: OnnxNode,
): { readonly start: number; readonly end: number } {
  const rank = inputType(scope, node, 0).dims.length;
  const bound = (name: string, otherwise: number) => {
    const stated = intAttribute(scope.source, node, name, otherwise);
    return Math.max(0, Math.min(rank, stated < 0 ? stated + rank : stated));
  };
  const start = bound('start', 0);
  return { start, end: Math.max(start, bound('end', rank)) };
}

/** The three constants of a Range, as numbers. */
function rangeLength(scope: GraphScope, node: OnnxNode): number {
  const [start, limit, step] = node.inputs.map((name) => {
    const tensor = scope.constants.get(name);
    if (tensor && !tensor.absent && tensor.data.length === 1) return Number(tensor.data[0]);
    throw nodeError(scope.source, node, `has a bound "${name}" that is not one constant`);
  });
  const count = Math.max(0, Math.ceil((limit - start) / step));
  if (Number.isSafeInteger(count)) return count;
  throw nodeError(scope.source, node, `counts from ${start} to ${limit} by ${step}`);
}

function oneHot(scope: GraphScope, node: OnnxNode): number[] {
  const { dims } = inputType(scope, node, 0);
  const name = node.inputs[1];
  const depth = Number(scope.constants.get(name)?.data[0]);
  if (!(Number.isInteger(depth) && depth >= 1)) {
    throw nodeError(scope.source, node, `has a depth "${name}" that is not one constant`);
  }
  const rank = dims.length + 1;
  const axis = normalAxis(scope, node, intAttribute(scope.source, node, 'axis', -1), rank);
  return dims.toSpliced(axis, 0, depth);
}

/** Constants above this are not searched for what is not zero. */
const MOST_SEARCHED = 2 ** 16;

/** Operators that move, repeat, pick or count values. */
export const MOVING: ShapeRules = {
  ...each(
    ['CumSum ReverseSequence Scatter ScatterElements ScatterND TensorScatter Trilu'].flatMap(
      (line) => line.split(' '),
    ),
    asInput,
  ),
  Reshape: reshaping(reshapeOf),
  Squeeze: reshaping(squeezedDims),
  Unsqueeze: reshaping(unsqueezedDims),
  Flatten: reshaping(flattenedDims),
  Transpose: reshaping((scope, node) => {
    const { dims } = inputType(scope, node, 0);
    return permutationOf(scope, node).map((axis) => dims[axis]);
  }),
  Concat: reshaping(concatenated),
  Slice: reshaping((scope, node) => sliceOf(scope, node).sizes),
  Split(scope, node) {
    const { elementType, dims } = inputType(scope, node, 0);
    const { axis, sizes } = splitSizesOf(scope, node);
    return sizes.map((size) => ({ elementType, dims: dims.with(axis, size) }));
  },
  Pad: reshaping((scope, node) => {
    const { before, after } = padsOf(scope, node);
    const dims = inputType(scope, node, 0).dims.map(
      (size, axis) => size + before[axis] + after[axis],
    );
    if (dims.every((size) => size >= 0)) return dims;
    throw nodeError(scope.source, node, 'takes away more than there is');
  }),
  Tile: reshaping((scope, node) => {
    const { dims } = inputType(scope, node, 0);
    const repeats = sizesOf(scope, node, 1, 'repeats');
    if (repeats.length === dims.length) return dims.map((size, axis) => size * repeats[axis]);
    throw nodeError(scope.source, node, `has ${repeats.length} repeats for ${dims.length} axes`);
  }),
  Expand: reshaping((scope, node) =>
    broadcast(scope, node, [inputType(scope, node, 0).dims, sizesOf(scope, node, 1, 'shape')]),
  ),
  Gather: reshaping(gathered),
  GatherElements: reshaping((scope, node) => inputType(scope, node, 1).dims),
  GatherND: reshaping(gatheredND),
  DepthToSpace: reshaping(blocks(true)),
  SpaceToDepth: reshaping(blocks(false)),
  Shape(scope, node) {
    const { start, end } = shapeRange(scope, node);
    return [{ elementType: 'int64', dims: [end - start] }];
  },
  Size(scope, node) {
    inputType(scope, node, 0);
    return [{ elementType: 'int64', dims: [] }];
  },
  ConstantOfShape(scope, node) {
    const value = node.attributes.get('value');
    const elementType = value?.type === 'tensor' ? value.value.elementType : 'float32';
    return [{ elementType, dims: sizesOf(scope, node, 0, 'shape') }];
  },
  Range: (scope, node) => [
    {
      elementType: inputType(scope, node, 0).elementType,
      dims: [rangeLength(scope, node)],
    },
  ],
  NonZero(scope, node) {
    const tensor = scope.constants.get(node.inputs[0]);
    if (!tensor || tensor.absent || tensor.data.length > MOST_SEARCHED) return [];
    let count = 0;
    for (const value of tensor.data) if (value) count += 1;
    return [{ elementType: 'int64', dims: [tensor.dims.length, count] }];
  },
  EyeLike(scope, node) {
    const type = inputType(scope, node, 0);
    const stated = node.attributes.has('dtype');
    return [stated ? { ...type, elementType: namedType(scope, node, 'dtype', 0) } : type];
  },
  OneHot: (scope, node) => [
    { elementType: inputType(scope, node, 2).elementType, dims: oneHot(scope, node) },
  ],
};
