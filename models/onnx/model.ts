/** The array that holds the elements of a tensor, by its element type. */
export interface DataOf {
  readonly float32: Float32Array;
  readonly float64: Float64Array;
  /** The bits of IEEE 754 binary16 numbers. */
  readonly float16: Uint16Array;
  readonly int8: Int8Array;
  readonly uint8: Uint8Array;
  readonly int16: Int16Array;
  readonly uint16: Uint16Array;
  readonly int32: Int32Array;
  readonly uint32: Uint32Array;
  readonly int64: BigInt64Array;
  readonly uint64: BigUint64Array;
  /** 0 or 1 each. */
  readonly bool: Uint8Array;
}

/** Element types of tensors that Bitcell reads and writes. */
export type ElementType = keyof DataOf;

/** A constant of a given element type; `data` is row-major, as many values as `dims` multiply to. */
export interface TensorOf<T extends ElementType> {
  readonly name: string;
  readonly elementType: T;
  /** Empty for a scalar. */
  readonly dims: readonly number[];
  readonly data: DataOf[T];
  /** The file of its data is missing and was not required: `data` is all zeros. */
  readonly absent?: true;
}

/** An initialiser, or the value of a Constant node. */
export type OnnxTensor = { readonly [T in ElementType]: TensorOf<T> }[ElementType];

export type OnnxAttribute =
  | { readonly type: 'float'; readonly value: number }
  | { readonly type: 'int'; readonly value: number }
  | { readonly type: 'ints'; readonly value: readonly number[] }
  | { readonly type: 'floats'; readonly value: readonly number[] }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'strings'; readonly value: readonly string[] }
  | { readonly type: 'tensor'; readonly value: OnnxTensor }
  /** A kind whose value Bitcell never needs (subgraph, sparse tensor, …): its AttributeProto's bytes. */
  | { readonly type: 'other'; readonly raw: Uint8Array };

export interface OnnxNode {
  readonly name: string;
  readonly opType: string;
  /** Empty for the standard operators of ONNX. */
  readonly domain: string;
  /** Names of values; an empty name stands for an absent optional input. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, OnnxAttribute>;
}

/** An input, output or other value of a graph. */
export interface OnnxValue {
  readonly name: string;
  /** Undefined when it is none of the types that Bitcell knows. */
  readonly elementType: ElementType | undefined;
  /** A fixed size or, for a symbolic one, its name (which may be empty); undefined: unknown rank. */
  readonly dims: readonly (number | string)[] | undefined;
}

export interface OnnxGraph {
  readonly name: string;
  /** In an order in which each node follows the nodes that make its inputs. */
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  /** Types that the file states of values in between; undefined when there are none. */
  readonly valueInfo?: readonly OnnxValue[];
}

export interface ExternalData {
  /** SHA-256 of the tensors' data in files beside the model, in the order of the tensors, in hexadecimal. */
  readonly sha256: string;
  /** Length of that data. */
  readonly bytes: number;
}

/** An ONNX file as plain data. */
export interface OnnxModel {
  readonly irVersion: number;
  readonly producer: string;
  /** Version of the operator set by domain; the standard one's domain is empty. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly metadata: ReadonlyMap<string, string>;
  readonly graph: OnnxGraph;
  /** What was read from files beside the model; undefined when all of it is in one file. */
  readonly externalData?: ExternalData;
}

/** How errors name a node: by its name, or else by its first output, and its operator. */
export function nodeLabel(node: OnnxNode): string {
  const operator = node.domain === '' ? node.opType : `${node.domain}.${node.opType}`;
  return `node "${node.name || (node.outputs[0] ?? '')}" (${operator})`;
}
