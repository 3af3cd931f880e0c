import { type ArrayLayer, inputsOf, type Layer, type Network } from '../network.js';
import { add } from './add.js';
import { affine } from './affine.js';
import { arg } from './arg.js';
import { averagePool } from './average-pool.js';
import { binary } from './binary.js';
import { clip } from './clip.js';
import { concat } from './concat.js';
import { convolution } from './convolution.js';
import type { LayerShapes, OperatorDefinition } from './definition.js';
import { flatten } from './flatten.js';
import { fullyConnected } from './fully-connected.js';
import { functionOfOne } from './function.js';
import { gather } from './gather.js';
import { globalAveragePool } from './global-average-pool.js';
import { island } from './island.js';
import { leakyRelu } from './leaky-relu.js';
import { maxPool } from './max-pool.js';
import { normalize } from './normalize.js';
import { part } from './part.js';
import { dequantize, grid, quantize } from './quantize.js';
import { reduce } from './reduce.js';
import { response } from './response.js';
import { softmax } from './softmax.js';
import { storedWeights } from './stored-weights.js';
import { transpose } from './transpose.js';

type LayerOf<K extends Layer['kind']> = K extends ArrayLayer['kind']
  ? ArrayLayer
  : Extract<Layer, { readonly kind: K }>;

type Definitions = { readonly [K in Layer['kind']]: OperatorDefinition<LayerOf<K>> };

/** Every kind of layer. The compiler asks for the definition of a new one. */
export const OPERATORS = {
  add,
  affine,
  arg,
  'average-pool': averagePool,
  binary,
  clip,
  concat,
  convolution,
  dequantize,
  flatten,
  'fully-connected': fullyConnected,
  function: functionOfOne,
  gather,
  'global-average-pool': globalAveragePool,
  grid,
  island,
  'leaky-relu': leakyRelu,
  'max-pool': maxPool,
  normalize,
  part,
  quantize,
  reduce,
  response,
  softmax,
  'stored-weights': storedWeights,
  transpose,
} satisfies Definitions;

/** The definition of a layer's kind, which takes the layer. */
export function definitionOf(layer: Layer): OperatorDefinition {
  return OPERATORS[layer.kind] as OperatorDefinition;
}

/** Whether a layer only moves values, so that its input and output share one quantisation. */
export function isMoving(layer: Layer): boolean {
  return definitionOf(layer).moves;
}

/** Shapes of a layer's tensors. */
export function shapesOf({ tensors }: Network, layer: Layer): LayerShapes {
  return {
    inputs: inputsOf(layer).map((tensor) => tensors[tensor].shape),
    output: tensors[layer.output].shape,
  };
}
