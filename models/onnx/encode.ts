import Long from 'long';
import { ModelError } from '../../core/index.js';
import {
  type ElementType,
  nodeLabel,
  type OnnxAttribute,
  type OnnxModel,
  type OnnxTensor,
  type OnnxValue,
} from './model.js';
import { onnx } from './proto/onnx.js';

const { DataType } = onnx.TensorProto;
const { AttributeType } = onnx.AttributeProto;

const DATA_TYPES: Readonly<Record<ElementType, onnx.TensorProto.DataType>> = {
  float32: DataType.FLOAT,
  int8: DataType.INT8,
  uint8: DataType.UINT8,
  int32: DataType.INT32,
  int64: DataType.INT64,
};

/**
 * Writes an ONNX file; equal models give equal bytes.
 *
 * @throws ModelError when a node has an attribute whose value was not kept
 */
export function encodeOnnx(model: OnnxModel): Uint8Array {
  const { graph } = model;
  return onnx.ModelProto.encode({
    irVersion: int64(model.irVersion),
    producerName: model.producer,
    opsetImport: [...model.opsets].map(([domain, version]) => ({
      domain,
      version: int64(version),
    })),
    metadataProps: [...model.metadata].map(([key, value]) => ({ key, value })),
    graph: {
      name: graph.name,
      node: graph.nodes.map((node) => ({
        name: node.name,
        opType: node.opType,
        domain: node.domain,
        input: [...node.inputs],
        output: [...node.outputs],
        attribute: [...node.attributes].map(([name, attribute]) => ({
          name,
          ...encodeAttribute(attribute, `attribute "${name}" of ${nodeLabel(node)}`),
        })),
      })),
      initializer: graph.initializers.map(encodeTensor),
      input: graph.inputs.map(encodeValue),
      output: graph.outputs.map(encodeValue),
    },
  }).finish();
}

function int64(value: number): Long {
  return Long.fromNumber(value);
}

function encodeAttribute(attribute: OnnxAttribute, what: string): onnx.AttributeProto.$Properties {
  switch (attribute.type) {
    case 'float':
      return { type: AttributeType.FLOAT, f: attribute.value };
    case 'int':
      return { type: AttributeType.INT, i: int64(attribute.value) };
    case 'ints':
      return { type: AttributeType.INTS, ints: attribute.value.map(int64) };
    case 'floats':
      return { type: AttributeType.FLOATS, floats: [...attribute.value] };
    case 'string':
      return { type: AttributeType.STRING, s: new TextEncoder().encode(attribute.value) };
    case 'tensor':
      return { type: AttributeType.TENSOR, t: encodeTensor(attribute.value) };
    case 'other':
      throw new ModelError(`${what} is of a kind that Bitcell cannot write`);
  }
}

function encodeTensor(tensor: OnnxTensor): onnx.TensorProto.$Properties {
  const { buffer, byteOffset, byteLength } = tensor.data;
  return {
    name: tensor.name,
    dims: tensor.dims.map(int64),
    dataType: DATA_TYPES[tensor.elementType],
    rawData: new Uint8Array(buffer, byteOffset, byteLength),
  };
}

function encodeValue(value: OnnxValue): onnx.ValueInfoProto.$Properties {
  return {
    name: value.name,
    type: {
      tensorType: {
        elemType: value.elementType ? DATA_TYPES[value.elementType] : DataType.UNDEFINED,
        ...(value.dims && {
          shape: {
            dim: value.dims.map((size) =>
              typeof size === 'number' ? { dimValue: int64(size) } : { dimParam: size },
            ),
          },
        }),
      },
    },
  };
}
