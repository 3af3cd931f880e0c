import { featureCount } from '../../core/index.js';
import {
  BINARY_OPERATIONS,
  type BinaryOperand,
  type BinaryOperation,
  type Broadcast,
  createBinary,
  createBinaryByConstant,
  createTableBinary,
  type QuantizedOperands,
  quantizedAddTable,
  quantizedMultiplyTable,
  quantizeUint8,
  realBinaryTable,
  type StoredQuantization,
  storedReals,
} from '../../kernels/index.js';
import { canBeChannelsLast, type Form } from '../graph/form.js';
import { nodeError } from '../graph/graph.js';
import { MICROSOFT_DOMAIN } from '../graph/graph-builder.js';
import { readQuantization } from '../graph/quantization.js';
import type { BinaryLayer } from '../network.js';
import type { OnnxNode } from '../onnx/index.js';
import type {
  Activation,
  ConstantOperand,
  LayerPlace,
  Operation,
  OperatorDefinition,
  OperatorReader,
  QuantizedPlace,
  ReadValues,
} from './definition.js';
import { requireReal, storedDims, storedOrder, storedSteps } from './operands.js';

/**
 * Functions of two values. Add and Mul between DequantizeLinear and QuantizeLinear are com.microsoft QLinearAdd and
 * QLinearMul, as onnxruntime has them where both operands and the result are of one type; all others are computed on
 * dequantised numbers in float32, and then quantised.
 */
export const binary: OperatorDefinition<BinaryLayer> = {
  kind: 'binary',
  moves: false,
  joins: true,
  keepsChannels: false,
  readers: [
    // Two tensors of one shape, and biases of products, are read with `add` first.
    reader('Add', 'add'),
    reader('Sub', 'subtract'),
    reader('Mul', 'multiply'),
    reader('Div', 'divide'),
    reader('Pow', 'power'),
    reader('PRelu', 'prelu'),
    reader('Min', 'minimum'),
    reader('Max', 'maximum'),
    reader('Sum', 'add'),
    mean(),
    quantizedReader('QLinearAdd', 'add'),
    quantizedReader('QLinearMul', 'multiply'),
  ],
  float32(layer, { inputs, output }) {
    const [a, b] = operandsOf(
      layer,
      inputs.map(({ values, shape }) => ({ values, length: featureCount(shape) })),
      layer.constant?.values,
    );
    return createBinary(layer.operation, layer.broadcast, a, b, output.values);
  },
  int8(layer, at) {
    const { constant } = layer;
    return constant && !constant.stored ? byConstant(layer, constant, at) : byTable(layer, at);
  },
  vectorOperations: (_, { output }) => featureCount(output),
  isRectified: ({ operation, constant }, rectified) =>
    (operation === 'add' || operation === 'multiply') &&
    rectified.every(Boolean) &&
    (constant?.values.every((value) => value >= 0) ?? true),
};

/** The operands in their order. */
function operandsOf<Values extends Float32Array | Uint8Array>(
  { constant }: BinaryLayer,
  tensors: readonly BinaryOperand<Values>[],
  values: Values | undefined,
): readonly BinaryOperand<Values>[] {
  if (!constant || !values) return tensors;
  const operand = { values, length: 0 };
  return constant.side === 'left' ? [operand, ...tensors] : [...tensors, operand];
}

function byTable(layer: BinaryLayer, { inputs, output }: LayerPlace<QuantizedPlace>): Operation {
  const stored = layer.constant?.stored;
  const [a, b] = operandsOf(
    layer,
    inputs.map(({ values, shape }) => ({ values, length: featureCount(shape) })),
    stored?.values,
  );
  const [one, other = stored?.quantization] = inputs.map(({ quantization }) => quantization);
  const isLeft = layer.constant?.side === 'left';
  const quantizations = {
    a: (isLeft ? other : one) as StoredQuantization,
    b: (isLeft ? one : other) as StoredQuantization,
    output: output.quantization,
  };
  const table = tableOf(layer, quantizations);
  return createTableBinary(table, layer.broadcast, a, b, output.values);
}

function tableOf(
  { operation, exchanged, inFloat32 }: BinaryLayer,
  quantizations: QuantizedOperands,
): Uint8Array {
  const { a, b, output } = quantizations;
  const types = [a, b, output].map(({ signed = false }) => signed);
  const isFused = !inFloat32 && new Set(types).size === 1;
  if (isFused && operation === 'add') {
    return quantizedAddTable({ ...quantizations, ...(exchanged && { exchanged }) });
  }
  if (isFused && operation === 'multiply') return quantizedMultiplyTable(quantizations);
  return realBinaryTable(quantizations, BINARY_OPERATIONS[operation]);
}

