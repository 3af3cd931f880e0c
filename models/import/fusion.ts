import { type ImportGraph, intAttribute } from '../graph/graph.js';
import { inputsOf, type Layer, type Tensor } from '../network.js';
import { nodeLabel, type OnnxNode } from '../onnx/index.js';
import type { FloatOperator } from './operator.js';

/**
 * Whether onnxruntime, at its levels `extended` and `all` on x86, rewrites the int8 tensor that a QuantizeLinear
 * makes to uint8 (QDQS8ToU8Transformer): both it and its DequantizeLinear state a zero point, and they are used
 * once. A DequantizeLinear with several users counts as several, since onnxruntime gives each user its own
 * (EnsureUniqueDQForNodeUnit).
 */
export function becomesUint8(graph: ImportGraph, quantize: OnnxNode): boolean {
  const [dequantize] = graph.consumers.get(quantize.outputs[0]) ?? [];
  return (
    graph.uses.get(quantize.outputs[0]) === 1 &&
    dequantize?.opType === 'DequantizeLinear' &&
    Boolean(quantize.inputs[2]) &&
    Boolean(dequantize.inputs[2]) &&
    (graph.uses.get(dequantize.outputs[0]) ?? 0) <= 1
  );
}

/** The first operator set whose AveragePool onnxruntime sums row by row. */
const SUMMED_BY_ROWS = 19;

interface Parts {
  readonly tensors: readonly Tensor[];
  readonly layers: readonly Layer[];
}

/**
 * Marks the sums and averages that onnxruntime computes in float32, and names the other operators that it does:
 * those whose results Bitcell, which computes them in integers, gives only up to a step near a tie.
 *
 * @param operators of layers by name
 */
export function settleFusions<P extends Parts>(
  graph: ImportGraph,
  parts: P,
  operators: ReadonlyMap<string, FloatOperator>,
): P & { readonly unfused?: readonly string[] } {
  const producers = new Map(graph.nodes.map((node) => [node.outputs[0], node]));
  const unfused: string[] = [];
  const layers = parts.layers.map((layer): Layer => {
    const operator = operators.get(layer.name);
    if (!operator || isFused(operator, layer, parts.tensors, producers)) return layer;
    switch (layer.kind) {
      case 'add':
      case 'binary':
      case 'softmax':
        return { ...layer, inFloat32: true };
      case 'global-average-pool':
        return { ...layer, inFloat32: 'mlas' };
      case 'average-pool': {
        // With ceil_mode, windows at the edges differ from one operator set to the next.
        if (intAttribute(graph.source, operator.node, 'ceil_mode', 0) !== 0) break;
        const inFloat32 = graph.opset < SUMMED_BY_ROWS ? 'mlas' : 'rows';
        return { ...layer, inFloat32 };
      }
      case 'convolution':
      case 'fully-connected':
        break;
      default:
        // Functions of one value are the same in float32.
        return layer;
    }
    unfused.push(nodeLabel(operator.node));
    return layer;
  });
  return { ...parts, layers, ...(unfused.length > 0 && { unfused }) };
}

/**
 * Whether onnxruntime replaces a group by its integer operator: all activations must be of one type, and on x86 that
 * type is uint8 for Conv and MatMul (NodeGroupSelector and its kin); QGemm has no zero points by default.
 */
function isFused(
  { node, weightType }: FloatOperator,
  layer: Layer,
  tensors: readonly Tensor[],
  producers: ReadonlyMap<string, OnnxNode>,
): boolean {
  const isSigned = (tensor: number) => tensors[tensor].quantization?.signed === true;
  if (!tensors[layer.output].quantization) return false;
  const inputs = inputsOf(layer);
  const signed = isSigned(layer.output);
  const dequantized = inputs.map((_, position) =>
    dequantizeBefore(node.inputs[position], producers),
  );
  if (dequantized.some((found) => !found)) return false;
  if (inputs.some((tensor) => isSigned(tensor) !== signed)) return false;
  if (node.opType === 'Conv' || node.opType === 'MatMul') return !signed;
  if (node.opType !== 'Gemm') return true;
  const statesZeroPoints = [dequantized[0], producers.get(node.inputs[1])].every(
    (dequantize) => dequantize?.inputs[2],
  );
  return statesZeroPoints && !(signed && weightType === 'uint8');
}

/** The DequantizeLinear before a value: onnxruntime carries it over a Reshape, but not over a Flatten. */
function dequantizeBefore(
  value: string,
  producers: ReadonlyMap<string, OnnxNode>,
): OnnxNode | undefined {
  const node = producers.get(value);
  if (node?.opType === 'Reshape') return dequantizeBefore(node.inputs[0], producers);
  return node?.opType === 'DequantizeLinear' ? node : undefined;
}
