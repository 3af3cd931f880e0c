import { ModelError } from '../../../core/index.js';
import { int } from '../../graph/attributes.js';
import { typeOf } from '../../graph/graph.js';
import { heldWeights } from '../../islands/held-weights.js';
import {
  type Float32ArrayLayer,
  type Float32Network,
  type Int8ArrayLayer,
  type Int8Network,
  isOnArray,
  type Layer,
  type Quantization,
} from '../../network.js';
import { encodeOnnx, type OnnxNode } from '../../onnx/index.js';
import { isMoving } from '../../operators/index.js';
import { type NetworkGraph, readNetwork } from '../../read-network.js';
import { transpose } from '../../weights/transpose.js';
import { type ActivationRange, quantizeRange } from '../affine.js';
import { joinRanges } from '../join-ranges.js';
import { quantizeLayers, type WeightGranularity } from '../quantize.js';
import { type ActivationType, createGraphEdit, type GraphEdit } from './graph-edit.js';
import { quantizedPart } from './quantized-part.js';

/** How a graph is quantised. */
export interface GraphQuantization {
  readonly weights: WeightGranularity;
  readonly activations: ActivationType;
  /** Biases in the place of the rounded ones, by the layer's name. */
  readonly biases?: ReadonlyMap<string, Int32Array>;
}

/** A float32 network of a file, of which a quantised one can be made. */
export interface Float32Graph extends NetworkGraph {
  readonly network: Float32Network;
}

/**
 * Quantises the graph of a file: its own nodes under their own names, with QuantizeLinear and DequantizeLinear where
 * `quantizedPart` says so. Convolutions and matrix products get the words of `quantizeNetwork`, batch normalisations,
 * biases and activation functions folded into them as they were when the file was read; the weights of operators on the
 * host get int8 words, too. Several inputs and outputs, open sizes and older operator sets stay as they are.
 *
 * @param ranges of each tensor of the network, by index, from a calibration
 * @returns the ONNX file in QDQ form
 * @throws InputError when the granularity is unknown
 * @throws ModelError when a weight or bias is not finite, or nothing can be quantised
 */
export function quantizeGraph(
  source: Float32Graph,
  ranges: readonly ActivationRange[],
  { weights, activations, biases = new Map() }: GraphQuantization,
): Uint8Array {
  const { network, graph, model } = source;
  const part = quantizedPart(network, source);
  if (!network.layers.some((layer) => isOnArray(layer))) {
    throw new ModelError(
      `${network.name} has no convolution or matrix product with constant weights, and so nothing to quantise`,
    );
  }
  const quantizations = joinRanges(network, ranges).map(quantizeRange);
  const words = quantizeLayers(network, quantizations, weights);
  const edit = createGraphEdit(model, graph.source, activations);
  const makers = new Map<number, Layer>(network.layers.map((layer) => [layer.output, layer]));
  const products = new Map(
    network.layers
      .filter((layer) => isOnArray(layer))
      .map((layer) => [source.results.get(layer.output) ?? '', layer]),
  );
  const sharing = new Set(
    [...products.values()].flatMap(({ sharedWeights }) => sharedWeights?.layer ?? []),
  );
  const dequantized = new Map<string, string>();

  /** The layer that a node belongs to; undefined: none alone. */
  function layerOf(value: string): Layer | undefined {
    const tensor = source.tensorOf.get(value);
    if (tensor !== undefined) return makers.get(tensor);
    const [taker, ...others] = graph.consumers.get(value) ?? [];
    return taker && others.length === 0 ? layerOf(taker.outputs[0]) : undefined;
  }

  function quantizationOf(value: string): Quantization | undefined {
    const tensor = source.tensorOf.get(value);
    return tensor !== undefined && part.tensors.has(tensor) ? quantizations[tensor] : undefined;
  }

  function isMade(value: string): boolean {
    return part.made.has(source.tensorOf.get(value) ?? -1);
  }

  /** What a layer on integers takes: the numbers of integers. */
  function rounded(value: string): string {
    return dequantized.get(value) ?? edit.nameOf(value);
  }

  function taken(node: OnnxNode, prepared: OnnxNode | undefined): OnnxNode {
    const layer = layerOf(node.outputs[0]);
    const isInteger = layer !== undefined && part.layers.has(layer) && !isMoving(layer);
    const inputs = node.inputs.map((input, position) => {
      const value = prepared?.inputs[position] ?? input;
      if (isInteger || isMade(value)) return dequantized.get(value) ?? input;
      return input;
    });
    const withConstant =
      isInteger && layer.kind === 'binary' && layer.constant
        ? inputs.map((input, position) => {
            const isConstant = graph.constants.has(prepared?.inputs[position] ?? input);
            const [value] = layer.constant?.values ?? [];
            return isConstant ? edit.scalar(`${layer.name}.constant`, value) : input;
          })
        : inputs;
    return { ...node, inputs: withConstant };
  }

  /** Weights of operators on the host, where DequantizeLinear nodes have an axis. */
  function withStoredWeights(node: OnnxNode, prepared: OnnxNode | undefined): OnnxNode {
    if (!prepared || edit.domain !== '') return node;
    const held = new Map(
      heldWeights(graph, prepared).map(({ value, constant }) => [value, constant]),
    );
    const inputs = node.inputs.map((input, position) => {
      const constant = held.get(prepared.inputs[position]);
      if (constant?.elementType !== 'float32') return input;
      return edit.storedWeights(constant, CHANNEL_AXES[node.opType], weights);
    });
    return { ...node, inputs };
  }

  function finishValue(value: string): void {
    const quantization = quantizationOf(value);
    if (!quantization) return;
    dequantized.set(value, edit.requantized(value, quantization, isMade(value)));
  }

  for (const { name } of graph.inputs) finishValue(name);
  for (const node of edit.nodes) {
    const product = node.outputs.map((name) => products.get(name)).find(Boolean);
    const prepared = graph.producers.get(node.outputs[0]);
    if (product) {
      const layer = words.get(product.name);
      const first = source.products.get(product.name);
      if (!layer || !first) throw new Error(`${product.name} has no words`);
      const bias = biases.get(product.name) ?? layer.bias;
      addProduct(edit, {
        node: first,
        rank: typeOf(graph, first.inputs[0]).dims.length,
        weightDims: typeOf(graph, first.inputs[1]).dims,
        real: product,
        layer: { ...layer, bias },
        shared: sharing.has(product.sharedWeights?.layer ?? product.name),
        inputScale: quantizations[product.input].scale,
        input: rounded(first.inputs[0]),
        output: edit.realName(node.outputs[0], isMade(node.outputs[0])),
      });
    } else {
      const inner = withStoredWeights(taken(node, prepared), prepared);
      edit.add({
        ...inner,
        outputs: inner.outputs.map((name) => edit.realName(name, isMade(name))),
      });
    }
    for (const name of node.outputs) finishValue(name);
  }
  return encodeOnnx(edit.finish());
}

