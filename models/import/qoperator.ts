import { floatAttribute, nodeError } from '../graph/graph.js';
import { constantQuantization, readQuantization } from '../graph/quantization.js';
import type { QuantizedValues } from '../graph/quantized-values.js';
import { readAccumulatorBias, readQuantizedWeights } from '../graph/quantized-weights.js';
import { concatShape, sumShape } from '../graph/shapes.js';
import { averagePooling, globallyPooled } from '../graph/windows.js';
import type { OnnxNode } from '../onnx/index.js';
import type { NodeReader } from './qdq.js';

/** Readers of ONNX's operators on quantised tensors. */
export const QOPERATOR_READERS: Readonly<Record<string, NodeReader>> = {
  QLinearConv: (into, node) => weighted(into, node, { output: 6, bias: 8 }),
  QLinearMatMul: (into, node) => weighted(into, node, { output: 6, bias: undefined }),
};

/** Readers of the operators on quantised tensors that onnxruntime adds (domain com.microsoft). */
export const MICROSOFT_READERS: Readonly<Record<string, NodeReader>> = {
  QGemm: (into, node) => weighted(into, node, { output: 7, bias: 6 }),
  QLinearAdd(into, node) {
    const one = operand(into, node, 0);
    const other = operand(into, node, 3);
    const quantization = readQuantization(into.graph, node, 6);
    const shaped = sumShape(into.graph, node, [one.shaped, other.shaped]);
    into.addQuantized(node, shaped, quantization, {
      kind: 'add',
      inputs: [one.tensor, other.tensor],
      relu: holdsNoNegatives(quantization),
    });
  },
  QLinearConcat(into, node) {
    const count = (node.inputs.length - 2) / 3;
    if (!Number.isInteger(count) || count < 1) {
      throw nodeError(into.graph.source, node, 'must have three inputs for each joined tensor');
    }
    const parts = Array.from({ length: count }, (_, part) => operand(into, node, 2 + 3 * part));
    const shaped = concatShape(
      into.graph,
      node,
      parts.map((part) => part.shaped),
    );
    const inputs = parts.map(({ tensor }) => tensor);
    into.addQuantized(node, shaped, readQuantization(into.graph, node, 0), {
      kind: 'concat',
      inputs,
    });
  },
  QLinearAveragePool(into, node) {
    const { shaped, tensor } = operand(into, node, 0);
    const pooling = averagePooling(into.graph, node, shaped);
    into.addQuantized(
      node,
      { shape: pooling.shape.output, rank: 4 },
      readQuantization(into.graph, node, 3),
      { kind: 'average-pool', input: tensor, ...pooling },
    );
  },
  QLinearGlobalAveragePool(into, node) {
    const { shaped, tensor } = operand(into, node, 0);
    const output = globallyPooled(into.graph, node, shaped);
    const quantization = readQuantization(into.graph, node, 3);
    into.addQuantized(node, output, quantization, { kind: 'global-average-pool', input: tensor });
  },
  QLinearLeakyRelu(into, node) {
    const { shaped, tensor } = operand(into, node, 0);
    const alpha = floatAttribute(into.graph.source, node, 'alpha', Math.fround(0.01));
    const quantization = readQuantization(into.graph, node, 3);
    into.addQuantized(node, shaped, quantization, { kind: 'leaky-relu', input: tensor, alpha });
  },
};

/** A quantised tensor at `position`, its scale and zero point behind it. */
function operand(into: QuantizedValues, node: OnnxNode, position: number) {
  const signed = into.quantizationOf(into.quantized(node, position).tensor).signed === true;
  const stated = readQuantization(into.graph, node, position + 1, signed);
  return into.quantizedAs(node, position, stated);
}

/**
 * A tensor with this zero point cannot hold negative numbers, so a ReLU before it changes nothing. Operators on
 * quantised tensors leave such a ReLU out.
 */
function holdsNoNegatives({ zeroPoint }: { readonly zeroPoint: number }): boolean {
  return zeroPoint === 0;
}

function weighted(
  into: QuantizedValues,
  node: OnnxNode,
  positions: { readonly output: number; readonly bias: number | undefined },
): void {
  const { graph } = into;
  const { shaped, tensor } = operand(into, node, 0);
  const weight = graph.constants.get(node.inputs[3]);
  if (!weight) {
    throw nodeError(graph.source, node, `has weights "${node.inputs[3]}" that are no initialiser`);
  }
  const real = constantQuantization(graph, node, weight, 4);
  const isConvolution = node.opType === 'QLinearConv';
  const parts = readQuantizedWeights(graph, node, shaped, isConvolution, { tensor: weight, real });
  const channels = parts.shape.output.channels;
  const biasName = positions.bias === undefined ? '' : (node.inputs[positions.bias] ?? '');
  const bias = graph.constants.get(biasName);
  if (biasName !== '' && !bias) {
    throw nodeError(graph.source, node, `has a bias "${biasName}" that is not an initialiser`);
  }
  const quantization = readQuantization(graph, node, positions.output);
  const output = { shape: parts.shape.output, rank: isConvolution ? 4 : 2 } as const;
  into.addQuantized(node, output, quantization, {
    ...parts,
    bias: bias ? readAccumulatorBias(graph, node, bias, channels) : new Int32Array(channels),
    relu: holdsNoNegatives(quantization),
    input: tensor,
  });
}
