import type Long from 'long';
import { ModelError } from '../../core/index.js';
import {
  type ElementType,
  nodeLabel,
  type OnnxAttribute,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValue,
} from './model.js';
import { onnx } from './proto/onnx.js';

const { DataType, DataLocation } = onnx.TensorProto;
const { AttributeType } = onnx.AttributeProto;

const ELEMENT_TYPES: ReadonlyMap<number, ElementType> = new Map([
  [DataType.FLOAT, 'float32'],
  [DataType.INT8, 'int8'],
  [DataType.UINT8, 'uint8'],
  [DataType.INT32, 'int32'],
  [DataType.INT64, 'int64'],
]);

/**
 * Reads an ONNX file.
 *
 * @param source what errors call the file
 * @throws ModelError when the bytes are no ONNX model, or hold constants of another element type than
 * ElementType's, of the wrong length or outside the file, or integers of 2^53 and more where
 * sizes are expected
 */
export function decodeOnnx(bytes: Uint8Array, source: string): OnnxModel {
  const model = parse(bytes, source);
  const { graph } = model;
  if (!graph) throw new ModelError(`${source} is cut off or not an ONNX file: it holds no graph`);
  if (model.opsetImport.length === 0) {
    throw new ModelError(`${source} is cut off or not an ONNX file: it names no operator set`);
  }
  return {
    irVersion: toNumber(model.irVersion, `${source}: ir_version`),
    producer: model.producerName,
    opsets: new Map(
      model.opsetImport.map(({ domain, version }) => [
        standardDomain(domain),
        toNumber(version ?? 0, `${source}: the operator set's version`),
      ]),
    ),
    metadata: new Map(model.metadataProps.map(({ key, value }) => [key ?? '', value ?? ''])),
    graph: {
      name: graph.name ?? '',
      nodes: (graph.node ?? []).map((node) => decodeNode(node, source)),
      initializers: (graph.initializer ?? []).map((tensor) =>
        decodeTensor(tensor, `${source}: initialiser "${tensor.name ?? ''}"`),
      ),
      inputs: (graph.input ?? []).map((value) => decodeValue(value, source)),
      outputs: (graph.output ?? []).map((value) => decodeValue(value, source)),
    },
  };
}

function parse(bytes: Uint8Array, source: string): onnx.ModelProto {
  try {
    return onnx.ModelProto.decode(bytes);
  } catch (error) {
    // protobufjs throws Error and RangeError, which cannot be told from each other's causes.
    const reason = error instanceof Error ? error.message : String(error);
    throw new ModelError(`${source} is cut off or not an ONNX file: ${reason}`, { cause: error });
  }
}

/** The standard operators' domain has two spellings. */
function standardDomain(domain: string | null | undefined): string {
  return domain === 'ai.onnx' ? '' : (domain ?? '');
}

function toNumber(value: Long | number, what: string): number {
  const number = typeof value === 'number' ? value : value.toNumber();
  if (!Number.isSafeInteger(number)) {
    throw new ModelError(`${what} is ${value}, but integers must stay below 2^53`);
  }
  return number;
}

function decodeNode(node: onnx.NodeProto.$Properties, source: string): OnnxNode {
  const decoded = {
    name: node.name ?? '',
    opType: node.opType ?? '',
    domain: standardDomain(node.domain),
    inputs: node.input ?? [],
    outputs: node.output ?? [],
  };
  const attributes = new Map<string, OnnxAttribute>();
  const label = nodeLabel({ ...decoded, attributes });
  for (const attribute of node.attribute ?? []) {
    const name = attribute.name ?? '';
    const value = decodeAttribute(attribute, `${source}: attribute "${name}" of ${label}`);
    if (value) attributes.set(name, value);
  }
  return { ...decoded, attributes };
}

