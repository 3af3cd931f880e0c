import { fullyConnectedShape } from '../../core/index.js';
import { type ImportGraph, isStandard } from '../graph/graph.js';
import { quantizeConstant } from '../graph/quantization.js';
import type { Float32StoredWeights, Int8StoredWeights, WordFormat } from '../network.js';
import type { OnnxNode, OnnxTensor } from '../onnx/index.js';

/**
 * Inputs of operators that are weights: what an accelerator for that operator would hold in its weight memory. Biases
 * are none: accumulators start from them. Of a matrix product either matrix may be the constant.
 */
const WEIGHTS: Readonly<Record<string, readonly number[]>> = {
  Conv: [1],
  ConvTranspose: [1],
  ConvInteger: [1],
  DeformConv: [1],
  Gemm: [0, 1],
  MatMul: [0, 1],
  MatMulInteger: [0, 1],
  QLinearConv: [3],
  QLinearMatMul: [0, 3],
  LSTM: [1, 2],
  GRU: [1, 2],
  RNN: [1, 2],
  Gather: [0],
  'com.microsoft.Attention': [1],
  'com.microsoft.QAttention': [1],
  'com.microsoft.DynamicQuantizeLSTM': [1, 2],
  'com.microsoft.DynamicQuantizeMatMul': [1],
  'com.microsoft.FusedConv': [1],
  'com.microsoft.FusedGemm': [0, 1],
  'com.microsoft.FusedMatMul': [0, 1],
  'com.microsoft.MatMulIntegerToFloat': [0, 1],
  'com.microsoft.QGemm': [0, 3],
};

/** A constant that a node takes as weights. */
export interface HeldWeights {
  /** The value that the node takes: the constant, or the output of the DequantizeLinear behind it. */
  readonly value: string;
  /** The constant: real numbers, or the integers that are stored. */
  readonly constant: OnnxTensor;
  /** The node that dequantises it. */
  readonly dequantize?: OnnxNode;
}

/**
 * The weights that a node takes: constant matrices, filters and tables of 8-bit integers or float32 numbers, and not
 * what has one axis alone. Empty for a node that is neither a product nor a table.
 */
export function heldWeights(graph: ImportGraph, node: OnnxNode): HeldWeights[] {
  const name = node.domain === '' ? node.opType : `${node.domain}.${node.opType}`;
  return (WEIGHTS[name] ?? []).flatMap((position): HeldWeights[] => {
    const value = node.inputs[position] ?? '';
    const dequantize = producedBy(graph, value, 'DequantizeLinear');
    const constant = dequantize ? quantizedConstant(graph, dequantize) : graph.constants.get(value);
    const isMatrix = constant && constant.dims.length >= 2 && constant.data.length > 0;
    if (!isMatrix || !['float32', 'int8', 'uint8'].includes(constant.elementType)) return [];
    return [{ value, constant, ...(dequantize && { dequantize }) }];
  });
}

function producedBy(graph: ImportGraph, value: string, opType: string): OnnxNode | undefined {
  const node = graph.producers.get(value);
  return node && isStandard(node, opType) ? node : undefined;
}

/** The integers that a DequantizeLinear takes, where they are a constant or a QuantizeLinear makes them of one. */
function quantizedConstant(graph: ImportGraph, { inputs }: OnnxNode): OnnxTensor | undefined {
  const [integers] = inputs;
  const quantize = producedBy(graph, integers, 'QuantizeLinear');
  if (!quantize) return graph.constants.get(integers);
  const real = graph.constants.get(quantize.inputs[0]);
  return real && quantizeConstant(graph, quantize, real);
}

/** Words of weights as the weight memory has them, and their shape there. */
export type StoredMatrix =
  | Pick<Int8StoredWeights, 'shape' | 'weights' | 'scales' | 'zeroPoints' | 'unsignedWeights'>
  | Pick<Float32StoredWeights, 'shape' | 'weights'>;

/**
 * Weights in the word format of a network, as a matrix whose rows have one scale each; undefined where the format
 * cannot hold them: float32 numbers in int8 words, integers that nothing dequantises in float32 ones.
 */
export function storedMatrix(
  graph: ImportGraph,
  { constant, dequantize }: HeldWeights,
  format: WordFormat,
): StoredMatrix | undefined {
  const { dims, data } = constant;
  if (constant.elementType === 'float32') {
    if (format === 'int8' || dequantize) return undefined;
    return { shape: matrixShape(dims, dims.length - 2), weights: constant.data };
  }
  const scaled = dequantize
    ? scalesOf(graph, dequantize, dims)
    : { axis: dims.length - 2, scales: [1], zeroPoints: [0] };
  if (!scaled) return undefined;
  const { axis, scales, zeroPoints } = scaled;
  const shape = matrixShape(dims, axis);
  const rows = shape.output.channels;
  const rowScales = Float32Array.from({ length: rows }, (_, row) => scales[row % scales.length]);
  const rowZeros = Int32Array.from(
    { length: rows },
    (_, row) => zeroPoints[row % zeroPoints.length],
  );
  if (format === 'float32') {
    if (!dequantize) return undefined;
    const width = shape.input.channels;
    const weights = Float32Array.from(data as Int8Array | Uint8Array, (word, index) => {
      const row = Math.floor(index / width);
      return rowScales[row] * (word - rowZeros[row]);
    });
    return { shape, weights };
  }
  return constant.elementType === 'uint8'
    ? {
        shape,
        weights: Int8Array.from(constant.data, (word) => word - 128),
        scales: rowScales,
        zeroPoints: rowZeros.map((zeroPoint) => zeroPoint - 128),
        unsignedWeights: true,
      }
    : { shape, weights: constant.data as Int8Array, scales: rowScales, zeroPoints: rowZeros };
}

/** The axes up to one are the rows of a matrix, the others its columns. */
function matrixShape(dims: readonly number[], axis: number) {
  const product = (sizes: readonly number[]) => sizes.reduce((count, size) => count * size, 1);
  return fullyConnectedShape(product(dims.slice(axis + 1)), product(dims.slice(0, axis + 1)));
}

/** Scales and zero points along an axis of a constant, one of each or as many as it is long; undefined: other ones. */
function scalesOf(
  graph: ImportGraph,
  { inputs, attributes }: OnnxNode,
  dims: readonly number[],
): { axis: number; scales: ArrayLike<number>; zeroPoints: ArrayLike<number> } | undefined {
  const scale = graph.constants.get(inputs[1] ?? '');
  const zeroPoint = graph.constants.get(inputs[2] ?? '');
  const blocks = attributes.get('block_size');
  if (scale?.elementType !== 'float32' || (inputs[2] && !zeroPoint)) return undefined;
  if (blocks?.type === 'int' && blocks.value !== 0) return undefined;
  const zeroPoints = Array.from(zeroPoint?.data ?? [0], Number);
  const scales = scale.data;
  if (scales.length === 1) return { axis: dims.length - 2, scales, zeroPoints };
  const stated = attributes.get('axis');
  const given = stated?.type === 'int' ? stated.value : 1;
  const axis = given < 0 ? given + dims.length : given;
  return scales.length === dims[axis] ? { axis, scales, zeroPoints } : undefined;
}
