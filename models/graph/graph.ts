import { ModelError } from '../../core/index.js';
import type { WeightedLayer } from '../network.js';
import {
  type ElementType,
  nodeLabel,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValue,
  type TensorOf,
} from '../onnx/index.js';
import type { WeightSource } from '../weights/shared-weights.js';

/** The versions of the standard operators that are read: earlier ones mean other things, later ones may. */
const OLDEST_OPSET = 9;
/** The newest version of each domain that onnxruntime 1.30, with which results are compared, knows. */
const NEWEST_OPSETS: ReadonlyMap<string, number> = new Map([
  ['', 26],
  ['com.microsoft', 1],
]);
/** The newest version of the file format itself that onnxruntime 1.30 reads. */
const NEWEST_IR_VERSION = 13;

/** A graph ready for import: constants apart, nodes that change nothing at inference removed. */
export interface ImportGraph {
  /** What errors call the file. */
  readonly source: string;
  /** Version of the standard operators. */
  readonly opset: number;
  readonly input: OnnxValue;
  /** The value that is the graph's output, and the name under which the graph announces it. */
  readonly output: { readonly value: string; readonly name: string };
  readonly nodes: readonly OnnxNode[];
  readonly constants: ReadonlyMap<string, OnnxTensor>;
  /** How many nodes, the graph's output included, take each value. */
  readonly uses: ReadonlyMap<string, number>;
  /** The initialisers that layers' weights are read from, by the weights; readers of layers fill it. */
  readonly weightSources: Map<WeightedLayer['weights'], WeightSource>;
  /** The nodes that take each value, one as often as it takes it. */
  readonly consumers: ReadonlyMap<string, readonly OnnxNode[]>;
}

/**
 * Checks a model's form (one input, one output, each value made once) and resolves its Constant,
 * Identity and Dropout nodes.
 */
export function prepareGraph(model: OnnxModel, source: string): ImportGraph {
  const opset = checkVersions(model, source);
  const constants = new Map<string, OnnxTensor>();
  for (const tensor of model.graph.initializers) {
    if (constants.has(tensor.name)) {
      throw new ModelError(`${source} has two initialisers named "${tensor.name}"`);
    }
    constants.set(tensor.name, tensor);
  }
  const { input, output } = checkInterface(model, constants, source);
  const sources = new Map<string, string>();
  const resolve = (name: string) => sources.get(name) ?? name;
  const made = new Set([input.name, ...constants.keys()]);
  const uses = new Map<string, number>();
  const consumers = new Map<string, OnnxNode[]>();
  const nodes: OnnxNode[] = [];
  for (const node of model.graph.nodes) {
    const inputs = node.inputs.map(resolve);
    const resolved = { ...node, inputs };
    const unmade = inputs.find((name) => name !== '' && !made.has(name));
    if (unmade !== undefined) throw nodeError(source, node, missing(unmade));
    for (const name of node.outputs) {
      if (made.has(name)) throw nodeError(source, node, `makes "${name}", which exists already`);
      if (name !== '') made.add(name);
    }
    if (isStandard(node, 'Constant')) {
      constants.set(onlyOutput(source, node), constantValue(source, node));
    } else if (isStandard(node, 'Identity') || isStandard(node, 'Dropout')) {
      const [value, , trainingMode] = inputs;
      const [output] = node.outputs;
      const trains = trainingMode && constants.get(trainingMode)?.data[0] !== 0;
      if (!value || !output || trains) {
        throw nodeError(source, node, 'must have one input, or two with a ratio, and an output');
      }
      sources.set(output, value);
    } else {
      for (const name of inputs) {
        uses.set(name, (uses.get(name) ?? 0) + 1);
        const takers = consumers.get(name);
        if (takers) takers.push(resolved);
        else consumers.set(name, [resolved]);
      }
      nodes.push(resolved);
    }
  }
  const value = resolve(output.name);
  uses.set(value, (uses.get(value) ?? 0) + 1);
  return {
    source,
    opset,
    input,
    output: { value, name: output.name },
    nodes,
    constants,
    uses,
    consumers,
    weightSources: new Map(),
  };
}

function missing(name: string): string {
  return `takes "${name}", which is neither an initialiser nor made by an earlier node`;
}

/** The version of the standard operators, when all versions are those that are read. */
function checkVersions(model: OnnxModel, source: string): number {
  if (model.irVersion > NEWEST_IR_VERSION) {
    throw new ModelError(
      `${source} has IR version ${model.irVersion}; Bitcell reads up to ${NEWEST_IR_VERSION}`,
    );
  }
  const opset = model.opsets.get('');
  if (opset === undefined) throw new ModelError(`${source} does not use ONNX's standard operators`);
  if (opset < OLDEST_OPSET) {
    throw new ModelError(
      `${source} uses operator set ${opset}; Bitcell reads ${OLDEST_OPSET} and later ones`,
    );
  }
  for (const [domain, newest] of NEWEST_OPSETS) {
    const version = model.opsets.get(domain) ?? 0;
    if (version <= newest) continue;
    const set = domain === '' ? 'operator set' : `operator set ${domain}`;
    throw new ModelError(
      `${source} uses ${set} ${version}; the newest one that Bitcell reads is ${newest}, so export the model for that`,
    );
  }
  return opset;
}

function checkInterface(
  model: OnnxModel,
  constants: ReadonlyMap<string, OnnxTensor>,
  source: string,
): { input: OnnxValue; output: OnnxValue } {
  // Up to IR version 3, initialisers are listed among the inputs, too.
  const inputs = model.graph.inputs.filter(({ name }) => !constants.has(name));
  const { outputs } = model.graph;
  if (inputs.length !== 1 || outputs.length !== 1) {
    throw new ModelError(
      `${source} has ${inputs.length} inputs and ${outputs.length} outputs, but Bitcell reads networks with one of each`,
    );
  }
  return { input: inputs[0], output: outputs[0] };
}

function constantValue(source: string, node: OnnxNode): OnnxTensor {
  const name = onlyOutput(source, node);
  const value = node.attributes.get('value');
  if (value?.type === 'tensor') return { ...value.value, name };
  for (const key of ['value_float', 'value_floats', 'value_int', 'value_ints']) {
    const attribute = node.attributes.get(key);
    switch (attribute?.type) {
      case 'float':
        return { name, elementType: 'float32', dims: [], data: Float32Array.of(attribute.value) };
      case 'floats':
        return vector(name, 'float32', Float32Array.from(attribute.value));
      case 'int':
        return {
          name,
          elementType: 'int64',
          dims: [],
          data: BigInt64Array.of(BigInt(attribute.value)),
        };
      case 'ints':
        return vector(name, 'int64', BigInt64Array.from(attribute.value, BigInt));
    }
  }
  throw nodeError(source, node, 'has no attribute with numbers that Bitcell reads');
}

function vector<T extends 'float32' | 'int64'>(
  name: string,
  elementType: T,
  data: TensorOf<T>['data'],
): TensorOf<T> {
  return { name, elementType, dims: [data.length], data };
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
