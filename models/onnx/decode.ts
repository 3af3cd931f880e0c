import type Long from 'long';
import { excerpt, ModelError } from '../../core/index.js';
import { checkLimits } from './limits.js';
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

/** No exporter writes longer names; such a one would bury the message that quotes it. */
const LONGEST_NAME = 4096;

/**
 * Reads an ONNX file.
 *
 * @param source what errors call the file
 * @throws ModelError when the bytes are no ONNX model, or hold constants of another element type than
 * ElementType's, of the wrong length or outside the file, integers of 2^53 and more where
 * sizes are expected, names with control characters, or far more parts than a network has
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
      name: printable(graph.name, `${source}: the graph's name`),
      nodes: (graph.node ?? []).map((node) => decodeNode(node, source)),
      initializers: (graph.initializer ?? []).map((tensor) => {
        const name = printable(tensor.name, `${source}: an initialiser's name`);
        return decodeTensor(tensor, `${source}: initialiser "${name}"`);
      }),
      inputs: (graph.input ?? []).map((value) => decodeValue(value, source)),
      outputs: (graph.output ?? []).map((value) => decodeValue(value, source)),
    },
  };
}

function parse(bytes: Uint8Array, source: string): onnx.ModelProto {
  try {
    checkLimits(bytes, source);
    return onnx.ModelProto.decode(bytes);
  } catch (error) {
    if (error instanceof ModelError) throw error;
    // protobufjs throws Error and RangeError, which cannot be told from each other's causes.
    const reason = error instanceof Error ? error.message : String(error);
    throw new ModelError(`${source} is cut off or not an ONNX file: ${reason}`, { cause: error });
  }
}

/** A name that may be quoted in messages, and so reach a terminal. */
function printable(name: string | null | undefined, what: string): string {
  if (!name) return '';
  if (name.length > LONGEST_NAME) {
    throw new ModelError(`${what} has ${name.length} characters; at most ${LONGEST_NAME} are read`);
  }
  if (/\p{Cc}/u.test(name)) {
    throw new ModelError(`${what} ${withEscapes(name)} holds control characters`);
  }
  return name;
}

function withEscapes(name: string): string {
  const escaped = name.replaceAll(/\p{Cc}/gu, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  return `"${escaped}"`;
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
    name: printable(node.name, `${source}: a node's name`),
    opType: printable(node.opType, `${source}: a node's operator`),
    domain: printable(standardDomain(node.domain), `${source}: a node's domain`),
    inputs: (node.input ?? []).map((name) => printable(name, `${source}: a node's input`)),
    outputs: (node.output ?? []).map((name) => printable(name, `${source}: a node's output`)),
  };
  const attributes = new Map<string, OnnxAttribute>();
  const label = nodeLabel({ ...decoded, attributes });
  for (const attribute of node.attribute ?? []) {
    const name = printable(attribute.name, `${source}: an attribute's name of ${label}`);
    if (attributes.has(name)) {
      throw new ModelError(`${source}: ${label} has the attribute "${name}" twice`);
    }
    attributes.set(name, decodeAttribute(attribute, `${source}: attribute "${name}" of ${label}`));
  }
  return { ...decoded, attributes };
}

function decodeAttribute(attribute: onnx.AttributeProto.$Properties, what: string): OnnxAttribute {
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
      return {
        type: 'string',
        value: printable(new TextDecoder().decode(attribute.s ?? undefined), what),
      };
    case AttributeType.TENSOR:
      return { type: 'tensor', value: decodeTensor(attribute.t ?? {}, what) };
    default:
      return { type: 'other' };
  }
}

function decodeValue(value: onnx.ValueInfoProto.$Properties, source: string): OnnxValue {
  const name = printable(value.name, `${source}: the name of an input or output`);
  const tensor = value.type?.tensorType;
  const dims = tensor?.shape?.dim?.map(({ dimValue, dimParam }) =>
    dimValue === undefined || dimValue === null
      ? printable(dimParam, `${source}: value "${name}": a dimension's name`)
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
    throw new ModelError(`${what} has impossible dimensions [${excerpt(dims.join(', '))}]`);
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
      `${what} has ${decoded.data.length} values, but dimensions [${excerpt(dims.join(', '))}]`,
    );
  }
  return { name: printable(tensor.name, `${what}: its name`), dims, ...decoded };
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
