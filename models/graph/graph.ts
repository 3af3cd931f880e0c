import { ModelError } from '../../core/index.js';
import type { WeightedLayer } from '../network.js';
import {
  type ElementType,
  nodeLabel,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValue,
  type TensorOf,
} from '../onnx/index.js';
import type { WeightSource } from '../weights/shared-weights.js';

/** Element type and dimensions of a value for one sample: a batch of 1. */
export interface TensorType {
  readonly elementType: ElementType;
  /** Batch included; empty for a scalar. */
  readonly dims: readonly number[];
}

/** What is known of the values of a graph: enough to read a node in whichever form its operator set has. */
export interface GraphScope {
  /** What errors call the file. */
  readonly source: string;
  /** Version of the standard operators. */
  readonly opset: number;
  /** Initialisers, and values that do not depend on the graph's inputs. */
  readonly constants: ReadonlyMap<string, OnnxTensor>;
  /** Types of all values, constants included; undefined where none is known. */
  readonly types: ReadonlyMap<string, TensorType | undefined>;
  /** Why a value's type is not known, in words that follow the file's name. */
  readonly untyped: ReadonlyMap<string, string>;
}

/** A graph ready for import, for one sample: constants folded, nodes that change nothing at inference removed. */
export interface ImportGraph extends GraphScope {
  /** Versions of all operator sets by domain, and of the format, for files that are made of parts of this one. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly irVersion: number;
  /** As the file states them, in its order, initialisers left out; `types` has their dimensions for one sample. */
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly GraphResult[];
  /** The first input. */
  readonly input: OnnxValue;
  /** The first output. */
  readonly output: GraphResult;
  /** In an order in which each node follows those that it depends on; only nodes that an output depends on. */
  readonly nodes: readonly OnnxNode[];
  /** The node that makes each value. */
  readonly producers: ReadonlyMap<string, OnnxNode>;
  /** How many nodes and outputs of the graph take each value. */
  readonly uses: ReadonlyMap<string, number>;
  /** The nodes that take each value, one as often as it takes it. */
  readonly consumers: ReadonlyMap<string, readonly OnnxNode[]>;
  /** The initialisers that layers' weights are read from, by the weights; readers of layers fill it. */
  readonly weightSources: Map<WeightedLayer['weights'], WeightSource>;
}

/** The value that is an output of a graph, and the name under which the graph announces it. */
export interface GraphResult {
  readonly value: string;
  readonly name: string;
}

/**
 * The type of a value for one sample.
 *
 * @throws ModelError saying why it is not known, with the node that makes it
 */
export function typeOf(scope: GraphScope, name: string): TensorType {
  const type = scope.types.get(name);
  if (type) return type;
  const reason = scope.untyped.get(name) ?? `nothing makes the value "${name}"`;
  throw new ModelError(`${scope.source}: ${reason}`);
}

/** A node that is sound, but that no layer can stand for: it is computed on the host, or refused. */
export class NotSimulated extends Error {
  override name = 'NotSimulated';

  /** @param reason what stands in the way, in words that follow the node: "has axis = 3" */
  constructor(
    readonly node: OnnxNode,
    readonly reason: string,
  ) {
    super(reason);
  }
}

/** Whether a node is the named standard operator. */
export function isStandard(node: OnnxNode, opType: string): boolean {
  return node.domain === '' && node.opType === opType;
}

/** An error that names file and node: "FILE: node "conv1" (Conv) MESSAGE". */
export function nodeError(source: string, node: OnnxNode, message: string): ModelError {
  return new ModelError(`${source}: ${nodeLabel(node)} ${message}`);
}

/** An error for a node whose operator a word format does not know. */
export function unsupportedOperator(
  source: string,
  node: OnnxNode,
  supported: readonly string[],
): ModelError {
  return new ModelError(
    `${source}: ${nodeLabel(node)} is an unsupported operator; Bitcell reads ${supported.join(', ')}`,
  );
}

