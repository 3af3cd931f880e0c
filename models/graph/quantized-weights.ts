import type { ConvolutionShape } from '../../core/index.js';
import type { Int8ArrayLayer } from '../network.js';
import type { OnnxNode, OnnxTensor } from '../onnx/index.js';
import { transpose } from '../weights/transpose.js';
import { type ImportGraph, nodeError, requireElementType } from './graph.js';
import { type ConstantQuantization, roundHalfEven } from './quantization.js';

/** A quantised constant. */
export interface QuantizedConstant {
  readonly tensor: OnnxTensor;
  readonly real: ConstantQuantization;
}

/**
 * Words of a quantised convolution or fully connected layer; uint8 ones become int8, 128 less.
 *
 * @param transposed whether they are stored input by output
 */
export function readQuantizedWeights(
  graph: ImportGraph,
  node: OnnxNode,
  shape: ConvolutionShape,
  transposed: boolean,
  { tensor, real }: QuantizedConstant,
): Pick<Int8ArrayLayer, 'weights' | 'scales' | 'zeroPoints' | 'unsignedWeights'> {
  const { dims, data } = int8Weights(graph, node, tensor);
  const channels = shape.output.channels;
  const zeroPoints = real.zeroPoints(channels);
  const weights = transposed ? transpose(data, dims[0]) : data;
  graph.weightSources.set(weights, { key: tensor.name, transposed });
  return {
    weights,
    scales: real.scales(channels, transposed ? 1 : 0),
    ...(tensor.elementType === 'uint8'
      ? { zeroPoints: zeroPoints.map((z) => z - 128), unsignedWeights: true as const }
      : { zeroPoints }),
  };
}

function int8Weights(
  graph: ImportGraph,
  node: OnnxNode,
  tensor: OnnxTensor,
): { readonly dims: readonly number[]; readonly data: Int8Array } {
  if (tensor.elementType === 'uint8') {
    return { dims: tensor.dims, data: Int8Array.from(tensor.data, (weight) => weight - 128) };
  }
  return requireElementType(graph.source, node, tensor, 'weight', 'int8');
}

/** A bias that adds to the accumulator. */
export function readAccumulatorBias(
  graph: ImportGraph,
  node: OnnxNode,
  tensor: OnnxTensor,
  channels: number,
): Int32Array {
  const { name, data } = requireElementType(graph.source, node, tensor, 'bias', 'int32');
  if (data.length === channels) return data;
  throw nodeError(
    graph.source,
    node,
    `has a bias "${name}" of ${data.length} values for ${channels} channels`,
  );
}

/** How far a bias's scale may be from s_x · s_w[c], as a share of it: onnxruntime, too, then takes it for that. */
const BIAS_SCALE_TOLERANCE = 0.01;

/** The bias adds to the accumulator as it is, so its scale must be s_x · s_w[c]. */
export function readDequantizedBias(
  graph: ImportGraph,
  node: OnnxNode,
  inputScale: number,
  weightScales: Float32Array,
  bias: QuantizedConstant | undefined,
): Int32Array {
  const { source } = graph;
  const channels = weightScales.length;
  if (!node.inputs[2]) return new Int32Array(channels);
  const real = graph.constants.get(node.inputs[2]);
  if (real?.elementType === 'float32' && real.data.length === channels) {
    // onnxruntime quantises such a bias when it fuses the group.
    return Int32Array.from(real.data, (value, channel) =>
      saturateInt32(
        roundHalfEven(Math.fround(value / Math.fround(inputScale * weightScales[channel]))),
      ),
    );
  }
  if (!bias) throw nodeError(source, node, 'has a bias that does not come from a DequantizeLinear');
  const data = readAccumulatorBias(graph, node, bias.tensor, channels);
  const { name } = bias.tensor;
  const scales = bias.real.scales(channels, 0);
  for (const [channel, scale] of scales.entries()) {
    const expected = Math.fround(inputScale * weightScales[channel]);
    if (Math.abs(scale - expected) > expected * BIAS_SCALE_TOLERANCE) {
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

function saturateInt32(value: number): number {
  return Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, value));
}
