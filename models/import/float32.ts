import { ModelError } from '../../core/index.js';
import {
  constantInput,
  constantScalar,
  floatAttribute,
  type ImportGraph,
  nodeError,
  onlyOutput,
  unsupportedOperator,
} from '../graph/graph.js';
import { layerName, noActivations, uniqueNames } from '../graph/naming.js';
import { prepareGraph, requireOneOfEach } from '../graph/prepare/prepare.js';
import {
  activationBounds,
  concatShape,
  flattened,
  inputShape,
  requireFlattening,
  type ShapedValue,
  sumShape,
} from '../graph/shapes.js';
import {
  averagePooling,
  convolutionShape,
  fullyConnected,
  globallyPooled,
  poolingShape,
} from '../graph/windows.js';
import type { Float32ArrayLayer, Float32Layer, Float32Network, Tensor } from '../network.js';
import { isOnArray, isWeighted } from '../network.js';
import type { OnnxModel, OnnxNode } from '../onnx/index.js';
import { transpose } from '../weights/transpose.js';
import { normalizationFactors, perChannel } from './batch-normalization.js';
import { finishNetwork } from './finish.js';

const OPERATORS = [
  'Conv',
  'Gemm',
  'MatMul',
  'BatchNormalization',
  'Relu',
  'Clip',
  'LeakyRelu',
  'MaxPool',
  'AveragePool',
  'GlobalAveragePool',
  'Add',
  'Concat',
  'Flatten',
  'Reshape',
  'Identity',
  'Dropout',
  'Constant',
];

interface Value extends ShapedValue {
  readonly tensor: number;
}

type WithoutPlace<L> = L extends unknown ? Omit<L, 'name' | 'output'> : never;

/**
 * Imports a network of float32 operators. Batch normalisation is folded into the weights before it,
 * as are biases that are added after MatMul; activation functions join the layer they follow. Weights that several
 * layers share are left as they are if folding would make different words of them.
 */
export function importFloat32(
  model: OnnxModel,
  source: string,
  name: string,
  checksum: string,
): Float32Network {
  const graph = prepareGraph(model, source);
  requireOneOfEach(graph);
  const folded = readLayers(graph, new Set());
  const parted = partedWeights(graph, folded.layers);
  const parts = parted.size === 0 ? folded : readLayers(graph, parted);
  return { format: 'float32', name, checksum, ...parts };
}

/** The initialisers of which layers do not have the same words any more. */
function partedWeights(graph: ImportGraph, layers: readonly Float32Layer[]): ReadonlySet<string> {
  const owned = layers
    .filter((layer) => isWeighted(layer))
    .filter(({ sharedWeights }) => !sharedWeights)
    .map(({ weights }) => graph.weightSources.get(weights)?.key ?? '');
  return new Set(owned.filter((key, index) => owned.indexOf(key) !== index));
}

