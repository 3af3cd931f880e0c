import type { OnnxNode } from '../../../onnx/index.js';
import { type GraphScope, intAttribute, nodeError, type TensorType, typeOf } from '../../graph.js';

/** Type of a node's input; `role` names it in errors. */
export function inputType(
  scope: GraphScope,
  node: OnnxNode,
  position: number,
  role = 'input',
): TensorType {
  const name = node.inputs[position];
  if (!name) throw nodeError(scope.source, node, `has no ${role}`);
  return typeOf(scope, name);
}

/** The integers of an attribute; undefined when it has none of that name. */
export function listedInts(
  scope: GraphScope,
  node: OnnxNode,
  name: string,
): readonly number[] | undefined {
  const attribute = node.attributes.get(name);
  if (!attribute) return undefined;
  if (attribute.type === 'ints') return attribute.value;
  throw nodeError(scope.source, node, `has an attribute "${name}" that is not a list of integers`);
}

/** More integers than any tensor has dimensions. */
const MOST_INTS = 1024;

/**
 * The integers of a constant input; undefined when the node has none at that place. What is beyond ±2^53 stands for
 * "to the end" and loses its last digits.
 *
 * @throws ModelError when the input is computed from the network's inputs
 */
export function constantInts(
  scope: GraphScope,
  node: OnnxNode,
  position: number,
  role: string,
): number[] | undefined {
  const name = node.inputs[position];
  if (!name) return undefined;
  const tensor = scope.constants.get(name);
  if (!tensor || tensor.absent) {
    throw nodeError(
      scope.source,
      node,
      `has ${role} "${name}" that depend on the network's input; Bitcell computes networks of fixed shapes`,
    );
  }
  if (tensor.elementType !== 'int64' && tensor.elementType !== 'int32') {
    throw nodeError(scope.source, node, `has ${role} of type ${tensor.elementType}`);
  }
  if (tensor.data.length > MOST_INTS) {
    throw nodeError(scope.source, node, `has ${role} of ${tensor.data.length} values`);
  }
  return Array.from<number | bigint, number>(tensor.data, Number);
}

/** Integers that operator sets take as an attribute at first and as an input later, or as either. */
export function intsOf(
  scope: GraphScope,
  node: OnnxNode,
  attribute: string,
  position: number | 'attribute',
): readonly number[] | undefined {
  const stated = listedInts(scope, node, attribute);
  if (stated || position === 'attribute') return stated;
  return constantInts(scope, node, position, attribute);
}

/** An axis from 0 on, of one from −rank on. */
export function normalAxis(
  scope: GraphScope,
  node: OnnxNode,
  stated: number,
  rank: number,
  most = rank - 1,
): number {
  const axis = stated < 0 ? stated + rank : stated;
  if (axis >= 0 && axis <= most) return axis;
  throw nodeError(
    scope.source,
    node,
    `has axis ${stated}, but takes a tensor of ${rank} dimensions`,
  );
}

/** The attribute `axis` as one from 0 on. */
export function axisOf(scope: GraphScope, node: OnnxNode, rank: number, otherwise: number): number {
  return normalAxis(scope, node, intAttribute(scope.source, node, 'axis', otherwise), rank);
}

/**
 * The axes of a node, from 0 on and as they are listed: an attribute, or the input at `position` of newer operator
 * sets where they have one. Undefined when it lists none.
 *
 * @param rank of the tensor that they are axes of
 */
export function axesOf(
  scope: GraphScope,
  node: OnnxNode,
  rank: number,
  position: number | 'attribute' = 1,
): number[] | undefined {
  const axes = intsOf(scope, node, 'axes', position);
  // onnxruntime takes an axis that is listed twice once.
  return axes && [...new Set(axes.map((axis) => normalAxis(scope, node, axis, rank)))];
}

/** Product of sizes. */
export function sizeOf(dims: readonly number[]): number {
  return dims.reduce((product, size) => product * size, 1);
}
