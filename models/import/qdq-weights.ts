import type { Int8WeightedLayer } from '../network.js';
import type { OnnxNode, OnnxTensor } from '../onnx/index.js';
import { transpose } from '../transpose.js';
import { type ImportGraph, nodeError, requireElementType } from './graph.js';
import { convolutionShape, gemmShape, type ShapedValue } from './operators.js';
import type { ConstantQuantization } from './quantization.js';

type WeightedParts = Pick<
  Int8WeightedLayer,
  'kind' | 'shape' | 'weights' | 'scales' | 'zeroPoints' | 'bias' | 'relu'
>;
/** A constant behind a DequantizeLinear node. */
export interface DequantizedConstant {
  readonly tensor: OnnxTensor;
  readonly real: ConstantQuantization;
}

/** Weights and bias of a quantised Conv or Gemm node. */
export function readQuantizedWeights(
  graph: ImportGraph,
  node: OnnxNode,
  input: ShapedValue,
  inputScale: number,
  [weight, bias]: readonly (DequantizedConstant | undefined)[],
): WeightedParts {
  const { source } = graph;
  if (!weight) {
    throw nodeError(source, node, 'has no weights that come from a DequantizeLinear of constants');
  }
  const { dims, data } = requireElementType(source, node, weight.tensor, 'weight', 'int8');
  const isConvolution = node.opType === 'Conv';
  const { shape, transposed } = isConvolution
    ? { shape: convolutionShape(graph, node, input, dims), transposed: false }
    : gemmShape(graph, node, input, dims);
  const channels = shape.output.channels;
  const scales = weight.real.scales(channels, transposed ? 1 : 0);
  return {
    kind: isConvolution ? 'convolution' : 'fully-connected',
    shape,
    weights: transposed ? transpose(data, dims[0]) : data,
    scales,
    zeroPoints: weight.real.zeroPoints(channels),
    bias: readBias(graph, node, inputScale, scales, bias),
    relu: false,
  };
}

/** The bias adds to the accumulator as it is, so its scale must be s_x · s_w[c], rounded to float32. */
function readBias(
  graph: ImportGraph,
  node: OnnxNode,
  inputScale: number,
  weightScales: Float32Array,
  bias: DequantizedConstant | undefined,
): Int32Array {
  const { source } = graph;
  const channels = weightScales.length;
  if (!node.inputs[2]) return new Int32Array(channels);
  if (!bias) throw nodeError(source, node, 'has a bias that does not come from a DequantizeLinear');
  const { name, data } = requireElementType(source, node, bias.tensor, 'bias', 'int32');
  if (data.length !== channels) {
    throw nodeError(
      source,
      node,
      `has a bias "${name}" of ${data.length} values for ${channels} channels`,
    );
  }
  const scales = bias.real.scales(channels, 0);
  for (const [channel, scale] of scales.entries()) {
    const expected = Math.fround(inputScale * weightScales[channel]);
    if (scale !== expected) {
      throw nodeError(
        source,
        node,
        `has a bias "${name}" of scale ${scale} in channel ${channel}; it must be ${expected}, the input's scale times the weights'`,
      );
    }
  }
  if (bias.real.zeroPoints(channels).some((zeroPoint) => zeroPoint !== 0)) {
    throw nodeError(source, node, `has a bias "${name}" with a zero point other than 0`);
  }
  return data;
}