/** @param unfolded initialisers into which no batch normalisation is folded */
function readLayers(graph: ImportGraph, unfolded: ReadonlySet<string>) {
  const { source } = graph;
  const unique = uniqueNames();
  const tensors: Tensor[] = [];
  const layers: Float32Layer[] = [];
  const values = new Map<string, Value>();

  function addTensor(value: string, { shape, rank }: ShapedValue): number {
    const tensor = tensors.push({ name: value, shape }) - 1;
    values.set(value, { tensor, shape, rank });
    return tensor;
  }

  function addLayer(node: OnnxNode, shaped: ShapedValue, layer: WithoutPlace<Float32Layer>): void {
    const weight = 'weights' in layer ? node.inputs[1] : '';
    layers.push({
      ...layer,
      name: unique(layerName(node, weight)),
      output: addTensor(onlyOutput(source, node), shaped),
    });
  }

  function activation(node: OnnxNode, position = 0): Value {
    const value = values.get(node.inputs[position]);
    if (value) return value;
    throw nodeError(source, node, noActivations(position));
  }

  /** The layer that makes a value for this node alone, so that the node can change it. */
  function producer(position: string, value: Value): Float32Layer | undefined {
    if (graph.uses.get(position) !== 1) return undefined;
    return layers.find(({ output }) => output === value.tensor);
  }

  /** The same, if it is a weighted layer without an activation function. */
  function linearProducer(input: string, value: Value): Float32ArrayLayer | undefined {
    const layer = producer(input, value);
    return layer && isOnArray(layer) && !layer.relu ? layer : undefined;
  }

  /** Replaces the layer that made a value by one that makes the node's output. */
  function replace(node: OnnxNode, value: Value, layer: Float32Layer): void {
    const output = onlyOutput(source, node);
    const index = layers.findIndex((candidate) => candidate.output === value.tensor);
    layers[index] = layer;
    tensors[value.tensor] = { ...tensors[value.tensor], name: output };
    values.set(output, value);
  }

  function addWeighted(node: OnnxNode): void {
    const value = activation(node);
    const weighted = readWeighted(graph, node, value);
    const rank = node.opType === 'Conv' ? 4 : 2;
    const shaped = { shape: weighted.shape.output, rank } as const;
    addLayer(node, shaped, { ...weighted, input: value.tensor, relu: false });
  }

  function addNormalization(node: OnnxNode): void {
    const value = activation(node);
    const { factors, offsetOf } = normalizationFactors(graph, node, value.shape.channels);
    const layer = linearProducer(node.inputs[0], value);
    const weightSource = layer && graph.weightSources.get(layer.weights);
    if (!layer || (weightSource && unfolded.has(weightSource.key))) {
      addLayer(node, value, {
        kind: 'affine',
        input: value.tensor,
        factors: Float32Array.from(factors),
        offsets: Float32Array.from(factors, (_, channel) => offsetOf(channel, 0)),
      });
      return;
    }
    const window = layer.weights.length / factors.length;
    const weights = layer.weights.map(
      (weight, index) => weight * factors[Math.floor(index / window)],
    );
    if (weightSource) graph.weightSources.set(weights, weightSource);
    replace(node, value, {
      ...layer,
      weights,
      bias: layer.bias.map((bias, channel) => offsetOf(channel, bias)),
    });
  }

  function addActivation(node: OnnxNode): void {
    const value = activation(node);
    const { low, high } = activationBounds(graph, node, (position, role) =>
      constantScalar(graph, node, position, role),
    );
    const layer = producer(node.inputs[0], value);
    const rectifies = low === 0 && high > 0;
    if (rectifies && layer && isOnArray(layer) && !layer.relu) {
      const upper = high < Infinity ? { upper: high } : {};
      replace(node, value, { ...layer, relu: true, ...upper });
    } else if (rectifies && high === Infinity && layer?.kind === 'add' && !layer.relu) {
      replace(node, value, { ...layer, relu: true });
    } else {
      addLayer(node, value, { kind: 'clip', input: value.tensor, low, high });
    }
  }

  function addSum(node: OnnxNode): void {
    const bias = node.inputs.findIndex((input) => graph.constants.has(input));
    if (bias < 0) {
      const [one, other] = [activation(node, 0), activation(node, 1)];
      const shaped = sumShape(graph, node, [one, other]);
      addLayer(node, shaped, { kind: 'add', inputs: [one.tensor, other.tensor], relu: false });
      return;
    }
    const value = activation(node, 1 - bias);
    const layer = linearProducer(node.inputs[1 - bias], value);
    if (!layer) throw nodeError(source, node, 'adds a constant to something that has no bias');
    const { dims } = constantInput(graph, node, bias, 'bias', 'float32');
    const data = perChannel(graph, node, bias, 'bias', value.shape.channels);
    const along = dims.length - (value.rank === 4 ? 3 : 1);
    if (dims.some((size, axis) => size !== (axis === along ? data.length : 1))) {
      throw nodeError(source, node, `adds a constant of dimensions [${dims.join(', ')}]`);
    }
    replace(node, value, {
      ...layer,
      bias: layer.bias.map((stored, channel) => stored + data[channel]),
    });
  }

  function addFlattening(node: OnnxNode): void {
    const value = activation(node);
    requireFlattening(graph, node, value);
    addLayer(node, flattened(value.shape), { kind: 'flatten', input: value.tensor });
  }

  function addConcat(node: OnnxNode): void {
    const parts = node.inputs.map((_, position) => activation(node, position));
    if (parts.length === 0) throw nodeError(source, node, 'has no inputs');
    const inputs = parts.map(({ tensor }) => tensor);
    addLayer(node, concatShape(graph, node, parts), { kind: 'concat', inputs });
  }

  function addPooling(node: OnnxNode): void {
    const value = activation(node);
    if (node.opType === 'MaxPool') {
      const shape = poolingShape(graph, node, value);
      addLayer(
        node,
        { shape: shape.output, rank: 4 },
        { kind: 'max-pool', input: value.tensor, shape },
      );
      return;
    }
    if (node.opType === 'GlobalAveragePool') {
      const shaped = globallyPooled(graph, node, value);
      addLayer(node, shaped, { kind: 'global-average-pool', input: value.tensor });
      return;
    }
    const pooling = averagePooling(graph, node, value);
    addLayer(
      node,
      { shape: pooling.shape.output, rank: 4 },
      { kind: 'average-pool', input: value.tensor, ...pooling },
    );
  }

  const input = addTensor(graph.input.name, inputShape(graph));
  for (const node of graph.nodes) {
    switch (node.domain === '' ? node.opType : '') {
      case 'Conv':
      case 'Gemm':
      case 'MatMul':
        addWeighted(node);
        break;
      case 'BatchNormalization':
        addNormalization(node);
        break;
      case 'Relu':
      case 'Clip':
        addActivation(node);
        break;
      case 'LeakyRelu': {
        const value = activation(node);
        const alpha = floatAttribute(source, node, 'alpha', Math.fround(0.01));
        addLayer(node, value, { kind: 'leaky-relu', input: value.tensor, alpha });
        break;
      }
      case 'Add':
        addSum(node);
        break;
      case 'Concat':
        addConcat(node);
        break;
      case 'MaxPool':
      case 'AveragePool':
      case 'GlobalAveragePool':
        addPooling(node);
        break;
      case 'Flatten':
      case 'Reshape':
        addFlattening(node);
        break;
      default:
        throw unsupportedOperator(source, node, OPERATORS);
    }
  }

  const output = values.get(graph.output.value);
  if (!output) throw new ModelError(`${source}: no node makes the output "${graph.output.name}"`);
  return finishNetwork(graph, { layers, tensors, input, output: output.tensor });
}

type WeightedParts = Pick<Float32ArrayLayer, 'kind' | 'shape' | 'weights' | 'bias'>;

function readWeighted(graph: ImportGraph, node: OnnxNode, input: ShapedValue): WeightedParts {
  const weights = constantInput(graph, node, 1, 'weight', 'float32');
  if (node.opType === 'Conv') {
    const shape = convolutionShape(graph, node, input, weights.dims);
    const bias = readBias(graph, node, shape.output.channels);
    graph.weightSources.set(weights.data, { key: weights.name, transposed: false });
    return { kind: 'convolution', shape, weights: weights.data, bias };
  }
  const { shape, transposed } = fullyConnected(graph, node, input, weights.dims);
  const data = transposed ? transpose(weights.data, weights.dims[0]) : weights.data;
  graph.weightSources.set(data, { key: weights.name, transposed });
  return {
    kind: 'fully-connected',
    shape,
    weights: data,
    bias: readBias(graph, node, shape.output.channels),
  };
}

function readBias(graph: ImportGraph, node: OnnxNode, channels: number): Float32Array {
  if (!node.inputs[2]) return new Float32Array(channels);
  return perChannel(graph, node, 2, 'bias', channels);
}
