import { Command } from 'commander';
import { featureCount } from '../../core/index.js';
import {
  definitionOf,
  isIsland,
  isOnArray,
  isWeighted,
  type Layer,
  type Network,
  type NetworkValue,
  networkInputs,
  networkOutputs,
  resolveModel,
  shapesOf,
  WORD_BITS,
} from '../../models/index.js';
import { addMemoryLimit } from '../input/memory-limit.js';
import { addCommonOptions, type CommonOptions, inputShapeOption } from '../input/options.js';
import { printResult } from '../print/output.js';
import { formatTable, grouped } from '../print/table.js';

/** Where a layer is computed: weights that an operator on the host takes are stored in the weight memory alone. */
type Place = 'array' | 'vector unit' | 'moved' | 'weight memory' | 'host';

/** One layer of a network, or one island of it. */
interface LayerInfo {
  readonly name: string;
  /** What it computes, in the words of Bitcell. */
  readonly operator: string;
  readonly place: Place;
  readonly simulated: boolean;
  /** Whether `bitcell timing` counts its cycles; what is only moved takes none. */
  readonly timed: boolean;
  /** Of an island: its nodes, and why they are not simulated. */
  readonly nodes: readonly { readonly node: string; readonly reason: string }[];
  readonly weights: number;
  /** The layer whose words it reads, where it has none of its own. */
  readonly sharedWith: string | null;
  /** Cells of the weight memory that hold its words, without check bits. */
  readonly cells: number;
  /** Of one sample, as it is stored. */
  readonly output: { readonly channels: number; readonly height: number; readonly width: number };
}

interface ValueInfo {
  readonly name: string;
  readonly elementType: string;
  /** For one sample. */
  readonly shape: readonly number[];
}

export function infoCommand(): Command {
  const command = new Command('info')
    .description('What Bitcell makes of a network: which layers it simulates, and why others not')
    .argument('<model>', 'alexnet, vgg16 or an ONNX file')
    .addOption(inputShapeOption())
    .action(info);
  return addCommonOptions(addMemoryLimit(command));
}

interface InfoFlags extends CommonOptions {
  readonly inputShape?: ReadonlyMap<string, readonly number[]>;
}

function info(model: string, { json, inputShape }: InfoFlags): void {
  const network = resolveModel(model, { inputShapes: inputShape, weights: 'optional' });
  const layers = layersOf(network);
  const sum = (count: (layer: LayerInfo) => number) =>
    layers.reduce((total, layer) => total + count(layer), 0);
  const totals = {
    layers: layers.length,
    simulated: sum(({ simulated }) => Number(simulated)),
    islands: sum(({ place }) => Number(place === 'host')),
    weights: sum(({ weights, sharedWith }) => (sharedWith === null ? weights : 0)),
    cells: sum(({ cells }) => cells),
    values: network.tensors.reduce((total, { shape }) => total + featureCount(shape), 0),
  };
  const { format, checksum } = network;
  const [inputs, outputs] = [networkInputs(network), networkOutputs(network)].map(valuesOf);
  printResult(json, { model, format, checksum, inputs, outputs, layers, totals }, () =>
    [
      `${model}: ${format} words, ${grouped(totals.weights)} weights in ${grouped(totals.cells)} cells`,
      ...inputs.map((value) => `input ${valueText(value)}`),
      ...outputs.map((value) => `output ${valueText(value)}`),
      '',
      layerTable(layers),
      ...islandText(layers),
    ].join('\n'),
  );
}

function valuesOf(values: readonly NetworkValue[]): ValueInfo[] {
  return values.map(({ name, elementType, dims }) => ({ name, elementType, shape: dims }));
}

function valueText({ name, elementType, shape }: ValueInfo): string {
  return `${name}: ${elementType} [${shape.join(', ')}]`;
}

function layersOf(network: Network): LayerInfo[] {
  return (network.layers as readonly Layer[]).map((layer) => {
    const place = placeOf(network, layer);
    const weights = isWeighted(layer) ? layer.weights.length : 0;
    const sharedWith = (isWeighted(layer) && layer.sharedWeights?.layer) || null;
    return {
      name: layer.name,
      operator: layer.kind,
      place,
      simulated: place !== 'host',
      timed: place !== 'host' && place !== 'weight memory',
      nodes: isIsland(layer) ? layer.reasons : [],
      weights,
      sharedWith,
      cells: sharedWith === null ? weights * WORD_BITS[network.format] : 0,
      output: network.tensors[layer.output].shape,
    };
  });
}

function placeOf(network: Network, layer: Layer): Place {
  if (isIsland(layer)) return 'host';
  if (isOnArray(layer)) return 'array';
  if (isWeighted(layer)) return 'weight memory';
  const operations = definitionOf(layer).vectorOperations(layer, shapesOf(network, layer));
  return operations > 0 ? 'vector unit' : 'moved';
}

function layerTable(layers: readonly LayerInfo[]): string {
  const rows = layers.map(
    ({ name, operator, place, weights, sharedWith, cells, output, timed }) => [
      ...[name, operator, place, grouped(weights)],
      sharedWith === null ? grouped(cells) : `of ${sharedWith}`,
      `${output.channels}×${output.height}×${output.width}`,
      timed ? 'yes' : 'no',
    ],
  );
  const head = ['layer', 'operator', 'on', 'weights', 'cells', 'output', 'timed'];
  return formatTable(head, rows);
}

/** Why islands are not simulated: one line a node. */
function islandText(layers: readonly LayerInfo[]): string[] {
  const islands = layers.filter(({ place }) => place === 'host');
  return islands.flatMap(({ name, nodes }) => [
    '',
    `${name} is not simulated: onnxruntime computes it on the host, without faults but those of its inputs and weights.`,
    ...nodes.map(({ node, reason }) => `  ${node} ${reason}`),
  ]);
}
