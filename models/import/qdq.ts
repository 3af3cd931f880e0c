import { constantScalar, floatAttribute, nodeError, onlyOutput } from '../graph/graph.js';
import {
  checkAttributes,
  constantQuantization,
  isSameQuantization,
  outputQuantization,
  quantizeConstant,
  readQuantization,
} from '../graph/quantization.js';
import type { QuantizedValue, QuantizedValues } from '../graph/quantized-values.js';
import { readDequantizedBias, readQuantizedWeights } from '../graph/quantized-weights.js';
import {
  activationBounds,
  concatShape,
  flattened,
  requireFlattening,
  sumShape,
} from '../graph/shapes.js';
import { averagePooling, globallyPooled, poolingShape } from '../graph/windows.js';
import { holdsMoreThan } from '../network.js';
import type { OnnxNode } from '../onnx/index.js';
import { becomesUint8 } from './fusion.js';

/** Reads one node into a quantised graph. */
export type NodeReader = (into: QuantizedValues, node: OnnxNode) => void;

/**
 * Readers of QuantizeLinear, DequantizeLinear and the float32 operators between them. Each group means the
 * integer operator that onnxruntime makes of it; groups that onnxruntime would leave in float32 are
 * refused. MaxPool, Flatten and Reshape move quantised tensors, too.
 */
export const QDQ_READERS: Readonly<Record<string, NodeReader>> = {
  QuantizeLinear: quantize,
  DequantizeLinear: dequantize,
  Conv: weighted,
  Gemm: weighted,
  MatMul: weighted,
  Relu: activationFunction,
  Clip: activationFunction,
  LeakyRelu(into, node) {
    const { shaped, tensor } = into.dequantized(node, 0);
    const alpha = floatAttribute(into.graph.source, node, 'alpha', Math.fround(0.01));
    into.addResult(node, shaped, { kind: 'leaky-relu', input: tensor, alpha });
  },
  Add(into, node) {
    const one = into.dequantized(node, 0);
    const other = into.dequantized(node, 1);
    const shaped = sumShape(into.graph, node, [one.shaped, other.shaped]);
    into.addResult(node, shaped, {
      kind: 'add',
      inputs: [one.tensor, other.tensor],
      relu: false,
    });
  },
  Concat(into, node) {
    const parts = node.inputs.map((_, position) => into.dequantized(node, position));
    if (parts.length === 0) throw nodeError(into.graph.source, node, 'has no inputs');
    const shaped = concatShape(
      into.graph,
      node,
      parts.map((part) => part.shaped),
    );
    into.addResult(node, shaped, { kind: 'concat', inputs: parts.map(({ tensor }) => tensor) });
  },
  AveragePool(into, node) {
    const { shaped, tensor } = into.dequantized(node, 0);
    const pooling = averagePooling(into.graph, node, shaped);
    const output = { shape: pooling.shape.output, rank: 4 } as const;
    into.addResult(node, output, { kind: 'average-pool', input: tensor, ...pooling });
  },
  GlobalAveragePool(into, node) {
    const { shaped, tensor } = into.dequantized(node, 0);
    const output = globallyPooled(into.graph, node, shaped);
    into.addResult(node, output, { kind: 'global-average-pool', input: tensor });
  },
  MaxPool: maxPool,
  Flatten: flatten,
  Reshape: flatten,
};

function maxPool(into: QuantizedValues, node: OnnxNode): void {
  const value = into.activation(node, 0);
  if (value.state === 'quantized') {
    const shape = poolingShape(into.graph, node, value.shaped);
    const output = { shape: shape.output, rank: 4 } as const;
    const layer = { kind: 'max-pool', input: value.tensor, shape } as const;
    into.addQuantized(node, output, into.quantizationOf(value.tensor), layer);
    return;
  }
  const { shaped, tensor } = into.dequantized(node, 0);
  const shape = poolingShape(into.graph, node, shaped);
  const output = { shape: shape.output, rank: 4 } as const;
  into.addResult(node, output, { kind: 'max-pool', input: tensor, shape });
}

function flatten(into: QuantizedValues, node: OnnxNode): void {
  const value = into.activation(node, 0);
  if (value.state === 'quantized') {
    requireFlattening(into.graph, node, value.shaped);
    const layer = { kind: 'flatten', input: value.tensor } as const;
    const quantization = into.quantizationOf(value.tensor);
    into.addQuantized(node, flattened(value.shaped.shape), quantization, layer);
    return;
  }
  const { shaped, tensor } = into.dequantized(node, 0);
  requireFlattening(into.graph, node, shaped);
  into.addResult(node, flattened(shaped.shape), { kind: 'flatten', input: tensor });
}

function weighted(into: QuantizedValues, node: OnnxNode): void {
  const { graph, values } = into;
  const { shaped, tensor } = into.dequantized(node, 0);
  const constant = (position: number) => {
    const value = values.get(node.inputs[position] ?? '');
    return value?.state === 'constant' ? value : undefined;
  };
  const weight = constant(1);
  if (!weight) {
    throw nodeError(
      graph.source,
      node,
      'has no weights that come from a DequantizeLinear of constants',
    );
  }
  const isConvolution = node.opType === 'Conv';
  const parts = readQuantizedWeights(graph, node, shaped, isConvolution, weight);
  const { scale } = into.quantizationOf(tensor);
  const bias = readDequantizedBias(graph, node, scale, parts.scales, constant(2));
  const output = { shape: parts.shape.output, rank: isConvolution ? 4 : 2 } as const;
  into.addResult(node, output, { ...parts, bias, input: tensor }, weight.tensor.elementType);
}

