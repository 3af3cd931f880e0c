import { featureCount } from '../../core/index.js';
import {
  activationTable,
  applyFunction,
  applyTable,
  FUNCTIONS,
  type FunctionName,
  realFunction,
} from '../../kernels/index.js';
import { floatAttribute, stringAttribute } from '../graph/graph.js';
import { MICROSOFT_DOMAIN } from '../graph/graph-builder.js';
import { readQuantization } from '../graph/quantization.js';
import type { FunctionLayer } from '../network.js';
import type { OnnxNode } from '../onnx/index.js';
import type { OperatorDefinition, OperatorReader, ReadValues } from './definition.js';
import { realOperand } from './operands.js';

/**
 * Functions of one value. Between DequantizeLinear and QuantizeLinear, and as com.microsoft QLinearSigmoid, such a
 * layer is a table of 256: onnxruntime makes the same one where it fuses (Sigmoid), and computes it value by value in
 * float32 where it does not.
 */
export const functionOfOne: OperatorDefinition<FunctionLayer> = {
  kind: 'function',
  moves: false,
  joins: false,
  keepsChannels: true,
  readers: [
    reader('Abs', 'abs'),
    reader('Ceil', 'ceil'),
    reader('Celu', 'celu', ['alpha']),
    reader('Cos', 'cos'),
    reader('Elu', 'elu', ['alpha']),
    reader('Erf', 'erf'),
    reader('Exp', 'exp'),
    reader('Floor', 'floor'),
    gelu(''),
    gelu(MICROSOFT_DOMAIN),
    reader('FastGelu', 'gelu-tanh', [], MICROSOFT_DOMAIN),
    reader('HardSigmoid', 'hard-sigmoid', ['alpha', 'beta']),
    reader('HardSwish', 'hard-swish'),
    reader('Log', 'log'),
    reader('Mish', 'mish'),
    reader('Neg', 'negate'),
    reader('QuickGelu', 'swish', ['alpha'], MICROSOFT_DOMAIN),
    reader('Reciprocal', 'reciprocal'),
    reader('Round', 'round'),
    reader('Selu', 'selu', ['alpha', 'gamma']),
    reader('Sigmoid', 'sigmoid'),
    reader('Sign', 'sign'),
    reader('Sin', 'sin'),
    reader('Softplus', 'softplus'),
    reader('Softsign', 'softsign'),
    reader('Sqrt', 'sqrt'),
    reader('Swish', 'swish', ['alpha']),
    reader('Tanh', 'tanh'),
    reader('ThresholdedRelu', 'thresholded-relu', ['alpha']),
    {
      domain: MICROSOFT_DOMAIN,
      opType: 'QLinearSigmoid',
      read(into, node) {
        const x = into.quantizedOperand(node, 0);
        const quantization = readQuantization(into.graph, node, 3);
        into.quantizedResult(node, [x], x, quantization, layerOf('sigmoid'));
      },
    },
  ],
  float32(layer, { inputs: [x], output }) {
    const evaluate = realFunction(layer.function, layer.parameters);
    const length = featureCount(x.shape);
    return (images) =>
      applyFunction(evaluate, x.values.subarray(0, images * length), output.values);
  },
  int8(layer, { inputs: [x], output }) {
    const evaluate = realFunction(layer.function, layer.parameters);
    const table = activationTable(x.quantization, output.quantization, evaluate);
    const length = featureCount(x.shape);
    return (images) => applyTable(table, x.values.subarray(0, images * length), output.values);
  },
  vectorOperations: (_, { output }) => featureCount(output),
  isRectified: (layer, [rectified]) =>
    RECTIFIED.has(layer.function) || (rectified && ODD.has(layer.function)),
};

/** Functions that are never negative. */
const RECTIFIED: ReadonlySet<FunctionName> = new Set([
  'abs',
  'exp',
  'hard-sigmoid',
  'sigmoid',
  'softplus',
  'sqrt',
]);

/** Functions that are not negative where their argument is not. */
const ODD: ReadonlySet<FunctionName> = new Set([
  'ceil',
  'celu',
  'elu',
  'erf',
  'floor',
  'gelu',
  'gelu-tanh',
  'hard-swish',
  'mish',
  'reciprocal',
  'round',
  'selu',
  'sign',
  'softsign',
  'swish',
  'tanh',
  'thresholded-relu',
]);

function layerOf(name: FunctionName, parameters: readonly number[] = []) {
  return { kind: 'function', function: name, parameters } as const;
}

/** @param attributes that hold the function's parameters, in its order */
function reader(
  opType: string,
  name: FunctionName,
  attributes: readonly string[] = [],
  domain = '',
): OperatorReader {
  return {
    domain,
    opType,
    read(into, node) {
      if (node.inputs.length > 1) into.cannot(node, 'has a second input');
      const x = realOperand(into, node, 0);
      into.result(node, [x], x, layerOf(name, parametersOf(into, node, name, attributes)));
    },
  };
}

/** com.microsoft QuickGelu, which has a function's name but another default. */
const QUICK_GELU_ALPHA = Math.fround(1.702);

function parametersOf(
  { graph }: ReadValues,
  node: OnnxNode,
  name: FunctionName,
  attributes: readonly string[],
): number[] {
  const defaults =
    node.opType === 'QuickGelu' ? [QUICK_GELU_ALPHA] : (FUNCTIONS[name].defaults as number[]);
  return attributes.map((attribute, index) =>
    floatAttribute(graph.source, node, attribute, defaults[index]),
  );
}

/** Gelu has two formulas in the standard operators, and one in com.microsoft. */
function gelu(domain: string): OperatorReader {
  return {
    domain,
    opType: 'Gelu',
    read(into, node) {
      const form = stringAttribute(into.graph.source, node, 'approximate', 'none');
      if (form !== 'none' && form !== 'tanh') into.cannot(node, `has approximate = "${form}"`);
      const x = realOperand(into, node, 0);
      into.result(node, [x], x, layerOf(form === 'tanh' ? 'gelu-tanh' : 'gelu'));
    },
  };
}
