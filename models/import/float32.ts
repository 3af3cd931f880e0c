import { ModelError } from '../../core/index.js';
import type { Float32Layer, Float32Network, Float32WeightedLayer, Tensor } from '../network.js';
import { isWeighted } from '../network.js';
import type { OnnxModel, OnnxNode } from '../onnx/index.js';
import { transpose } from '../transpose.js';
import {
  constantInput,
  floatAttribute,
  type ImportGraph,
  nodeError,
  onlyOutput,
  prepareGraph,
  requireAttribute,
  unsupportedOperator,
} from './graph.js';
import { layerName, uniqueNames } from './naming.js';
import {
  convolutionShape,
  flattened,
  gemmShape,
  inputShape,
  poolingShape,
  requireFlattening,
  type ShapedValue,
} from './operators.js';
import { requireSequence } from './sequence.js';

const OPERATORS = [
  'Conv',
  'BatchNormalization',
  'Relu',
  'MaxPool',
  'Flatten',
  'Reshape',
  'Gemm',
  'Identity',
  'Dropout',
  'Constant',
];

interface Value extends ShapedValue {
  readonly tensor: number;
}

/** Imports a network of float32 operators; batch normalisation is folded into the weights. */
export function importFloat32(
  model: OnnxModel,
  source: string,
  name: string,
  checksum: string,
): Float32Network {
  const graph = prepareGraph(model, source);
  const unique = uniqueNames();
  const tensors: Tensor[] = [];
  const layers: Float32Layer[] = [];
  const values = new Map<string, Value>();

  function addTensor(value: string, { shape, rank }: ShapedValue): number {
    const tensor = tensors.push({ name: value, shape }) - 1;
    values.set(value, { tensor, shape, rank });
    return tensor;
  }

  /** The weighted layer that makes a node's input, which the node is about to change. */
  function producer(node: OnnxNode, value: Value): number {
    const index = layers.findIndex(({ output }) => output === value.tensor);
    const layer = layers[index];
    if (!layer || !isWeighted(layer) || layer.relu) {
      throw nodeError(source, node, 'does not directly follow a Conv or Gemm');
    }
    if (graph.uses.get(node.inputs[0]) !== 1) {
      throw nodeError(source, node, `shares its input "${node.inputs[0]}" with another node`);
    }
    return index;
  }

  /** Replaces the layer that made a node's input by one that makes the node's output. */
  function absorb(
    node: OnnxNode,
    value: Value,
    change: (layer: Float32WeightedLayer) => Float32WeightedLayer,
  ): void {
    const index = producer(node, value);
    const output = onlyOutput(source, node);
    layers[index] = change(layers[index] as Float32WeightedLayer);
    tensors[value.tensor] = { ...tensors[value.tensor], name: output };
    values.set(output, value);
  }

  const input = addTensor(graph.input.name, inputShape(graph));
  for (const node of graph.nodes) {
    if (node.domain !== '' || !OPERATORS.includes(node.opType)) {
      throw unsupportedOperator(source, node, OPERATORS);
    }
    const value = values.get(node.inputs[0]);
    if (!value) throw nodeError(source, node, 'takes no activations as its first input');
    switch (node.opType) {
      case 'Conv':
      case 'Gemm': {
        const weighted = readWeighted(graph, node, value);
        const rank = node.opType === 'Conv' ? 4 : 2;
        layers.push({
          ...weighted,
          name: unique(layerName(node, node.inputs[1])),
          input: value.tensor,
          output: addTensor(onlyOutput(source, node), { shape: weighted.shape.output, rank }),
          relu: false,
        });
        break;
      }
      case 'BatchNormalization':
        absorb(node, value, (layer) => foldBatchNormalization(graph, node, layer));
        break;
      case 'Relu':
        absorb(node, value, (layer) => ({ ...layer, relu: true }));
        break;
      case 'MaxPool': {
        const shape = poolingShape(graph, node, value);
        layers.push({
          kind: 'max-pool',
          name: unique(layerName(node)),
          input: value.tensor,
          output: addTensor(onlyOutput(source, node), { shape: shape.output, rank: 4 }),
          shape,
        });
        break;
      }
      default: {
        requireFlattening(graph, node, value);
        layers.push({
          kind: 'flatten',
          name: unique(layerName(node)),
          input: value.tensor,
          output: addTensor(onlyOutput(source, node), flattened(value.shape)),
        });
      }
    }
  }

  const output = values.get(graph.output.value);
  if (!output) throw new ModelError(`${source}: no node makes the output "${graph.output.name}"`);
  requireSequence(graph, layers, input, output.tensor);
  tensors[output.tensor] = { ...tensors[output.tensor], name: graph.output.name };
  return { format: 'float32', name, checksum, tensors, input, output: output.tensor, layers };
}

type WeightedParts = Pick<Float32WeightedLayer, 'kind' | 'shape' | 'weights' | 'bias'>;

function readWeighted(graph: ImportGraph, node: OnnxNode, input: ShapedValue): WeightedParts {
  const weights = constantInput(graph, node, 1, 'weight', 'float32');
  if (node.opType === 'Conv') {
    const shape = convolutionShape(graph, node, input, weights.dims);
    const bias = readBias(graph, node, shape.output.channels);
    return { kind: 'convolution', shape, weights: weights.data, bias };
  }
  const { shape, transposed } = gemmShape(graph, node, input, weights.dims);
  return {
    kind: 'fully-connected',
    shape,
    weights: transposed ? transpose(weights.data, weights.dims[0]) : weights.data,
    bias: readBias(graph, node, shape.output.channels),
  };
}

function readBias(graph: ImportGraph, node: OnnxNode, channels: number): Float32Array {
  if (!node.inputs[2]) return new Float32Array(channels);
  return perChannel(graph, node, 2, 'bias', channels);
}

function perChannel(
  graph: ImportGraph,
  node: OnnxNode,
  position: number,
  role: string,
  channels: number,
): Float32Array {
  const { name, data } = constantInput(graph, node, position, role, 'float32');
  if (data.length !== channels) {
    throw nodeError(
      graph.source,
      node,
      `has a ${role} "${name}" of ${data.length} values for ${channels} channels`,
    );
  }
  return data;
}

/**
 * y = γ (x − μ) / √(σ² + ε) + β after x = Σ w·a + b is the layer with weights w·γ/√(σ² + ε) and
 * bias β + (b − μ)·γ/√(σ² + ε), computed in float64 and rounded once.
 */
function foldBatchNormalization(
  graph: ImportGraph,
  node: OnnxNode,
  layer: Float32WeightedLayer,
): Float32WeightedLayer {
  const { source } = graph;
  requireAttribute(source, node, 'training_mode', 0);
  const channels = layer.shape.output.channels;
  const [scale, offset, mean, variance] = ['scale', 'bias', 'mean', 'variance'].map((role, index) =>
    perChannel(graph, node, index + 1, role, channels),
  );
  const epsilon = floatAttribute(source, node, 'epsilon', 1e-5);
  const factors = Float64Array.from(scale, (gamma, channel) => {
    const factor = gamma / Math.sqrt(variance[channel] + epsilon);
    if (Number.isFinite(factor)) return factor;
    throw nodeError(source, node, `cannot be folded: channel ${channel} divides by zero or worse`);
  });
  const window = layer.weights.length / channels;
  return {
    ...layer,
    weights: layer.weights.map((weight, index) => weight * factors[Math.floor(index / window)]),
    bias: layer.bias.map(
      (bias, channel) => offset[channel] + (bias - mean[channel]) * factors[channel],
    ),
  };
}
