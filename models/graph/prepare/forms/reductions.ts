import type { OnnxNode } from '../../../onnx/index.js';
import { type GraphScope, intAttribute, nodeError } from '../../graph.js';
import { axesOf, axisOf, constantInts, inputType } from './integers.js';

/** The axes that a reduction joins, and the dimensions that it leaves. */
export interface ReductionForm {
  /** From 0 on, ascending; empty: the tensor stays as it is. */
  readonly axes: readonly number[];
  readonly keepsDims: boolean;
  readonly output: readonly number[];
}

/** A Reduce… node: axes as attribute or input; without axes, all of them or, where the node says so, none. */
export function reductionOf(scope: GraphScope, node: OnnxNode): ReductionForm {
  const { dims } = inputType(scope, node, 0);
  const position = node.opType.startsWith('QLinear') ? 'attribute' : 1;
  const listed = axesOf(scope, node, dims.length, position) ?? [];
  const keepsAll = intAttribute(scope.source, node, 'noop_with_empty_axes', 0) !== 0;
  const axes = listed.length > 0 ? listed : keepsAll ? [] : [...dims.keys()];
  const keepsDims = intAttribute(scope.source, node, 'keepdims', 1) !== 0;
  return {
    axes: axes.toSorted((a, b) => a - b),
    keepsDims,
    output: reduced(dims, axes, keepsDims),
  };
}

/** An ArgMax or ArgMin. */
export function argOf(
  scope: GraphScope,
  node: OnnxNode,
): { readonly axis: number; readonly output: readonly number[]; readonly selectsLast: boolean } {
  const { dims } = inputType(scope, node, 0);
  const axis = axisOf(scope, node, dims.length, 0);
  const keepsDims = intAttribute(scope.source, node, 'keepdims', 1) !== 0;
  const selectsLast = intAttribute(scope.source, node, 'select_last_index', 0) !== 0;
  return { axis, output: reduced(dims, [axis], keepsDims), selectsLast };
}

function reduced(dims: readonly number[], axes: readonly number[], keepsDims: boolean): number[] {
  const joined = new Set(axes);
  if (keepsDims) return dims.map((size, axis) => (joined.has(axis) ? 1 : size));
  return dims.filter((_, axis) => !joined.has(axis));
}

/** The first operator set whose Softmax works along one axis. */
const ALONG_ONE_AXIS = 13;

/**
 * The axes that a Softmax, LogSoftmax or Hardmax normalises together: one from operator set 13 on (default: the last),
 * before that all from `axis` (default: 1) to the last.
 */
export function softmaxAxesOf(scope: GraphScope, node: OnnxNode): readonly number[] {
  const { dims } = inputType(scope, node, 0);
  if (scope.opset >= ALONG_ONE_AXIS) return [axisOf(scope, node, dims.length, -1)];
  const axis = axisOf(scope, node, dims.length, 1);
  return [...dims.keys()].slice(axis);
}

/** A TopK: how many along which axis. */
export function topKOf(
  scope: GraphScope,
  node: OnnxNode,
): { readonly axis: number; readonly count: number } {
  const { dims } = inputType(scope, node, 0);
  const axis = axisOf(scope, node, dims.length, -1);
  const stated = constantInts(scope, node, 1, 'k')?.[0];
  const count = stated ?? intAttribute(scope.source, node, 'k', -1);
  if (count >= 0 && count <= dims[axis]) return { axis, count };
  throw nodeError(scope.source, node, `takes the ${count} largest of ${dims[axis]}`);
}