/** The name of a node's first and only used output. */
export function onlyOutput(source: string, node: OnnxNode): string {
  const [first, ...others] = node.outputs;
  if (!first || others.some((name) => name !== '')) {
    throw nodeError(source, node, 'must have one output');
  }
  return first;
}

export function intAttribute(
  source: string,
  node: OnnxNode,
  name: string,
  otherwise: number,
): number {
  const attribute = node.attributes.get(name);
  if (!attribute) return otherwise;
  if (attribute.type === 'int') return attribute.value;
  throw nodeError(source, node, `has an attribute "${name}" that is not an integer`);
}

export function floatAttribute(
  source: string,
  node: OnnxNode,
  name: string,
  otherwise: number,
): number {
  const attribute = node.attributes.get(name);
  if (!attribute) return otherwise;
  if (attribute.type === 'float') return attribute.value;
  throw nodeError(source, node, `has an attribute "${name}" that is not a float`);
}

/** A text, such as the value of an attribute `mode`. */
export function stringAttribute(
  source: string,
  node: OnnxNode,
  name: string,
  otherwise: string,
): string {
  const attribute = node.attributes.get(name);
  if (!attribute) return otherwise;
  if (attribute.type === 'string') return attribute.value;
  throw nodeError(source, node, `has an attribute "${name}" that is not a string`);
}

/** A list of `otherwise.length` integers, each at least `minimum`. */
export function intsAttribute<T extends readonly number[]>(
  source: string,
  node: OnnxNode,
  name: string,
  otherwise: T,
  minimum: number,
): T {
  const attribute = node.attributes.get(name);
  if (!attribute) return otherwise;
  if (
    attribute.type !== 'ints' ||
    attribute.value.length !== otherwise.length ||
    attribute.value.some((value) => value < minimum)
  ) {
    const expected = `${otherwise.length} integers of at least ${minimum}`;
    throw nodeError(source, node, `has an attribute "${name}" that is not ${expected}`);
  }
  // The length was checked, which the type cannot express.
  return attribute.value as unknown as T;
}

/** Fails unless an integer attribute is absent or has the only value Bitcell supports. */
export function requireAttribute(
  source: string,
  node: OnnxNode,
  name: string,
  supported: number,
): void {
  const value = intAttribute(source, node, name, supported);
  if (value !== supported) {
    throw nodeError(source, node, `has ${name} = ${value}; Bitcell supports ${supported} only`);
  }
}

/** A node's constant input of a given element type; `role` names it in errors. */
export function constantInput<T extends ElementType>(
  graph: ImportGraph,
  node: OnnxNode,
  position: number,
  role: string,
  elementType: T,
): TensorOf<T> {
  const name = node.inputs[position];
  if (!name) throw nodeError(graph.source, node, `has no ${role}`);
  const tensor = graph.constants.get(name);
  if (!tensor) {
    throw nodeError(graph.source, node, `has a ${role} "${name}" that is not an initialiser`);
  }
  return requireElementType(graph.source, node, tensor, role, elementType);
}

/** The only value of a float32 constant named `name`, which a node takes as its `role`. */
export function constantScalar(
  graph: ImportGraph,
  node: OnnxNode,
  name: string,
  role: string,
): number {
  const tensor = graph.constants.get(name);
  if (tensor?.elementType === 'float32' && tensor.data.length === 1) return tensor.data[0];
  throw nodeError(graph.source, node, `has a ${role} "${name}" that is not one constant float`);
}

export function requireElementType<T extends ElementType>(
  source: string,
  node: OnnxNode,
  tensor: OnnxTensor,
  role: string,
  elementType: T,
): TensorOf<T> {
  if (tensor.elementType !== elementType) {
    throw nodeError(
      source,
      node,
      `has a ${role} "${tensor.name}" of type ${tensor.elementType}, expected ${elementType}`,
    );
  }
  // elementType and data belong together in OnnxTensor; TypeScript cannot narrow by a generic.
  return tensor as OnnxTensor & TensorOf<T>;
}
