import { ModelError } from '../../core/index.js';
import type { Form } from '../graph/form.js';
import { type ImportGraph, NotSimulated, typeOf, unsupportedOperator } from '../graph/graph.js';
import { prepareGraph } from '../graph/prepare/prepare.js';
import type { InputSizes } from '../graph/prepare/sample.js';
import { takenBy } from '../islands/extract.js';
import { heldWeights } from '../islands/held-weights.js';
import { scheduleIslands } from '../islands/schedule.js';
import {
  arrayLayers,
  isWeighted,
  type Layer,
  type Network,
  type NetworkValue,
  requantizationMultipliers,
  type Tensor,
  type WordFormat,
} from '../network.js';
import type { OnnxModel, OnnxNode } from '../onnx/index.js';
import { readersOf, SUPPORTED } from '../operators/readers.js';
import { finishNetwork } from './finish.js';
import { settleFusions } from './fusion.js';
import { readIsland, requireFloat32 } from './island.js';
import { readDequantizeLinear, readQuantizeLinear } from './linear.js';
import { withRectifiers } from './rectified.js';
import type { ImportValues } from './value.js';
import { createValues } from './values.js';

const MICROSOFT_DOMAIN = 'com.microsoft';
/** Domains of operators that onnxruntime has. */
const HOST_DOMAINS = new Set(['', 'ai.onnx.ml', MICROSOFT_DOMAIN]);

/** Whether a model has integers, by QuantizeLinear and DequantizeLinear nodes or inside its operators. */
export function isQuantized(model: OnnxModel): boolean {
  return model.graph.nodes.some(
    ({ domain, opType }) =>
      (domain === '' || domain === MICROSOFT_DOMAIN) &&
      /^(Quantize|Dequantize)Linear$|^QLinear|^QGemm|^DynamicQuantize|Integer(ToFloat)?$/.test(
        opType,
      ),
  );
}

/** A value of a file in a tensor of the network. */
export interface StoredValue extends Form {
  readonly tensor: number;
  /** Whether the value is the tensor's integers, where it has them, and not the numbers that they stand for. */
  readonly isInteger: boolean;
}

/** A network, and what of its file became what. */
export interface ImportedGraph {
  readonly graph: ImportGraph;
  readonly network: Network;
  /** The tensor that holds a value of the graph, by its name; values inside layers have none. */
  readonly tensorOf: ReadonlyMap<string, number>;
  /** How it holds it. */
  readonly stored: ReadonlyMap<string, StoredValue>;
  /** The values that layers make, by the index of their tensors. */
  readonly results: ReadonlyMap<number, string>;
  /** The node of the product of each layer on the array, by the layer's name. */
  readonly products: ReadonlyMap<string, OnnxNode>;
}

/**
 * Imports a network: float32, or with int8 words where the file has integers, in QDQ form (float32 operators between
 * DequantizeLinear and QuantizeLinear nodes), in QOperator form (operators on quantised tensors), or in a mixture.
 * Batch normalisation is folded into float32 weights before it, as are biases that are added after a product;
 * activation functions join the layer they follow. Weights that several layers share are left as they are if folding
 * would make different words of them.
 */
export function importGraph(
  model: OnnxModel,
  source: string,
  name: string,
  checksum: string,
  options: InputSizes = {},
): ImportedGraph {
  const graph = prepareGraph(model, source, options);
  const format = isQuantized(model) ? 'int8' : 'float32';
  const folded = readGraph(graph, format, new Set());
  const foldedEnd = finishNetwork(graph, partsOf(folded));
  const parted = partedWeights(graph, foldedEnd.parts.layers);
  const into = parted.size === 0 ? folded : readGraph(graph, format, parted);
  const { parts, numbers } = into === folded ? foldedEnd : finishNetwork(graph, partsOf(into));
  const imported = { graph, ...valuesOf(into, numbers) };
  const common = { name, checksum };
  if (format === 'float32') {
    return { ...imported, network: { format, ...common, ...parts } as Network };
  }
  const settled = withRectifiers(settleFusions(graph, parts, into.floatOperators));
  const network = { format, ...common, ...settled } as Network;
  requireFiniteMultipliers(source, network);
  return { ...imported, network };
}

/** Where values of the graph are, by the final numbers of tensors. */
function valuesOf(
  { values, results, products }: ImportValues,
  numbers: ReadonlyMap<number, number>,
): Pick<ImportedGraph, 'tensorOf' | 'stored' | 'results' | 'products'> {
  const tensorOf = new Map<string, number>();
  const stored = new Map<string, StoredValue>();
  const made = new Map<number, string>();
  for (const [name, value] of values) {
    const tensor = 'tensor' in value ? numbers.get(value.tensor as number) : undefined;
    if (tensor === undefined) continue;
    tensorOf.set(name, tensor);
    if ('form' in value) {
      const { dims, layout } = value.form;
      stored.set(name, { tensor, dims, layout, isInteger: value.state === 'quantized' });
    }
    if (results.has(name)) made.set(tensor, name);
  }
  return { tensorOf, stored, results: made, products };
}

