import type { ElementType, OnnxNode } from '../../../onnx/index.js';
import { type GraphScope, nodeError } from '../../graph.js';
import { axisOf, inputType } from '../forms/index.js';
import { namedType } from './elementwise.js';
import {
  asInput,
  broadcast,
  each,
  elementTypeAt,
  type ShapeRule,
  type ShapeRules,
} from './rules.js';

/** The type that a QuantizeLinear gives: that of its zero point, else the one it names, else uint8. */
function quantizedType(scope: GraphScope, node: OnnxNode): ElementType {
  const uint8 = 2;
  const named = node.attributes.get('output_dtype');
  const isNamed = named?.type === 'int' && named.value !== 0;
  return elementTypeAt(
    scope,
    node,
    2,
    isNamed ? namedType(scope, node, 'output_dtype', uint8) : 'uint8',
  );
}

/** Conversions between numbers and their quantised forms. */
export const QUANTIZED: ShapeRules = {
  QuantizeLinear: (scope, node) => [
    { elementType: quantizedType(scope, node), dims: inputType(scope, node, 0).dims },
  ],
  DequantizeLinear: (scope, node) => [
    {
      elementType: inputType(scope, node, 1, 'scale').elementType,
      dims: inputType(scope, node, 0).dims,
    },
  ],
  DynamicQuantizeLinear: (scope, node) => [
    { elementType: 'uint8', dims: inputType(scope, node, 0).dims },
    { elementType: 'float32', dims: [] },
    { elementType: 'uint8', dims: [] },
  ],
};

/** Operators whose operands stand at `positions`, each with scale and zero point behind it. */
function broadcasting(positions: readonly number[], typed: number): ShapeRule {
  return (scope, node) => {
    const shapes = positions.map((position) => inputType(scope, node, position).dims);
    const { elementType } = inputType(scope, node, typed);
    return [{ elementType, dims: broadcast(scope, node, shapes) }];
  };
}

const concat: ShapeRule = (scope, node) => {
  const positions = [...node.inputs.keys()].filter((index) => index >= 2 && (index - 2) % 3 === 0);
  const shapes = positions.map((position) => inputType(scope, node, position).dims);
  const [first] = shapes;
  if (!first) throw nodeError(scope.source, node, 'has no inputs');
  const axis = axisOf(scope, node, first.length, 1);
  const size = shapes.reduce((sum, dims) => sum + (dims[axis] ?? 0), 0);
  const elementType = inputType(scope, node, positions[0]).elementType;
  return [{ elementType, dims: first.with(axis, size) }];
};

/** Operators on quantised tensors that onnxruntime adds. */
export const MICROSOFT_QUANTIZED: ShapeRules = {
  QuantizeLinear: QUANTIZED.QuantizeLinear,
  DequantizeLinear: QUANTIZED.DequantizeLinear,
  ...each(['QLinearSigmoid', 'QLinearLeakyRelu', 'QLinearSoftmax'], asInput),
  ...each(['QLinearAdd', 'QLinearMul'], broadcasting([0, 3], 0)),
  QLinearWhere: broadcasting([0, 1, 4], 1),
  QLinearConcat: concat,
  ...each(['Gelu', 'FastGelu', 'QuickGelu', 'BiasGelu', 'GroupNorm'], asInput),
};
