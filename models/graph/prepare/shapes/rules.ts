import type { ElementType, OnnxNode } from '../../../onnx/index.js';
import { type GraphScope, nodeError, type TensorType } from '../../graph.js';
import { inputType } from '../forms/index.js';

/**
 * Types of a node's outputs, in their order; undefined, or left out, where nobody knows them.
 *
 * @throws ModelError when the node does not fit its inputs
 */
export type ShapeRule = (scope: GraphScope, node: OnnxNode) => readonly (TensorType | undefined)[];

/** Rules by operator. */
export type ShapeRules = Readonly<Record<string, ShapeRule>>;

/** One rule for several operators. */
export function each(opTypes: readonly string[], rule: ShapeRule): ShapeRules {
  return Object.fromEntries(opTypes.map((opType) => [opType, rule]));
}

/** The output is as the first input. */
export const asInput: ShapeRule = (scope, node) => [inputType(scope, node, 0)];

/** Dimensions to which all inputs are repeated along axes on which they have size 1. */
export function broadcast(
  scope: GraphScope,
  node: OnnxNode,
  shapes: readonly (readonly number[])[],
): number[] {
  const rank = Math.max(0, ...shapes.map(({ length }) => length));
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = shapes.map((dims) => dims[axis - rank + dims.length] ?? 1);
    const size = sizes.find((one) => one !== 1) ?? 1;
    if (sizes.every((one) => one === 1 || one === size)) return size;
    const shown = shapes.map((dims) => `[${dims.join(', ')}]`).join(' and ');
    throw nodeError(scope.source, node, `joins tensors of shapes ${shown}, which do not broadcast`);
  });
}

/** Fails unless a tensor has so many dimensions. */
export function requireRank(
  scope: GraphScope,
  node: OnnxNode,
  { dims }: TensorType,
  least: number,
  most = least,
): void {
  if (dims.length >= least && dims.length <= most) return;
  const expected = least === most ? `${least}` : `at least ${least}`;
  throw nodeError(
    scope.source,
    node,
    `takes a tensor of ${dims.length} dimensions, expected ${expected}`,
  );
}

/** Element type of an input if it has one, otherwise `otherwise`. */
export function elementTypeAt(
  scope: GraphScope,
  node: OnnxNode,
  position: number,
  otherwise: ElementType,
): ElementType {
  return node.inputs[position] ? inputType(scope, node, position).elementType : otherwise;
}
