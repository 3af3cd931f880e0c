import { elementCount, type Form } from '../graph/form.js';
import { NotSimulated, typeOf } from '../graph/graph.js';
import { layerName } from '../graph/naming.js';
import { extractIsland, type IslandFeedValue, type IslandWeights } from '../islands/extract.js';
import { BETWEEN_ISLANDS } from '../islands/schedule.js';
import type { IslandLayer, IslandValue, Layer, Layout } from '../network.js';
import { nodeLabel, type OnnxNode } from '../onnx/index.js';
import type { ImportValues } from './value.js';

/**
 * Nodes that are not simulated become one layer, whose results lie one behind the other in a tensor.
 *
 * @param reasons why each of them is not
 * @throws NotSimulated for a node whose integers no tensor holds, and that must be in the island as well
 */
export function readIsland(
  into: ImportValues,
  nodes: readonly OnnxNode[],
  reasons: ReadonlyMap<OnnxNode, string>,
): void {
  const { graph } = into;
  const { model, feeds, fetches, bytes } = extractIsland(graph, nodes, into.format);
  const taken = feeds.map((feed) => feedOf(into, feed));
  const first = nodes.find((node) => reasons.get(node) !== BETWEEN_ISLANDS) ?? nodes[0];
  const length = fetches.reduce((sum, { dims }) => sum + elementCount(dims), 0);
  const [only] = fetches;
  const form: Form =
    fetches.length === 1
      ? { dims: only.dims, layout: 'row-major' }
      : { dims: [length], layout: 'row-major' };
  const name = into.uniqueLayerName(layerName(first));
  const output = into.addTensor(fetches.length === 1 ? only.name : name, form);
  const layer: IslandLayer = {
    kind: 'island',
    name,
    inputs: taken.map(({ tensor }) => tensor),
    output,
    model,
    feeds: taken.map(({ feed }) => feed),
    fetches,
    reasons: nodes.map((node) => ({ node: nodeLabel(node), reason: reasons.get(node) ?? '' })),
    bytes,
    batched: false,
  };
  into.addLayer(layer);
  if (fetches.length === 1) {
    into.values.set(only.name, { state: 'float', form, tensor: output });
    return;
  }
  let start = 0;
  for (const fetch of fetches) {
    addPart(into, fetch, output, start);
    start += elementCount(fetch.dims);
  }
}

function addPart(into: ImportValues, fetch: IslandValue, input: number, start: number): void {
  const form: Form = { dims: fetch.dims, layout: 'row-major' };
  const output = into.addTensor(fetch.name, form);
  into.addLayer({ kind: 'part', name: into.uniqueLayerName(fetch.name), input, output, start });
  into.values.set(fetch.name, { state: 'float', form, tensor: output });
}

/** What an island takes, and the tensor that holds it. */
function feedOf(
  into: ImportValues,
  { weights, name, elementType, dims }: IslandFeedValue,
): { readonly tensor: number; readonly feed: IslandValue & { readonly layout: Layout } } {
  const feed = { name, elementType, dims };
  if (weights) {
    return { tensor: storeWeights(into, weights, dims), feed: { ...feed, layout: 'row-major' } };
  }
  const value = into.placed(name);
  if (value && value.state !== 'on-grid') {
    return { tensor: value.tensor, feed: { ...feed, layout: value.form.layout } };
  }
  const maker = into.graph.producers.get(name);
  if (!maker) throw new Error(`${name} is no value of the graph`);
  throw new NotSimulated(maker, 'makes integers of 16 bits that a node on the host takes');
}

function storeWeights(
  into: ImportValues,
  { node, constant, stored }: IslandWeights,
  dims: readonly number[],
): number {
  const name = into.uniqueLayerName(layerName(node, constant.replace(/_quantized$/, '')));
  const output = into.addTensor(constant, { dims, layout: 'row-major' });
  into.graph.weightSources.set(stored.weights, { key: constant, transposed: false });
  into.addLayer({ kind: 'stored-weights', name, inputs: [], output, ...stored } as Layer);
  return output;
}

/** Operators that put values elsewhere, whatever their type. */
const MOVING: ReadonlySet<string> = new Set([
  'Reshape',
  'Squeeze',
  'Unsqueeze',
  'Flatten',
  'Transpose',
  'Concat',
  'Split',
  'Slice',
  'Gather',
  'Expand',
  'Tile',
]);

/**
 * Checks that a node computes with float32 numbers, or with the integers of quantised tensors: tensors hold other types
 * as float32 numbers, with which arithmetic is another.
 *
 * @throws NotSimulated where it takes other types, or integers that no quantised tensor holds
 */
export function requireFloat32({ graph, values }: ImportValues, node: OnnxNode): void {
  if (MOVING.has(node.opType)) return;
  for (const name of node.inputs) {
    const value = values.get(name);
    if (value?.state !== 'float' && value?.state !== 'input') continue;
    const { elementType } = typeOf(graph, name);
    const isWord = elementType === 'int8' || elementType === 'uint8';
    if (elementType === 'float32' || (isWord && value.state === 'input')) continue;
    throw new NotSimulated(node, `takes ${elementType} values`);
  }
}