/**
 * Reads a quantised file back, under the name and the open sizes of the network that it was made of.
 *
 * @throws ModelError as `readNetwork` does
 */
export function readQuantized(file: Uint8Array, { network, graph }: Float32Graph): Int8Network {
  const inputShapes = new Map(
    graph.inputs.map(({ name }) => [name, typeOf(graph, name).dims] as const),
  );
  const found = readNetwork(file, { name: network.name, inputShapes });
  if (found.format === 'int8') return found;
  throw new Error(`${network.name} is not quantised`);
}

/** The axis of a weight that counts output channels, of operators that are computed on the host. */
const CHANNEL_AXES: Readonly<Record<string, number | undefined>> = {
  Conv: 0,
  ConvTranspose: 1,
  Gather: 0,
};

interface ProductParts {
  /** The convolution or matrix product of the file. */
  readonly node: OnnxNode;
  /** Dimensions of its input. */
  readonly rank: number;
  readonly weightDims: readonly number[];
  readonly real: Float32ArrayLayer;
  readonly layer: Int8ArrayLayer;
  /** Whether another layer reads the same words. */
  readonly shared: boolean;
  readonly inputScale: number;
  readonly input: string;
  readonly output: string;
}

function addProduct(edit: GraphEdit, parts: ProductParts): void {
  const { node, rank, real, layer, shared, inputScale, output } = parts;
  const { name, bias } = layer;
  const sum = real.relu ? edit.fresh(`${output}_before_relu`) : output;
  const biasScales = layer.scales.map((scale) => inputScale * scale);
  if (node.opType === 'Conv' || rank === 2) {
    const isConvolution = node.opType === 'Conv';
    const transposed = !isConvolution && layer.sharedWeights?.transposed === true;
    const dims = isConvolution
      ? parts.weightDims
      : [layer.scales.length, real.shape.input.channels];
    const inputs = [
      parts.input,
      edit.words(layer, dims, transposed ? 'transposed' : 'stored', shared),
      edit.dequantizedBias(name, bias, biasScales),
    ];
    edit.add({
      name,
      opType: isConvolution ? 'Conv' : 'Gemm',
      domain: '',
      inputs,
      outputs: [sum],
      attributes: isConvolution ? node.attributes : new Map([['transB', int(transposed ? 0 : 1)]]),
    });
  } else {
    addMatrixProduct(edit, parts, sum);
  }
  if (real.relu) edit.rectifier(real, sum, output);
}

/** Of rows of a sequence: there is no Gemm for them, so that the bias is added behind. */
function addMatrixProduct(
  edit: GraphEdit,
  { layer, real, shared, input }: ProductParts,
  sum: string,
): void {
  const { name } = layer;
  const outputs = layer.scales.length;
  const weights = transpose(layer.weights, outputs);
  const dims = [real.shape.input.channels, outputs];
  const hasBias = real.bias.some((value) => value !== 0);
  const product = hasBias ? edit.fresh(`${sum}_before_bias`) : sum;
  edit.add({
    name,
    opType: 'MatMul',
    domain: '',
    inputs: [input, edit.words({ ...layer, weights }, dims, 'input-by-output', shared)],
    outputs: [product],
    attributes: new Map(),
  });
  if (!hasBias) return;
  edit.add({
    name: `${name}.add_bias`,
    opType: 'Add',
    domain: '',
    inputs: [product, edit.constant(`${name}.bias`, 'float32', [outputs], real.bias)],
    outputs: [sum],
    attributes: new Map(),
  });
}
