import { elementCount } from '../graph/form.js';
import { type ImportGraph, nodeError, typeOf } from '../graph/graph.js';
import type { IslandValue, WordFormat } from '../network.js';
import {
  capturedNames,
  elementWidth,
  encodeOnnx,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
} from '../onnx/index.js';
import { heldWeights, type StoredMatrix, storedMatrix } from './held-weights.js';

/** From this version of the format on, initialisers need not be inputs as well. */
const OLDEST_IR_VERSION = 4;

/** A part of a graph as a file of its own, for one sample. */
export interface ExtractedIsland {
  readonly model: Uint8Array;
  /** What it takes, in the file's order of axes: values of the graph, and weights. */
  readonly feeds: readonly IslandFeedValue[];
  /** What other nodes or the graph's outputs take of it. */
  readonly fetches: readonly IslandValue[];
  /** Of all values that its nodes make. */
  readonly bytes: number;
}

export interface IslandFeedValue extends IslandValue {
  /** Of weights. */
  readonly weights?: IslandWeights;
}

/** Weights that an accelerator would hold, so that faults reach them. */
export interface IslandWeights {
  /** The first node that takes them. */
  readonly node: OnnxNode;
  /** Name of the constant that their words are. */
  readonly constant: string;
  readonly stored: StoredMatrix;
}

/**
 * Cuts nodes out of a graph: a file with these nodes as they are, the constants that they take, and the nodes that make
 * constants which the reader has not folded. Weights are feeds wherever words of the format can hold them.
 *
 * @param nodes in the graph's order
 * @throws ModelError naming the node where a value has no known type, or a node draws random numbers
 */
export function extractIsland(
  graph: ImportGraph,
  nodes: readonly OnnxNode[],
  format: WordFormat,
): ExtractedIsland {
  const weights = new Map<string, IslandWeights>();
  for (const node of nodes) {
    for (const held of heldWeights(graph, node)) {
      const stored = weights.has(held.value) ? undefined : storedMatrix(graph, held, format);
      if (stored) weights.set(held.value, { node, constant: held.constant.name, stored });
    }
  }
  const inside = withConstantMakers(graph, nodes, weights);
  for (const node of inside) requireRepeatable(graph, node);
  const made = new Set(inside.flatMap(({ outputs }) => outputs));
  const taken = new Set(inside.flatMap(takenBy).filter((name) => name !== '' && !made.has(name)));
  const constants: OnnxTensor[] = [];
  const feeds: IslandFeedValue[] = [];
  for (const name of taken) {
    const its = weights.get(name);
    const constant = graph.constants.get(name);
    if (its) feeds.push({ ...graphValue(graph, name), weights: its });
    else if (constant) constants.push({ ...constant, name });
    else feeds.push(graphValue(graph, name));
  }
  const own = new Set(nodes);
  const results = new Set(graph.outputs.map(({ value }) => value));
  const fetches = nodes
    .flatMap(({ outputs }) => outputs)
    .filter((name) => {
      const takers = graph.consumers.get(name) ?? [];
      return name !== '' && (results.has(name) || takers.some((taker) => !own.has(taker)));
    })
    .map((name) => graphValue(graph, name));
  const model = encodeOnnx(modelOf(graph, inside, constants, feeds, fetches));
  return { model, feeds, fetches, bytes: bytesOf(graph, inside) };
}

/** Bytes of what nodes make, as far as it is known. */
function bytesOf({ types }: ImportGraph, nodes: readonly OnnxNode[]): number {
  const values = nodes.flatMap(({ outputs }) => outputs.map((name) => types.get(name)));
  return values.reduce(
    (sum, type) => sum + (type ? elementCount(type.dims) * elementWidth(type.elementType) : 0),
    0,
  );
}

/** Names of the values that a node takes, those of its subgraphs included; empty ones are absent. */
export function takenBy(node: OnnxNode): readonly string[] {
  return [...node.inputs, ...capturedNames(node)];
}

/** The nodes, and before them those that make constants of constants for them. */
function withConstantMakers(
  graph: ImportGraph,
  nodes: readonly OnnxNode[],
  weights: ReadonlyMap<string, unknown>,
): OnnxNode[] {
  const constant = constantNodes(graph);
  const wanted = new Set(nodes);
  // A set grows while it is gone through.
  for (const node of wanted) {
    for (const name of takenBy(node)) {
      const maker = weights.has(name) ? undefined : graph.producers.get(name);
      if (maker && constant.has(maker)) wanted.add(maker);
    }
  }
  return graph.nodes.filter((node) => wanted.has(node));
}

/** The nodes that take nothing but constants and what other such nodes make. */
function constantNodes(graph: ImportGraph): ReadonlySet<OnnxNode> {
  const found = new Set<OnnxNode>();
  for (const node of graph.nodes) {
    const isConstant = (name: string) => {
      const maker = graph.producers.get(name);
      return name === '' || graph.constants.has(name) || (maker && found.has(maker));
    };
    if (takenBy(node).every(isConstant)) found.add(node);
  }
  return found;
}

function graphValue(graph: ImportGraph, name: string): IslandValue {
  const { elementType, dims } = typeOf(graph, name);
  return { name, elementType, dims };
}

function modelOf(
  graph: ImportGraph,
  nodes: readonly OnnxNode[],
  initializers: readonly OnnxTensor[],
  inputs: readonly IslandValue[],
  outputs: readonly IslandValue[],
): OnnxModel {
  return {
    irVersion: Math.max(graph.irVersion, OLDEST_IR_VERSION),
    producer: 'Bitcell',
    opsets: graph.opsets,
    metadata: new Map(),
    graph: { name: 'island', nodes, initializers, inputs, outputs },
  };
}

/** @throws ModelError for a node whose results differ from run to run */
function requireRepeatable({ source }: ImportGraph, node: OnnxNode): void {
  if (!/^Random|^Bernoulli$|^Multinomial$/.test(node.opType)) return;
  throw nodeError(
    source,
    node,
    'draws random numbers, so that no result could be repeated: give the network such values as an input',
  );
}