/** The initialisers of which layers do not have the same words any more. */
function partedWeights(graph: ImportGraph, layers: readonly Layer[]): ReadonlySet<string> {
  const owned = layers
    .filter((layer) => isWeighted(layer))
    .filter(({ weights, sharedWeights }) => !sharedWeights && weights instanceof Float32Array)
    .map(({ weights }) => graph.weightSources.get(weights)?.key ?? '');
  return new Set(owned.filter((key, index) => key !== '' && owned.indexOf(key) !== index));
}

/** @param unfolded initialisers into which nothing is folded */
function readGraph(
  graph: ImportGraph,
  format: WordFormat,
  unfolded: ReadonlySet<string>,
): ImportValues {
  const unsimulated = new Map<OnnxNode, string>();
  const isLight = (node: OnnxNode) => heldWeights(graph, node).length === 0;
  for (;;) {
    const { steps, reasons } = scheduleIslands(graph.nodes, takenBy, unsimulated, isLight);
    const into = createValues(graph, format, unfolded);
    const known = unsimulated.size;
    for (const step of steps) {
      try {
        if (step.kind === 'node') readNode(into, step.node);
        else readIsland(into, step.nodes, reasons);
      } catch (error) {
        if (!(error instanceof NotSimulated)) throw error;
        unsimulated.set(error.node, error.reason);
        // What takes its results is read all the same, to find all such nodes at once.
        for (const node of step.kind === 'node' ? [step.node] : step.nodes) standIn(into, node);
      }
    }
    if (unsimulated.size === known) return into;
  }
}

/** Values of a node that is not simulated, as an island would make them. */
function standIn(into: ImportValues, node: OnnxNode): void {
  const { graph, values } = into;
  for (const name of node.outputs) {
    if (!graph.uses.has(name)) continue;
    const { dims } = typeOf(graph, name);
    const form = { dims, layout: 'row-major' } as const;
    values.set(name, { state: 'float', form, tensor: into.addTensor(name, form) });
  }
}

const LINEAR_READERS = new Map([
  ['QuantizeLinear', readQuantizeLinear],
  ['DequantizeLinear', readDequantizeLinear],
]);

function readNode(into: ImportValues, node: OnnxNode): void {
  const { domain, opType } = node;
  requireFloat32(into, node);
  // onnxruntime has its own QuantizeLinear and DequantizeLinear, which for 8 bits are the standard ones.
  if (domain === '' || domain === MICROSOFT_DOMAIN) {
    const readLinear = LINEAR_READERS.get(opType);
    if (readLinear) {
      readLinear(into, node);
      return;
    }
  }
  const readers = readersOf(node);
  let reason: NotSimulated | undefined;
  for (const { read } of readers) {
    try {
      read(into, node);
      return;
    } catch (error) {
      if (!(error instanceof NotSimulated)) throw error;
      reason ??= error;
    }
  }
  if (reason) throw reason;
  const isKnown = node.outputs.every((name) => name === '' || into.graph.types.get(name));
  if (!HOST_DOMAINS.has(domain) || !isKnown) {
    throw unsupportedOperator(into.graph.source, node, SUPPORTED);
  }
  throw new NotSimulated(node, 'is no operator that Bitcell simulates');
}

/** What was read, with the values that the graph takes and gives. */
function partsOf(into: ImportValues) {
  const { graph } = into;
  const inputs = graph.inputs.map(({ name }): NetworkValue => {
    // One that nothing takes is an input all the same.
    if (!into.inputs.has(name)) into.placed(name);
    const found = into.inputs.get(name);
    if (found) return found;
    throw new Error(`${name} is no input`);
  });
  const outputs = graph.outputs.map(({ value, name }): NetworkValue => {
    const found = into.placed(value);
    if (!found) throw new ModelError(`${graph.source}: no node makes the output "${name}"`);
    const { form, tensor } = found;
    const { elementType } = typeOf(graph, value);
    return { name, tensor, ...form, elementType };
  });
  const tensors = into.tensors.map((tensor, index) =>
    into.uint8Tensors.has(index) ? unsigned(tensor) : tensor,
  );
  return { layers: into.layers, tensors, inputs, outputs };
}

function unsigned({ quantization, ...tensor }: Tensor): Tensor {
  if (!quantization) return tensor;
  const { scale, zeroPoint } = quantization;
  return { ...tensor, quantization: { scale, zeroPoint } };
}

/** Scales that are numbers themselves may have a product or a ratio that is none. */
function requireFiniteMultipliers(source: string, network: Network): void {
  if (network.format !== 'int8') return;
  for (const { name, input, output, scales } of arrayLayers(network)) {
    const [x, y] = [input, output].map(
      (tensor) => network.tensors[tensor].quantization?.scale ?? 1,
    );
    const multipliers = requantizationMultipliers(x, scales, y);
    const channel = multipliers.findIndex((multiplier) => !Number.isFinite(multiplier));
    if (channel < 0) continue;
    throw new ModelError(
      `${source}: layer "${name}" has scales ${x} (input), ${scales[channel]} (weights of channel ${channel}) and ${y} (output), which requantise by no finite number`,
    );
  }
}
