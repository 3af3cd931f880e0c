import type { Quantization } from '../network.js';
import type { OnnxNode, OnnxTensor } from '../onnx/index.js';
import {
  constantInput,
  type ImportGraph,
  intAttribute,
  nodeError,
  requireAttribute,
  requireElementType,
} from './graph.js';

/** Scale and zero point of a QuantizeLinear or DequantizeLinear node of activations. */
export function quantization(graph: ImportGraph, node: OnnxNode): Quantization {
  const { source } = graph;
  const scales = readScales(graph, node);
  if (scales.length !== 1) {
    throw nodeError(source, node, 'has a scale per channel, but activations must have one');
  }
  // Without a zero point, QuantizeLinear makes uint8 with zero point 0.
  if (!node.inputs[2]) return { scale: scales[0], zeroPoint: 0 };
  const { data } = constantInput(graph, node, 2, 'zero point', activationType(graph, node));
  if (data.length !== 1) throw nodeError(source, node, 'has more than one zero point');
  return { scale: scales[0], zeroPoint: data[0] };
}

function activationType(graph: ImportGraph, node: OnnxNode): 'uint8' {
  const zeroPoint = graph.constants.get(node.inputs[2]);
  if (zeroPoint?.elementType !== 'int8') return 'uint8';
  throw nodeError(
    graph.source,
    node,
    'makes int8 activations; onnxruntime leaves such groups unfused, so quantise activations to uint8',
  );
}

function readScales(graph: ImportGraph, node: OnnxNode): Float32Array {
  // Operator set 21 added scales per block and other ways to say the type.
  requireAttribute(graph.source, node, 'block_size', 0);
  requireAttribute(graph.source, node, 'output_dtype', 0);
  const { data } = constantInput(graph, node, 1, 'scale', 'float32');
  const wrong = data.find((scale) => !(scale > 0 && scale < Infinity));
  if (wrong !== undefined) {
    throw nodeError(graph.source, node, `has a scale of ${wrong}, which is not a positive number`);
  }
  return data;
}

/** How a DequantizeLinear node reads a constant, asked for by the layer that uses it. */
export interface ConstantQuantization {
  /** One scale per channel; `axis` is the dimension of the constant that counts output channels. */
  scales(channels: number, axis: number): Float32Array;
  zeroPoints(channels: number): Int32Array;
}

/** Scales and zero points of a DequantizeLinear node of weights (int8) or biases (int32). */
export function constantQuantization(
  graph: ImportGraph,
  node: OnnxNode,
  constant: OnnxTensor,
): ConstantQuantization {
  const { source } = graph;
  const scales = readScales(graph, node);
  const zeroPoints = readZeroPoints(graph, node, constant, scales.length);
  return {
    scales(channels, axis) {
      if (scales.length === 1) return new Float32Array(channels).fill(scales[0]);
      const stated = intAttribute(source, node, 'axis', 1);
      const rank = constant.dims.length;
      if (scales.length !== channels || (stated < 0 ? stated + rank : stated) !== axis) {
        throw nodeError(
          source,
          node,
          `has ${scales.length} scales along axis ${stated} of "${constant.name}", expected one, or ${channels} along axis ${axis}`,
        );
      }
      return scales;
    },
    zeroPoints: (channels) =>
      zeroPoints.length === 1 ? new Int32Array(channels).fill(zeroPoints[0]) : zeroPoints,
  };
}

function readZeroPoints(
  graph: ImportGraph,
  node: OnnxNode,
  constant: OnnxTensor,
  count: number,
): Int32Array {
  const { source } = graph;
  if (constant.elementType !== 'int8' && constant.elementType !== 'int32') {
    throw nodeError(
      source,
      node,
      `takes the constant "${constant.name}" of type ${constant.elementType}; Bitcell reads int8 weights and int32 biases`,
    );
  }
  const name = node.inputs[2];
  if (!name) return new Int32Array(count);
  const tensor = graph.constants.get(name);
  if (!tensor) {
    throw nodeError(source, node, `has a zero point "${name}" that is not an initialiser`);
  }
  const { data } = requireElementType(source, node, tensor, 'zero point', constant.elementType);
  if (data.length !== count) {
    throw nodeError(source, node, `has ${data.length} zero points for ${count} scales`);
  }
  return Int32Array.from(data);
}
