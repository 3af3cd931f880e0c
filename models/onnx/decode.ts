import Long from 'long';
import { ModelError } from '../../core/index.js';
import { elementTypeOf } from './element-types.js';
import { type ExternalReader, externalReader } from './external-data.js';
import { checkLimits } from './limits.js';
import {
  nodeLabel,
  type OnnxAttribute,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValue,
} from './model.js';
import { onnx } from './proto/onnx.js';
import { tensorWithData } from './tensor-data.js';

const { AttributeType } = onnx.AttributeProto;

/** No exporter writes longer names; such a one would bury the message that quotes it. */
const LONGEST_NAME = 4096;

export interface DecodeOptions {
  /** The folder of the file, in which data that it keeps in other files lies; default: such data is refused. */
  readonly folder?: string;
  /**
   * Whether files with data must be there: `optional` makes zeros of what is missing, enough for shapes and for times.
   * Default: `required`.
   */
  readonly weights?: 'required' | 'optional';
}

/**
 * Reads an ONNX file.
 *
 * @param source what errors call the file
 * @throws ModelError when the bytes are no ONNX model, or hold constants of another element type than
 * ElementType's, of the wrong length or outside the model's folder, integers of 2^53 and more where
 * sizes are expected, names with control characters, or far more parts than a network has
 * @throws InputError when a file with data is missing, too short or takes more memory than the limit
 */
export function decodeOnnx(
  bytes: Uint8Array,
  source: string,
  { folder, weights = 'required' }: DecodeOptions = {},
): OnnxModel {
  const model = parse(bytes, source);
  const { graph } = model;
  if (!graph) throw new ModelError(`${source} is cut off or not an ONNX file: it holds no graph`);
  if (model.opsetImport.length === 0) {
    throw new ModelError(`${source} is cut off or not an ONNX file: it names no operator set`);
  }
  const external = externalReader(folder, weights === 'required');
  const valueInfo = (graph.valueInfo ?? []).map((value) => decodeValue(value, source));
  const decoded: OnnxModel = {
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
      nodes: (graph.node ?? []).map((node) => decodeNode(node, external, source)),
      initializers: (graph.initializer ?? []).map((tensor) => {
        const name = printable(tensor.name, `${source}: an initialiser's name`);
        return decodeTensor(tensor, external, `${source}: initialiser "${name}"`);
      }),
      inputs: (graph.input ?? []).map((value) => decodeValue(value, source)),
      outputs: (graph.output ?? []).map((value) => decodeValue(value, source)),
      ...(valueInfo.length > 0 && { valueInfo }),
    },
  };
  const externalData = external.summary();
  return externalData ? { ...decoded, externalData } : decoded;
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

/** An integer of an attribute: one that fits a number, or the largest, which stands for "to the end". */
function attributeNumber(value: Long | number, what: string): number {
  if (typeof value === 'number' || !value.equals(Long.MAX_VALUE)) return toNumber(value, what);
  return value.toNumber();
}

function decodeNode(
  node: onnx.NodeProto.$Properties,
  external: ExternalReader,
  source: string,
): OnnxNode {
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
    const what = `${source}: attribute "${name}" of ${label}`;
    attributes.set(name, decodeAttribute(attribute, external, what));
  }
  return { ...decoded, attributes };
}

function decodeAttribute(
  attribute: onnx.AttributeProto.$Properties,
  external: ExternalReader,
  what: string,
): OnnxAttribute {
  const text = (bytes: Uint8Array | null | undefined) =>
    printable(new TextDecoder().decode(bytes ?? undefined), what);
  switch (attribute.type) {
    case AttributeType.FLOAT:
      return { type: 'float', value: attribute.f ?? 0 };
    case AttributeType.INT:
      return { type: 'int', value: attributeNumber(attribute.i ?? 0, what) };
    case AttributeType.INTS:
      return { type: 'ints', value: (attribute.ints ?? []).map((i) => attributeNumber(i, what)) };
    case AttributeType.FLOATS:
      return { type: 'floats', value: attribute.floats ?? [] };
    case AttributeType.STRING:
      return { type: 'string', value: text(attribute.s) };
    case AttributeType.STRINGS:
      return { type: 'strings', value: (attribute.strings ?? []).map(text) };
    case AttributeType.TENSOR:
      return { type: 'tensor', value: decodeTensor(attribute.t ?? {}, external, what) };
    default:
      return { type: 'other', raw: onnx.AttributeProto.encode(attribute).finish() };
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
  return { name, elementType: elementTypeOf(tensor?.elemType), dims };
}

function decodeTensor(
  tensor: onnx.TensorProto.$Properties,
  external: ExternalReader,
  what: string,
): OnnxTensor {
  const dims = (tensor.dims ?? []).map((size) => toNumber(size, `${what}: a dimension`));
  const name = printable(tensor.name, `${what}: its name`);
  // The rest belongs together in OnnxTensor, which TypeScript does not see through the union.
  return { name, ...tensorWithData(tensor, dims, external, what) } as OnnxTensor;
}