/** Joins the layer whose result it follows, or is a layer of its own after a DequantizeLinear. */
function activationFunction(into: QuantizedValues, node: OnnxNode): void {
  const { graph, values } = into;
  const { source } = graph;
  const value = into.activation(node, 0);
  const { low, high } = activationBounds(graph, node, (name, role) =>
    constantScalar(graph, node, name, role),
  );
  if (value.state === 'dequantized') {
    into.addResult(node, value.shaped, { kind: 'clip', input: value.tensor, low, high });
    return;
  }
  if (value.state !== 'result' || !('relu' in value.layer) || low !== 0 || !(high > 0)) {
    throw nodeError(
      source,
      node,
      node.opType === 'Relu'
        ? 'does not directly follow a Conv, Gemm, MatMul, Add or DequantizeLinear'
        : `clips to ${low}…${high}; after a Conv, Gemm, MatMul or Add, Bitcell reads Clip from 0 on`,
    );
  }
  if (graph.uses.get(node.inputs[0]) !== 1) {
    throw nodeError(source, node, `shares its input "${node.inputs[0]}" with another node`);
  }
  const bounded = 'weights' in value.layer && high < Infinity ? { upper: high } : {};
  values.set(onlyOutput(source, node), {
    ...value,
    layer: { ...value.layer, relu: true, ...bounded },
    upper: Math.min(value.upper, high),
  });
}

function quantize(into: QuantizedValues, node: OnnxNode): void {
  const { graph, values } = into;
  const { source } = graph;
  checkAttributes(source, node);
  const constant = graph.constants.get(node.inputs[0]);
  if (constant) {
    const output = onlyOutput(source, node);
    values.set(output, { state: 'weights', tensor: quantizeConstant(graph, node, constant) });
    return;
  }
  const value = into.activation(node, 0);
  const quantization = outputQuantization(graph, node);
  if (value.state !== 'input' && value.state !== 'result') {
    throw nodeError(source, node, 'quantises a tensor again');
  }
  if (graph.uses.get(node.inputs[0]) !== 1) {
    throw nodeError(source, node, `shares its input "${node.inputs[0]}" with another node`);
  }
  const { shaped } = value;
  if (value.state === 'result') requireFusion(into, node, value, quantization);
  const tensor = into.addTensor(node.inputs[0], shaped, quantization);
  if (becomesUint8(graph, node)) into.uint8Tensors.add(tensor);
  if (value.state === 'result') into.addLayer({ ...value.layer, output: tensor });
  values.set(onlyOutput(source, node), { state: 'quantized', shaped, tensor });
}

function dequantize(into: QuantizedValues, node: OnnxNode): void {
  const { graph, values } = into;
  checkAttributes(graph.source, node);
  const output = onlyOutput(graph.source, node);
  const source = values.get(node.inputs[0]);
  const constant =
    source?.state === 'weights' ? source.tensor : graph.constants.get(node.inputs[0]);
  if (constant) {
    const real = constantQuantization(graph, node, constant);
    values.set(output, { state: 'constant', tensor: constant, real });
    return;
  }
  const value = into.activation(node, 0);
  if (value.state !== 'quantized') {
    throw nodeError(graph.source, node, 'does not take the output of a QuantizeLinear');
  }
  const expected = into.quantizationOf(value.tensor);
  const stated = readQuantization(graph, node, 1, expected.signed === true);
  if (!isSameQuantization(stated, expected)) {
    throw nodeError(graph.source, node, 'has another scale or zero point than its QuantizeLinear');
  }
  values.set(output, { ...value, state: 'dequantized' });
}

/** Checks that onnxruntime computes the group that a QuantizeLinear ends in integers. */
function requireFusion(
  into: QuantizedValues,
  node: OnnxNode,
  { layer, upper }: Extract<QuantizedValue, { state: 'result' }>,
  quantization: ReturnType<typeof readQuantization>,
): void {
  const { source } = into.graph;
  const { scale, zeroPoint, signed } = quantization;
  if (layer.kind === 'max-pool' || layer.kind === 'flatten') {
    if (!isSameQuantization(quantization, into.quantizationOf(layer.input))) {
      throw nodeError(
        source,
        node,
        `has another scale or zero point than the input of layer "${layer.name}"; onnxruntime leaves such groups unfused`,
      );
    }
    return;
  }
  if (!('relu' in layer) || !layer.relu) return;
  if (zeroPoint !== 0) {
    const [shown, lowest] = signed ? [zeroPoint - 128, -128] : [zeroPoint, 0];
    throw nodeError(
      source,
      node,
      `has zero point ${shown} after the Relu of layer "${layer.name}"; onnxruntime leaves such groups unfused, so quantise ReLU outputs with zero point ${lowest}`,
    );
  }
  if (holdsMoreThan(quantization, upper)) {
    const largest = Math.fround(scale * (255 - zeroPoint));
    throw nodeError(
      source,
      node,
      `holds numbers up to ${largest} after the Clip of layer "${layer.name}" to ${upper}; onnxruntime leaves such groups unfused, so quantise what the Clip leaves`,
    );
  }
}