function byConstant(
  { operation, broadcast }: BinaryLayer,
  { values: constants, side }: NonNullable<BinaryLayer['constant']>,
  { inputs: [x], output }: LayerPlace<QuantizedPlace>,
): Operation {
  const combine: (a: number, b: number) => number = BINARY_OPERATIONS[operation];
  const { scale, zeroPoint } = output.quantization;
  const [a, b] = broadcast.steps;
  return createBinaryByConstant(
    side === 'right' ? combine : (real, constant) => combine(constant, real),
    side === 'right' ? broadcast : { dims: broadcast.dims, steps: [b, a] },
    { values: x.values, length: featureCount(x.shape), reals: storedReals(x.quantization) },
    constants,
    { values: output.values, quantize: (real) => quantizeUint8(real, scale, zeroPoint) },
  );
}

/** What a node takes: a tensor, or a constant of the file in its order of axes. */
type Operand = { readonly form: Form } & (
  | { readonly tensor: Activation }
  | { readonly constant: ConstantOperand }
);

function operandAt(into: ReadValues, node: OnnxNode, position: number): Operand {
  const constant = into.constant(node, position);
  if (constant) return { constant, form: { dims: constant.dims, layout: 'row-major' } };
  const tensor = into.activation(node, position);
  return { tensor, form: tensor };
}

/** Dimensions of what operands make, by ONNX's rule: aligned at the last axis. */
function broadcastDims(node: OnnxNode, into: ReadValues, forms: readonly Form[]): number[] {
  const rank = Math.max(...forms.map(({ dims }) => dims.length));
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = forms.map(({ dims }) => dims[axis - rank + dims.length] ?? 1);
    const size = Math.max(...sizes);
    if (sizes.every((own) => own === size || own === 1)) return size;
    const shown = forms.map(({ dims }) => `[${dims.join(', ')}]`).join(' and ');
    throw nodeError(into.graph.source, node, `takes values of dimensions ${shown}`);
  });
}

/**
 * The layout of a tensor that has all dimensions of what is made, if one has; otherwise channels last where a tensor is
 * stored so and what is made can be.
 */
function broadcastForm(dims: readonly number[], tensors: readonly Form[]): Form {
  const full = tensors.find((form) => form.dims.join() === dims.join());
  const isMap =
    canBeChannelsLast({ dims }) && tensors.some(({ layout }) => layout === 'channels-last');
  return { dims, layout: full?.layout ?? (isMap ? 'channels-last' : 'row-major') };
}

/** Steps of an operand through the output as stored. */
function stepsThrough(output: Form, operand: Form): number[] {
  const steps = storedSteps(operand);
  return storedOrder(output).map((axis) => {
    const own = axis - output.dims.length + operand.dims.length;
    return own < 0 || operand.dims[own] === 1 ? 0 : steps[own];
  });
}

/** Where onnxruntime exchanges the operands of a QLinearAdd. */
function isExchanged(a: readonly number[], b: readonly number[]): boolean {
  const shared = Math.min(a.length, b.length);
  for (let back = 1; back <= shared; back++) {
    const [one, other] = [a[a.length - back], b[b.length - back]];
    if (one > 1 || other > 1) return one === 1;
  }
  return true;
}

/** The layer of two operands, of which one at least is a tensor. */
function layerOf(
  operation: BinaryOperation,
  output: Form,
  [left, right]: readonly Operand[],
): Omit<BinaryLayer, 'name' | 'inputs' | 'output'> {
  const broadcast: Broadcast = {
    dims: storedDims(output),
    steps: [stepsThrough(output, left.form), stepsThrough(output, right.form)],
  };
  const constant =
    'constant' in left
      ? { ...constantValues(left.constant), side: 'left' as const }
      : 'constant' in right
        ? { ...constantValues(right.constant), side: 'right' as const }
        : undefined;
  const isFused = operation === 'add' || operation === 'multiply';
  return {
    kind: 'binary',
    operation,
    broadcast,
    ...(constant && { constant }),
    ...(operation === 'add' && isExchanged(left.form.dims, right.form.dims) && { exchanged: true }),
    ...((!isFused || (constant && !constant.stored)) && { inFloat32: true }),
  };
}

