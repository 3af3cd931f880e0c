import type { OnnxNode } from '../../../onnx/index.js';
import { type GraphScope, nodeError, type TensorType } from '../../graph.js';
import { sizeOf } from '../forms/index.js';
import { LARGEST_VALUE } from '../sample.js';
import { CLASSIC } from './classic.js';
import { ELEMENTWISE } from './elementwise.js';
import { IMAGES } from './images.js';
import { MOVING } from './moving.js';
import { MICROSOFT_PRODUCTS, PRODUCTS } from './products.js';
import { MICROSOFT_QUANTIZED, QUANTIZED } from './quantized.js';
import { MICROSOFT_RECURRENT, RECURRENT } from './recurrent.js';
import { MICROSOFT_REDUCTIONS, REDUCTIONS } from './reductions.js';
import type { ShapeRule, ShapeRules } from './rules.js';
import { MICROSOFT_WINDOWS, WINDOWS } from './windows.js';

/** More dimensions than any operator works on. */
const MOST_DIMENSIONS = 64;

/** Rules by domain and operator. */
const RULES: ReadonlyMap<string, ShapeRules> = new Map([
  [
    '',
    {
      ...ELEMENTWISE,
      ...MOVING,
      ...WINDOWS,
      ...PRODUCTS,
      ...REDUCTIONS,
      ...RECURRENT,
      ...IMAGES,
      ...QUANTIZED,
    },
  ],
  [
    'com.microsoft',
    {
      ...MICROSOFT_WINDOWS,
      ...MICROSOFT_PRODUCTS,
      ...MICROSOFT_REDUCTIONS,
      ...MICROSOFT_RECURRENT,
      ...MICROSOFT_QUANTIZED,
    },
  ],
  ['ai.onnx.ml', CLASSIC],
]);

function ruleOf({ domain, opType }: OnnxNode): ShapeRule | undefined {
  const rules = RULES.get(domain);
  return rules && Object.hasOwn(rules, opType) ? rules[opType] : undefined;
}

/**
 * Types of a node's outputs; undefined, or left out, where no rule gives them.
 *
 * @throws ModelError when the node does not fit its inputs, or has an output beyond any network's
 */
export function outputTypes(
  scope: GraphScope,
  node: OnnxNode,
): readonly (TensorType | undefined)[] {
  const types = ruleOf(node)?.(scope, node) ?? [];
  for (const type of types) {
    if (!type) continue;
    const isPossible =
      type.dims.length <= MOST_DIMENSIONS &&
      type.dims.every((size) => Number.isInteger(size) && size >= 0);
    if (isPossible && sizeOf(type.dims) <= LARGEST_VALUE) continue;
    throw nodeError(scope.source, node, `has an impossible output of ${type.dims.join('×')}`);
  }
  return types;
}
