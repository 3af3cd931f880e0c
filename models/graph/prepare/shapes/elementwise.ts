import { elementTypeOf, type OnnxNode } from '../../../onnx/index.js';
import { type GraphScope, intAttribute, nodeError, type TensorType } from '../../graph.js';
import { inputType } from '../forms/index.js';
import { asInput, broadcast, each, type ShapeRule, type ShapeRules } from './rules.js';

/** Every input repeated to the same dimensions; the type is that of the input at `typed`, or stated. */
function broadcastRule(typed: number | 'bool'): ShapeRule {
  return (scope, node) => {
    const types = node.inputs.map((_, position) => inputType(scope, node, position));
    const elementType = typed === 'bool' ? typed : types[typed]?.elementType;
    if (!elementType) throw nodeError(scope.source, node, 'has no inputs');
    const dims = broadcast(
      scope,
      node,
      types.map((type) => type.dims),
    );
    return [{ elementType, dims }];
  };
}

const sameDimsAsBool: ShapeRule = (scope, node) => [
  { elementType: 'bool', dims: inputType(scope, node, 0).dims },
];

/** The element type that an attribute names by its number. */
export function namedType(
  scope: GraphScope,
  node: OnnxNode,
  attribute: string,
  otherwise: number,
): TensorType['elementType'] {
  const number = intAttribute(scope.source, node, attribute, otherwise);
  const type = elementTypeOf(number);
  if (type) return type;
  throw nodeError(scope.source, node, `has ${attribute} = ${number}, a type that Bitcell lacks`);
}

/** Operators that compute each element by itself. */
export const ELEMENTWISE: ShapeRules = {
  ...each(
    [
      'Abs Acos Acosh Asin Asinh Atan Atanh BitwiseNot Ceil Celu Clip Cos Cosh Elu Erf Exp Floor Gelu',
      'HardSigmoid HardSwish Identity LeakyRelu Log Mish Neg Not Reciprocal Relu Round Selu',
      'Shrink Sigmoid Sign Sin Sinh Softplus Softsign Sqrt Swish Tan Tanh ThresholdedRelu',
    ].flatMap((line) => line.split(' ')),
    asInput,
  ),
  ...each(
    'Add Sub Mul Div Mod Pow PRelu Max Min Sum Mean BitShift BitwiseAnd BitwiseOr BitwiseXor'.split(
      ' ',
    ),
    broadcastRule(0),
  ),
  ...each(
    'Equal Greater GreaterOrEqual Less LessOrEqual And Or Xor'.split(' '),
    broadcastRule('bool'),
  ),
  ...each(['IsInf', 'IsNaN'], sameDimsAsBool),
  Where: broadcastRule(1),
  Cast: (scope, node) => [
    { elementType: namedType(scope, node, 'to', 0), dims: inputType(scope, node, 0).dims },
  ],
  CastLike: (scope, node) => [
    {
      elementType: inputType(scope, node, 1).elementType,
      dims: inputType(scope, node, 0).dims,
    },
  ],
  Dropout: (scope, node) => [...asInput(scope, node), ...sameDimsAsBool(scope, node)],
};
