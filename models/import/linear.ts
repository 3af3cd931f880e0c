import { NotSimulated, nodeError, onlyOutput } from '../graph/graph.js';
import {
  checkAttributes,
  constantQuantization,
  gridOf,
  isSameQuantization,
  outputQuantization,
  quantizeConstant,
  readQuantization,
} from '../graph/quantization.js';
import { holdsMoreThan, inputsOf, type Layer, type Quantization } from '../network.js';
import type { OnnxNode } from '../onnx/index.js';
import { isMoving } from '../operators/index.js';
import { becomesUint8 } from './fusion.js';
import type { ImportValues, PendingValue } from './value.js';

/**
 * A QuantizeLinear ends the group of a float32 operator and the DequantizeLinear nodes before it: the group becomes the
 * integer operator that onnxruntime makes of it. Other numbers it quantises by a layer of its own.
 */
export function readQuantizeLinear(into: ImportValues, node: OnnxNode): void {
  const { graph, values } = into;
  const { source } = graph;
  checkAttributes(source, node);
  const name = node.inputs[0];
  const output = onlyOutput(source, node);
  const constant = graph.constants.get(name);
  if (constant) {
    values.set(output, { state: 'weights', tensor: quantizeConstant(graph, node, constant) });
    return;
  }
  const grid = gridOf(graph, node);
  if (grid) {
    const operand = into.activation(node, 0);
    into.result(node, [operand], operand, { kind: 'grid', ...grid });
    const found = into.placed(output);
    if (found) values.set(output, { ...found, state: 'on-grid' });
    return;
  }
  const quantization = outputQuantization(graph, node);
  const value = values.get(name);
  const isAlone = graph.uses.get(name) === 1;
  if (value?.state === 'input' && isAlone && value.elementType === 'float32') {
    const tensor = into.placeInput(name, quantization);
    if (becomesUint8(graph, node)) into.uint8Tensors.add(tensor);
    values.set(output, { state: 'quantized', form: value.form, tensor });
    return;
  }
  if (value?.state === 'pending' && isAlone && isFused(into, value, quantization)) {
    const tensor = into.addTensor(name, value.form, quantization);
    if (becomesUint8(graph, node)) into.uint8Tensors.add(tensor);
    into.addLayer({ ...value.layer, output: tensor } as Layer);
    values.set(output, { state: 'quantized', form: value.form, tensor });
    return;
  }
  quantizeAnew(into, node, quantization);
}

/** Quantises numbers that no fused operator makes. */
function quantizeAnew(into: ImportValues, node: OnnxNode, quantization: Quantization): void {
  const { graph, values } = into;
  const { form, ...operand } = formed(into, node);
  const output = onlyOutput(graph.source, node);
  if (
    operand.state === 'dequantized' &&
    isSameQuantization(quantization, into.tensors[operand.tensor].quantization)
  ) {
    values.set(output, { state: 'quantized', form, tensor: operand.tensor });
    return;
  }
  const tensor = into.addTensor(`${node.inputs[0]}_quantized`, form, quantization);
  if (becomesUint8(graph, node)) into.uint8Tensors.add(tensor);
  const name = into.uniqueLayerName(`${node.inputs[0]}_quantize`);
  const tensors = { name, input: operand.tensor, output: tensor };
  into.addLayer(
    operand.state === 'dequantized'
      ? { kind: 'clip', low: -Infinity, high: Infinity, ...tensors }
      : { kind: 'quantize', ...tensors },
  );
  values.set(output, { state: 'quantized', form, tensor });
}

function formed(into: ImportValues, node: OnnxNode) {
  const { dims, layout, state, tensor } = into.activation(node, 0);
  if (state === 'quantized') throw nodeError(into.graph.source, node, 'quantises integers');
  return { state, tensor, form: { dims, layout } };
}

/** What a DequantizeLinear gives is the quantised tensor itself, until somebody takes its float32 numbers. */
export function readDequantizeLinear(into: ImportValues, node: OnnxNode): void {
  const { graph, values } = into;
  checkAttributes(graph.source, node);
  const output = onlyOutput(graph.source, node);
  const [name] = node.inputs;
  const value = values.get(name);
  const constant = value?.state === 'weights' ? value.tensor : graph.constants.get(name);
  if (constant) {
    const real = constantQuantization(graph, node, constant);
    values.set(output, { state: 'constant', tensor: constant, real });
    return;
  }
  if (value?.state === 'on-grid') {
    values.set(output, { ...value, state: 'float' });
    return;
  }
  if (value?.state === 'input' && (value.elementType === 'int8' || value.elementType === 'uint8')) {
    const stated = readQuantization(graph, node, 1, value.elementType === 'int8');
    const tensor = into.placeInput(name, stated);
    values.set(name, { state: 'quantized', form: value.form, tensor });
  }
  const operand = into.activation(node, 0);
  if (operand.state === 'float') {
    throw new NotSimulated(node, 'takes integers that are computed on the host');
  }
  if (operand.state !== 'quantized') {
    throw nodeError(graph.source, node, 'does not take the output of a QuantizeLinear');
  }
  const expected = into.quantizationOf(operand);
  const stated = readQuantization(graph, node, 1, expected.signed === true);
  if (!isSameQuantization(stated, expected)) {
    throw nodeError(graph.source, node, 'has another scale or zero point than its QuantizeLinear');
  }
  const { tensor, dims, layout } = operand;
  values.set(output, { state: 'dequantized', tensor, form: { dims, layout } });
}

/** Whether onnxruntime computes the group that a QuantizeLinear ends in integers. */
function isFused(into: ImportValues, { layer }: PendingValue, quantization: Quantization): boolean {
  const whole = layer as Layer;
  if (isMoving(whole)) {
    const [input] = inputsOf(whole);
    return isSameQuantization(quantization, into.tensors[input].quantization);
  }
  if (!('relu' in whole) || !whole.relu) return true;
  const upper = ('upper' in whole && whole.upper) || Infinity;
  return quantization.zeroPoint === 0 && !holdsMoreThan(quantization, upper);
}
