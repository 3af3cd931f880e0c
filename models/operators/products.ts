import { type ConvolutionShape, excerpt, fullyConnectedShape } from '../../core/index.js';
import type { Form } from '../graph/form.js';
import { nodeError } from '../graph/graph.js';
import { constantQuantization, readQuantization } from '../graph/quantization.js';
import {
  readAccumulatorBias,
  readDequantizedBias,
  readQuantizedWeights,
} from '../graph/quantized-weights.js';
import type { ArrayLayer } from '../network.js';
import type { OnnxNode } from '../onnx/index.js';
import { transpose } from '../weights/transpose.js';
import type { Activation, ReadValues, WeightOperand } from './definition.js';

/** How a node's constant weights make a layer on the array. */
export interface Product {
  readonly kind: ArrayLayer['kind'];
  readonly shape: ConvolutionShape;
  readonly form: Form;
  /** Whether the weights are stored input by output. */
  readonly transposed: boolean;
  /** What all weights, and the bias, are multiplied by. */
  readonly alpha?: number;
  readonly beta?: number;
}

/** The constant weights that a node takes at a position. @throws NotSimulated where they are computed */
export function weightsOf(into: ReadValues, node: OnnxNode, position: number): WeightOperand {
  const weights = into.weights(node, position);
  if (weights) return weights;
  const { source, constants } = into.graph;
  const constant = constants.get(node.inputs[position] ?? '');
  if (!constant) return into.cannot(node, 'has no constant weights');
  throw nodeError(
    source,
    node,
    `has a weight "${constant.name}" of type ${constant.elementType}, expected float32`,
  );
}

/** Reads a float32 node with constant weights at position 1 and a bias, if it has one, at position 2. */
export function readProduct(
  into: ReadValues,
  node: OnnxNode,
  x: Activation,
  { tensor, real }: WeightOperand,
  { kind, shape, form, transposed, alpha = 1, beta = 1 }: Product,
): void {
  const { graph } = into;
  const channels = shape.output.channels;
  const bias = biasOf(into, node, channels).map((value) => value * beta);
  const name = tensor.name.replace(/_quantized$/, '');
  if (!real) {
    const stored = transposed ? transpose(tensor.data, tensor.dims[0]) : tensor.data;
    const weights = alpha === 1 ? stored : stored.map((weight) => weight * alpha);
    graph.weightSources.set(weights, { key: tensor.name, transposed });
    into.product(node, x, form, { kind, shape, weights, bias }, tensor.name);
    return;
  }
  if (alpha !== 1 || beta !== 1) {
    into.cannot(node, `has alpha = ${alpha} and beta = ${beta}, with integer weights`);
  }
  const words = readQuantizedWeights(graph, node, shape, transposed, { tensor, real });
  const isInteger = x.state === 'dequantized';
  const quantizedBias = into.weights(node, 2);
  const parts = {
    ...{ kind, shape, ...words, realBias: bias, weightType: tensor.elementType },
    givesFloat32: isInteger && node.opType !== 'Conv',
    bias: isInteger
      ? readDequantizedBias(
          graph,
          node,
          into.quantizationOf(x).scale,
          words.scales,
          quantizedBias?.real && quantizedBias,
        )
      : new Int32Array(channels),
  };
  into.product(node, x, form, parts, name);
}

/** The bias at position 2 as float32 numbers, one for each channel; 0 where there is none. */
function biasOf(into: ReadValues, node: OnnxNode, channels: number): Float32Array {
  const { source } = into.graph;
  const name = node.inputs[2];
  if (!name) return new Float32Array(channels);
  const bias = into.constant(node, 2);
  if (!bias) {
    throw nodeError(source, node, `has a bias "${name}" that is not an initialiser`);
  }
  if (bias.data.length === 1) return new Float32Array(channels).fill(bias.data[0]);
  if (bias.data.length === channels) return bias.data;
  throw nodeError(
    source,
    node,
    `has a bias "${bias.name}" of ${bias.data.length} values for ${channels} channels`,
  );
}

/** Where an operator on quantised tensors has its output's scale and its bias. */
export interface Positions {
  readonly output: number;
  readonly bias: number | undefined;
}

/** Reads a node on quantised tensors with constant weights at position 3. */
export function readQuantizedProduct(
  into: ReadValues,
  node: OnnxNode,
  positions: Positions,
  productOf: (x: Activation, weightDims: readonly number[]) => Product,
  take: (node: OnnxNode, position: number) => Activation,
): void {
  const { graph } = into;
  into.quantizedOperand(node, 0);
  const x = take(node, 0);
  const tensor = graph.constants.get(node.inputs[3]);
  if (!tensor) {
    into.cannot(node, `has weights "${node.inputs[3]}" that are no initialiser`);
  }
  const real = constantQuantization(graph, node, tensor, 4);
  const { kind, shape, form, transposed } = productOf(x, tensor.dims);
  const words = readQuantizedWeights(graph, node, shape, transposed, { tensor, real });
  const { channels } = shape.output;
  const biasName = positions.bias === undefined ? '' : (node.inputs[positions.bias] ?? '');
  const bias = graph.constants.get(biasName);
  if (biasName !== '' && !bias) {
    throw nodeError(graph.source, node, `has a bias "${biasName}" that is not an initialiser`);
  }
  const quantization = readQuantization(graph, node, positions.output);
  const layer = {
    ...{ kind, shape, ...words },
    bias: bias ? readAccumulatorBias(graph, node, bias, channels) : new Int32Array(channels),
    // A tensor with this zero point holds no negative numbers, so a ReLU before it would change nothing.
    relu: quantization.zeroPoint === 0,
  };
  const weight = node.inputs[3].replace(/_quantized$/, '');
  into.quantizedResult(node, [x], form, quantization, layer, weight);
}

/**
 * The product of the rows of an activation with a weight matrix: a fully connected layer for one row, and a 1×1
 * convolution along the rows of a sequence.
 */
export function matrixProduct(
  into: ReadValues,
  node: OnnxNode,
  { dims }: Activation,
  weightDims: readonly number[],
  transposed: boolean,
): Product {
  const features = dims.at(-1) ?? 1;
  const [outputs, inputs] = transposed ? [...weightDims].reverse() : weightDims;
  if (weightDims.length !== 2) {
    return into.cannot(node, `has weights of dimensions [${excerpt(weightDims.join(', '))}]`);
  }
  if (inputs !== features || outputs < 1) {
    throw nodeError(
      into.graph.source,
      node,
      `has weights of dimensions [${excerpt(weightDims.join(', '))}], which do not fit ${features} inputs`,
    );
  }
  const shape = fullyConnectedShape(inputs, outputs);
  const rows = dims.slice(0, -1).reduce((product, size) => product * size, 1);
  const layout = dims.length === 2 && rows === 1 ? 'channels-last' : 'row-major';
  const form: Form = { dims: [...dims.slice(0, -1), outputs], layout };
  if (rows === 1) return { kind: 'fully-connected', shape, form, transposed };
  const along = { height: 1, width: rows };
  const input = { channels: inputs, ...along };
  const output = { channels: outputs, ...along };
  return { kind: 'convolution', shape: { ...shape, input, output }, form, transposed };
}
