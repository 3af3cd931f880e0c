import type { GridLayer, Quantization } from '../network.js';
import type { OnnxNode, OnnxTensor } from '../onnx/index.js';
import {
  constantInput,
  type ImportGraph,
  intAttribute,
  nodeError,
  requireElementType,
} from './graph.js';

/** TensorProto.DataType's numbers of the types that a node may name; 0 stands for none. */
const UNDEFINED = 0;
const FLOAT = 1;
const UINT8 = 2;
const INT8 = 3;
const UINT16 = 4;
const INT16 = 5;

/**
 * Attributes of QuantizeLinear and DequantizeLinear by the values with which they leave the meaning as it is.
 * `axis` and QuantizeLinear's `output_dtype` are read where they matter; `saturate` is about 8-bit floats alone.
 */
const ATTRIBUTES: Readonly<Record<string, Readonly<Record<string, readonly number[] | 'any'>>>> = {
  QuantizeLinear: {
    axis: 'any',
    saturate: 'any',
    output_dtype: 'any',
    block_size: [0],
    precision: [UNDEFINED, FLOAT],
  },
  DequantizeLinear: { axis: 'any', block_size: [0], output_dtype: [UNDEFINED, FLOAT] },
};

/** Checks that a QuantizeLinear or DequantizeLinear has no attribute that would give it another meaning. */
export function checkAttributes(source: string, node: OnnxNode): void {
  const known = ATTRIBUTES[node.opType];
  for (const name of node.attributes.keys()) {
    const supported = Object.hasOwn(known, name) ? known[name] : undefined;
    if (!supported) {
      throw nodeError(source, node, `has an attribute "${name}" that Bitcell does not know`);
    }
    const value = intAttribute(source, node, name, 0);
    if (supported !== 'any' && !supported.includes(value)) {
      throw nodeError(
        source,
        node,
        `has ${name} = ${value}; Bitcell supports ${supported.join(' and ')} only`,
      );
    }
  }
}

/**
 * The type to which a QuantizeLinear quantises: that of its zero point, or else the one it names, or else uint8.
 */
function quantizedType(graph: ImportGraph, node: OnnxNode): 'uint8' | 'int8' {
  const { source } = graph;
  const named = intAttribute(source, node, 'output_dtype', UNDEFINED);
  if (named !== UNDEFINED && named !== UINT8 && named !== INT8) {
    throw nodeError(
      source,
      node,
      `has output_dtype = ${named}; Bitcell supports ${UINT8} (uint8) and ${INT8} (int8) only`,
    );
  }
  const name = node.inputs[2];
  if (!name) return named === INT8 ? 'int8' : 'uint8';
  const type = graph.constants.get(name)?.elementType === 'int8' ? 'int8' : 'uint8';
  if (named !== UNDEFINED && (named === INT8) !== (type === 'int8')) {
    throw nodeError(
      source,
      node,
      `has output_dtype = ${named}, but a zero point "${name}" of type ${type}`,
    );
  }
  return type;
}

/**
 * Scale and zero point of activations, which a node takes as inputs `position` and `position` + 1. int8
 * tensors are taken for uint8 ones with 128 more everywhere.
 *
 * @param signedOtherwise whether activations without a zero point are int8
 */
export function readQuantization(
  graph: ImportGraph,
  node: OnnxNode,
  position = 1,
  signedOtherwise = false,
): Quantization {
  const { source } = graph;
  const scales = readScales(graph, node, position);
  if (scales.length !== 1) {
    throw nodeError(source, node, 'has a scale per channel, but activations must have one');
  }
  const [scale] = scales;
  const name = node.inputs[position + 1];
  if (!name) {
    return signedOtherwise ? { scale, zeroPoint: 128, signed: true } : { scale, zeroPoint: 0 };
  }
  const signed = graph.constants.get(name)?.elementType === 'int8';
  const type = signed ? 'int8' : 'uint8';
  const { data } = constantInput(graph, node, position + 1, 'zero point', type);
  if (data.length !== 1) throw nodeError(source, node, 'has more than one zero point');
  return signed ? { scale, zeroPoint: data[0] + 128, signed: true } : { scale, zeroPoint: data[0] };
}

/** Scale, zero point and type that a QuantizeLinear gives activations. */
export function outputQuantization(graph: ImportGraph, node: OnnxNode): Quantization {
  return readQuantization(graph, node, 1, quantizedType(graph, node) === 'int8');
}

export function isSameQuantization(one: Quantization, other: Quantization | undefined): boolean {
  return (
    one.scale === other?.scale && one.zeroPoint === other.zeroPoint && one.signed === other.signed
  );
}

function readScales(graph: ImportGraph, node: OnnxNode, position: number): Float32Array {
  const { data } = constantInput(graph, node, position, 'scale', 'float32');
  const wrong = data.find((scale) => !(scale > 0 && scale < Infinity));
  if (wrong !== undefined) {
    throw nodeError(graph.source, node, `has a scale of ${wrong}, which is not a positive number`);
  }
  return data;
}

/** How a constant is dequantised, asked for by the layer that uses it. */
export interface ConstantQuantization {
  /** One scale per channel; `axis` is the dimension of the constant that counts output channels. */
  scales(channels: number, axis: number): Float32Array;
  zeroPoints(channels: number): Int32Array;
  /** The float32 numbers that the constant stands for. */
  values(): Float32Array;
  /** Its only scale and zero point; undefined: there are several. */
  readonly single: { readonly scale: number; readonly zeroPoint: number } | undefined;
}

/**
 * Scales and zero points of weights (int8, uint8) or biases (int32), which a node takes as inputs
 * `position` and `position` + 1. Operators other than DequantizeLinear state no axis.
 */
