import type { OnnxNode, OnnxTensor } from '../../onnx/index.js';
import { type GraphScope, intAttribute, type TensorType } from '../graph.js';
import type { Fold } from './fold/index.js';
import { normalAxis, permutationOf } from './forms/index.js';

/** Quantised weights that were moved before they are dequantised: nodes in the place of the one that moved them. */
export interface MovedWeights {
  readonly constant: OnnxTensor;
  readonly nodes: readonly OnnxNode[];
}

const MOVING = new Set(['Transpose', 'Reshape', 'Squeeze', 'Unsqueeze', 'Flatten']);

/**
 * A Transpose, or other dimensions, of dequantised constants is the same of the constants themselves, dequantised
 * afterwards. So what stands before a layer is a DequantizeLinear of stored words, wherever the file moves them.
 *
 * @param makers the nodes before, by the values that they make
 * @param type of the node's output
 * @param fresh makes names of values
 * @returns undefined where the node moves something else, or along whose axis there is a scale each
 */
export function moveWeights(
  scope: GraphScope,
  node: OnnxNode,
  type: TensorType,
  {
    makers,
    fold,
    fresh,
  }: {
    readonly makers: ReadonlyMap<string, OnnxNode>;
    readonly fold: Fold;
    fresh(wanted: string): string;
  },
): MovedWeights | undefined {
  if (node.domain !== '' || !MOVING.has(node.opType)) return undefined;
  const chain = conversions(scope, makers, node.inputs[0]);
  const stored = chain && scope.constants.get(chain[0].inputs[0]);
  if (!stored) return undefined;
  const name = fresh(`${stored.name}_${node.opType.toLowerCase()}`);
  const attributes = chain.map((conversion) => movedAxis(scope, node, conversion));
  const movedType = { elementType: stored.elementType, dims: type.dims };
  const moved = { ...node, inputs: [stored.name, ...node.inputs.slice(1)], outputs: [name] };
  const [constant] = (attributes.every(Boolean) && fold(moved, [movedType])) || [];
  if (!constant) return undefined;
  let input = name;
  const nodes = chain.map((conversion, index) => {
    const isLast = index === chain.length - 1;
    const output = isLast ? node.outputs[0] : fresh(`${name}_quantized`);
    const inputs = [input, ...conversion.inputs.slice(1)];
    input = output;
    return {
      ...conversion,
      inputs,
      outputs: [output],
      attributes: attributes[index] ?? conversion.attributes,
    };
  });
  return { constant, nodes };
}

/** The DequantizeLinear that makes a value of a constant, behind a QuantizeLinear or not. */
function conversions(
  scope: GraphScope,
  makers: ReadonlyMap<string, OnnxNode>,
  value: string,
): readonly [OnnxNode, ...OnnxNode[]] | undefined {
  const dequantize = makers.get(value);
  if (dequantize?.opType !== 'DequantizeLinear') return undefined;
  if (scope.constants.has(dequantize.inputs[0])) return [dequantize];
  const quantize = makers.get(dequantize.inputs[0]);
  if (quantize?.opType !== 'QuantizeLinear' || !scope.constants.has(quantize.inputs[0])) {
    return undefined;
  }
  return [quantize, dequantize];
}

/** Attributes with the axis along which scales stand after the move; undefined where the move takes it apart. */
function movedAxis(
  scope: GraphScope,
  node: OnnxNode,
  conversion: OnnxNode,
): OnnxNode['attributes'] | undefined {
  const scales = scope.constants.get(conversion.inputs[1]);
  if (scales?.data.length === 1) return conversion.attributes;
  const rank = scope.types.get(node.inputs[0])?.dims.length;
  if (!scales || !rank || node.opType !== 'Transpose') return undefined;
  if (intAttribute(scope.source, conversion, 'block_size', 0) !== 0) return undefined;
  const stated = intAttribute(scope.source, conversion, 'axis', 1);
  const axis = permutationOf(scope, node).indexOf(normalAxis(scope, node, stated, rank));
  return new Map([...conversion.attributes, ['axis', { type: 'int', value: axis }]]);
}