function constantValues({ data, stored }: ConstantOperand) {
  return { values: data, ...(stored && { stored }) };
}

/**
 * Reads a function of two values, of which one may be constant.
 *
 * @param output name of what it makes; default: the node's only output
 */
function readBinary(
  into: ReadValues,
  node: OnnxNode,
  operation: BinaryOperation,
  output?: string,
): void {
  const operands = [operandAt(into, node, 0), operandAt(into, node, 1)];
  const forms = operands.map(({ form }) => form);
  const tensors = operands.flatMap((operand) => ('tensor' in operand ? [operand.tensor] : []));
  if (tensors.length === 0) into.cannot(node, 'takes constants alone');
  const form = broadcastForm(broadcastDims(node, into, forms), tensors);
  into.result(node, tensors, form, layerOf(operation, form, operands), output);
}

/** Reads an operator of one operand or more: of each pair, and then of that and the next. */
function reader(opType: string, operation: BinaryOperation): OperatorReader {
  return {
    domain: '',
    opType,
    read: (into, node) => readSeveral(into, node, operation, undefined),
  };
}

/** @param output name of what it makes; default: the node's only output */
function readSeveral(
  into: ReadValues,
  node: OnnxNode,
  operation: BinaryOperation,
  output: string | undefined,
): void {
  for (const position of node.inputs.keys()) requireReal(into, node, position);
  const [first, ...rest] = node.inputs;
  if (rest.length === 0) {
    const x = into.activation(node, 0);
    into.alias(node, x, x, output);
    return;
  }
  let left = first;
  for (const [index, right] of rest.entries()) {
    const isLast = index === rest.length - 1;
    const made = isLast ? output : `${node.outputs[0]}_of_${index + 2}`;
    readBinary(into, { ...node, inputs: [left, right] }, operation, made);
    left = made ?? '';
  }
}

/** The sum of all operands, divided by their number. */
function mean(): OperatorReader {
  return {
    domain: '',
    opType: 'Mean',
    read(into, node) {
      const sum = `${node.outputs[0]}_sum`;
      readSeveral(into, node, 'add', sum);
      const tensor = into.activation({ ...node, inputs: [sum] }, 0);
      const count = Float32Array.of(node.inputs.length);
      const operands = [
        { tensor, form: tensor },
        {
          constant: { name: '', dims: [], data: count },
          form: { dims: [], layout: 'row-major' as const },
        },
      ];
      const { dims, layout } = tensor;
      into.result(node, [tensor], { dims, layout }, layerOf('divide', { dims, layout }, operands));
    },
  };
}

/** An operator of com.microsoft on quantised tensors or initialisers, each with its scale and zero point. */
function quantizedReader(opType: string, operation: BinaryOperation): OperatorReader {
  return {
    domain: MICROSOFT_DOMAIN,
    opType,
    read(into, node) {
      const operands = [0, 3].map((position) => quantizedOperandAt(into, node, position));
      const forms = operands.map(({ form }) => form);
      const tensors = operands.flatMap((operand) => ('tensor' in operand ? [operand.tensor] : []));
      if (tensors.length === 0) into.cannot(node, 'takes constants alone');
      const form = broadcastForm(broadcastDims(node, into, forms), tensors);
      const quantization = readQuantization(into.graph, node, 6);
      into.quantizedResult(node, tensors, form, quantization, layerOf(operation, form, operands));
    },
  };
}

function quantizedOperandAt(into: ReadValues, node: OnnxNode, position: number): Operand {
  const tensor = into.graph.constants.get(node.inputs[position]);
  if (!tensor) {
    const activation = into.quantizedOperand(node, position);
    return { tensor: activation, form: activation };
  }
  const isSigned = tensor.elementType === 'int8';
  if (!isSigned && tensor.elementType !== 'uint8') {
    into.cannot(node, `takes a constant of type ${tensor.elementType}`);
  }
  const quantization = readQuantization(into.graph, node, position + 1, isSigned);
  const values = Uint8Array.from(tensor.data as Int8Array, (value) => value + (isSigned ? 128 : 0));
  const reals = storedReals(quantization);
  const { name, dims } = tensor;
  const data = Float32Array.from(values, (value) => reals[value]);
  return {
    constant: { name, dims, data, stored: { values, quantization } },
    form: { dims, layout: 'row-major' },
  };
}