export function constantQuantization(
  graph: ImportGraph,
  node: OnnxNode,
  constant: OnnxTensor,
  position = 1,
): ConstantQuantization {
  const { source } = graph;
  const scales = readScales(graph, node, position);
  const zeroPoints = readZeroPoints(graph, node, constant, position + 1, scales.length);
  return {
    scales(channels, axis) {
      if (scales.length === 1) return new Float32Array(channels).fill(scales[0]);
      const statesAxis = node.opType === 'DequantizeLinear';
      const stated = statesAxis ? intAttribute(source, node, 'axis', 1) : axis;
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
    values() {
      const stated = intAttribute(source, node, 'axis', 1);
      const channelOf = channelsAlong(constant.dims, stated, scales.length);
      return Float32Array.from({ length: constant.data.length }, (_, index) => {
        const stored = constant.data[index];
        const channel = channelOf(index);
        const zeroPoint = zeroPoints[zeroPoints.length === 1 ? 0 : channel];
        return Math.fround(Number(stored) - zeroPoint) * scales[channel];
      });
    },
    single:
      scales.length === 1 && zeroPoints.length === 1
        ? { scale: scales[0], zeroPoint: zeroPoints[0] }
        : undefined,
  };
}

function readZeroPoints(
  graph: ImportGraph,
  node: OnnxNode,
  constant: OnnxTensor,
  position: number,
  count: number,
): Int32Array {
  const { source } = graph;
  const { elementType } = constant;
  if (elementType !== 'int8' && elementType !== 'uint8' && elementType !== 'int32') {
    throw nodeError(
      source,
      node,
      `takes the constant "${constant.name}" of type ${elementType}; Bitcell reads int8 or uint8 weights and int32 biases`,
    );
  }
  const name = node.inputs[position];
  if (!name) return new Int32Array(count);
  const tensor = graph.constants.get(name);
  if (!tensor) {
    throw nodeError(source, node, `has a zero point "${name}" that is not an initialiser`);
  }
  const { data } = requireElementType(source, node, tensor, 'zero point', elementType);
  if (data.length !== count && data.length !== 1) {
    throw nodeError(source, node, `has ${data.length} zero points for ${count} scales`);
  }
  return Int32Array.from(data);
}

/**
 * What a QuantizeLinear node makes of a float32 constant: saturate(roundHalfEven(fround(x / s)) + z), as int8 or
 * uint8, with one scale, or one for each index along the node's axis.
 */
export function quantizeConstant(
  graph: ImportGraph,
  node: OnnxNode,
  constant: OnnxTensor,
): OnnxTensor {
  const { source } = graph;
  const { name, dims, data } = requireElementType(source, node, constant, 'weight', 'float32');
  const signed = quantizedType(graph, node) === 'int8';
  const stored: OnnxTensor = signed
    ? { name, dims, elementType: 'int8', data: new Int8Array(data.length) }
    : { name, dims, elementType: 'uint8', data: new Uint8Array(data.length) };
  const [least, most] = signed ? [-128, 127] : [0, 255];
  const stated = intAttribute(source, node, 'axis', 1);
  const axis = stated < 0 ? stated + dims.length : stated;
  const scales = readScales(graph, node, 1);
  const zeroPoints = readZeroPoints(graph, node, stored, 2, scales.length);
  if (scales.length !== 1 && scales.length !== dims[axis]) {
    throw nodeError(source, node, `has ${scales.length} scales along axis ${stated} of "${name}"`);
  }
  const channelOf = channelsAlong(dims, stated, scales.length);
  for (const [index, value] of data.entries()) {
    const channel = channelOf(index);
    const zeroPoint = zeroPoints.length === 1 ? zeroPoints[0] : zeroPoints[channel];
    const rounded = roundHalfEven(Math.fround(value / scales[channel])) + zeroPoint;
    stored.data[index] = Math.max(least, Math.min(most, rounded));
  }
  return stored;
}

/** The channel of each element, of `count` along an axis; 0 where there is but one. */
function channelsAlong(
  dims: readonly number[],
  stated: number,
  count: number,
): (index: number) => number {
  if (count === 1) return () => 0;
  const axis = stated < 0 ? stated + dims.length : stated;
  const inner = dims.slice(axis + 1).reduce((product, size) => product * size, 1);
  return (index) => Math.floor(index / inner) % count;
}

/** Integers of more than 8 bits to which a QuantizeLinear quantises; undefined: 8 bits. */
export function gridOf(
  graph: ImportGraph,
  node: OnnxNode,
): Omit<GridLayer, 'name' | 'kind' | 'input' | 'output'> | undefined {
  const named = intAttribute(graph.source, node, 'output_dtype', UNDEFINED);
  const zeroPoint = graph.constants.get(node.inputs[2] ?? '');
  const type =
    zeroPoint?.elementType ?? (named === UINT16 ? 'uint16' : named === INT16 ? 'int16' : '');
  if (type !== 'uint16' && type !== 'int16') return undefined;
  const scales = readScales(graph, node, 1);
  if (scales.length !== 1 || (zeroPoint && zeroPoint.data.length !== 1)) {
    throw nodeError(graph.source, node, 'has a scale per channel, but activations must have one');
  }
  const [low, high] = type === 'uint16' ? [0, 2 ** 16 - 1] : [-(2 ** 15), 2 ** 15 - 1];
  return { scale: scales[0], zeroPoint: Number(zeroPoint?.data[0] ?? 0), low, high };
}

/** The integer nearest to `value`, halves to the even one. */
export function roundHalfEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
