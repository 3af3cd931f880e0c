import Long from 'long';
import { DATA_TYPES } from './element-types.js';
import type { OnnxAttribute, OnnxModel, OnnxTensor, OnnxValue } from './model.js';
import { onnx } from './proto/onnx.js';

const { DataType } = onnx.TensorProto;
const { AttributeType } = onnx.AttributeProto;

/** Writes an ONNX file, with all data inside; equal models give equal bytes. */
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
          ...encodeAttribute(attribute),
          name,
        })),
      })),
      initializer: graph.initializers.map(encodeTensor),
      input: graph.inputs.map(encodeValue),
      output: graph.outputs.map(encodeValue),
      valueInfo: (graph.valueInfo ?? []).map(encodeValue),
    },
  }).finish();
}

function int64(value: number): Long {
  return Long.fromNumber(value);
}

function encodeAttribute(attribute: OnnxAttribute): onnx.AttributeProto.$Properties {
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
    case 'strings':
      return {
        type: AttributeType.STRINGS,
        strings: attribute.value.map((text) => new TextEncoder().encode(text)),
      };
    case 'tensor':
      return { type: AttributeType.TENSOR, t: encodeTensor(attribute.value) };
    case 'other':
      return onnx.AttributeProto.decode(attribute.raw);
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
  if (!value.elementType && !value.dims) return { name: value.name };
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