function decodeAttribute(
  attribute: onnx.AttributeProto.$Properties,
  what: string,
): OnnxAttribute | undefined {
  switch (attribute.type) {
    case AttributeType.FLOAT:
      return { type: 'float', value: attribute.f ?? 0 };
    case AttributeType.INT:
      return { type: 'int', value: toNumber(attribute.i ?? 0, what) };
    case AttributeType.INTS:
      return { type: 'ints', value: (attribute.ints ?? []).map((i) => toNumber(i, what)) };
    case AttributeType.FLOATS:
      return { type: 'floats', value: attribute.floats ?? [] };
    case AttributeType.STRING:
      return { type: 'string', value: new TextDecoder().decode(attribute.s ?? new Uint8Array()) };
    case AttributeType.TENSOR:
      return { type: 'tensor', value: decodeTensor(attribute.t ?? {}, what) };
    default:
      return undefined;
  }
}

function decodeValue(value: onnx.ValueInfoProto.$Properties, source: string): OnnxValue {
  const name = value.name ?? '';
  const tensor = value.type?.tensorType;
  const dims = tensor?.shape?.dim?.map(({ dimValue, dimParam }) =>
    dimValue === undefined || dimValue === null
      ? (dimParam ?? '')
      : toNumber(dimValue, `${source}: value "${name}": a dimension`),
  );
  return { name, elementType: ELEMENT_TYPES.get(tensor?.elemType ?? 0), dims };
}

function decodeTensor(tensor: onnx.TensorProto.$Properties, what: string): OnnxTensor {
  if (tensor.dataLocation === DataLocation.EXTERNAL || tensor.externalData?.length) {
    throw new ModelError(
      `${what} keeps its data in another file; save the model with its data inside one file`,
    );
  }
  const dims = (tensor.dims ?? []).map((size) => toNumber(size, `${what}: a dimension`));
  const count = dims.reduce((product, size) => product * size, 1);
  if (dims.some((size) => size < 0) || !Number.isSafeInteger(count)) {
    throw new ModelError(`${what} has impossible dimensions [${dims.join(', ')}]`);
  }
  const elementType = ELEMENT_TYPES.get(tensor.dataType ?? 0);
  if (!elementType) {
    const found = DataType[tensor.dataType ?? 0]?.toLowerCase() ?? `number ${tensor.dataType}`;
    throw new ModelError(
      `${what} has element type ${found}; Bitcell reads float (32 bits), int8, uint8, int32 and int64`,
    );
  }
  const decoded = decodeData(tensor, elementType, what);
  if (decoded.data.length !== count) {
    throw new ModelError(
      `${what} has ${decoded.data.length} values, but dimensions [${dims.join(', ')}]`,
    );
  }
  return { name: tensor.name ?? '', dims, ...decoded };
}

type TypedData = {
  [T in ElementType]: Pick<Extract<OnnxTensor, { elementType: T }>, 'elementType' | 'data'>;
}[ElementType];

function decodeData(
  tensor: onnx.TensorProto.$Properties,
  elementType: ElementType,
  what: string,
): TypedData {
  const raw = tensor.rawData?.length ? tensor.rawData : undefined;
  const int32Data = tensor.int32Data ?? [];
  switch (elementType) {
    case 'float32':
      return {
        elementType,
        data: raw
          ? new Float32Array(alignedCopy(raw, 4, what))
          : Float32Array.from(tensor.floatData ?? []),
      };
    case 'int8':
      return { elementType, data: new Int8Array(raw ?? int32Data) };
    case 'uint8':
      return { elementType, data: new Uint8Array(raw ?? int32Data) };
    case 'int32':
      return {
        elementType,
        data: raw ? new Int32Array(alignedCopy(raw, 4, what)) : Int32Array.from(int32Data),
      };
    case 'int64':
      return {
        elementType,
        data: raw
          ? new BigInt64Array(alignedCopy(raw, 8, what))
          : BigInt64Array.from(tensor.int64Data ?? [], (value) => BigInt(value.toString())),
      };
  }
}

/** A copy that typed arrays of `width`-byte elements can view (raw_data starts anywhere in the file). */
function alignedCopy(raw: Uint8Array, width: number, what: string): ArrayBuffer {
  if (raw.length % width !== 0) {
    throw new ModelError(`${what} has ${raw.length} bytes of data, not a multiple of ${width}`);
  }
  return new Uint8Array(raw).buffer;
}
