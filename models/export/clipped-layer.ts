import { featureCount, InputError, ModelError } from '../../core/index.js';
import { channelDims, convolutionAttributes, int } from '../graph/attributes.js';
import type { QuantizedGraph } from '../graph/quantized-graph.js';
import {
  type ArrayLayer,
  arrayLayerNamed,
  type Int8ArrayLayer,
  type Int8Network,
  requantizationMultipliers,
} from '../network.js';

/** Values above their threshold become the real number 0, or the threshold. */
export interface Clip {
  readonly mode: 'clip-zero' | 'clamp';
}

/**
 * Clips the accumulators of a layer, bias included: one threshold per output channel, or one per neuron in channel,
 * row, column order.
 */
export interface AccumulatorClip extends Clip {
  readonly position: 'accumulator';
  readonly thresholds: Int32Array;
}

/** Clips the stored outputs of a layer, as Bitcell keeps them (uint8); thresholds as for `AccumulatorClip`. */
export interface RequantizedClip extends Clip {
  readonly position: 'requantised';
  readonly thresholds: Uint8Array;
}

export type Int8LayerClip = AccumulatorClip | RequantizedClip;

/** @throws InputError when a clip is for no layer of the network, or has another number of thresholds */
export function checkClips(network: Int8Network, clips: ReadonlyMap<string, Int8LayerClip>): void {
  for (const [name, { thresholds }] of clips) {
    const { output } = arrayLayerNamed(network, name).shape;
    const neurons = featureCount(output);
    if (thresholds.length !== output.channels && thresholds.length !== neurons) {
      throw new InputError(
        `${network.name}: layer "${name}" has ${output.channels} channels and ${neurons} neurons, but ${thresholds.length} thresholds`,
      );
    }
  }
}

/** Dimensions of thresholds, which broadcast over a layer's output: one per channel, or one per neuron. */
export function thresholdDims(layer: ArrayLayer, count: number): number[] {
  const { channels, height, width } = layer.shape.output;
  return count === channels ? channelDims(layer) : [1, channels, height, width];
}

/** Numbers of TensorProto.DataType, as the Cast operator wants them. */
const DATA_TYPE = { float32: 1, uint8: 2, int8: 3, int32: 6 } as const;

/** Adds operators of one layer whose values are named after it. */
function operatorsOf({ builder }: QuantizedGraph, layer: ArrayLayer) {
  const { name } = layer;
  const step = (opType: string, inputs: readonly string[], wanted: string) =>
    builder.node(opType, inputs, builder.fresh(`${name}.${wanted}`));
  return {
    step,
    int32: (wanted: string, dims: readonly number[], data: Int32Array) =>
      builder.constant(`${name}.${wanted}`, 'int32', dims, data),
    cast: (input: string, type: keyof typeof DATA_TYPE, output: string) =>
      builder.node('Cast', [input], output, { attributes: { to: int(DATA_TYPE[type]) } }),
    /** `zero` where a value exceeds its threshold. */
    clipToZero: (value: string, threshold: string, zero: string) =>
      step('Where', [step('Greater', [value, threshold], 'exceeds'), zero, value], 'clipped'),
  };
}

/**
 * Adds a layer that clips its accumulators, in standard integer operators: ConvInteger or MatMulInteger, Add (bias),
 * Greater and Where (clip-zero) or Min (clamp), Cast to float32, Mul by S_c, QuantizeLinear with scale 1.
 */
export function addAccumulatorClipped(
  graph: QuantizedGraph,
  layer: Int8ArrayLayer,
  { mode, thresholds }: AccumulatorClip,
  source: string,
  target: string,
): void {
  const { builder } = graph;
  const { name } = layer;
  const dims = channelDims(layer);
  const { step, int32, cast, clipToZero } = operatorsOf(graph, layer);
  const products = addProducts(graph, layer, source);
  const sum = step('Add', [products, int32('bias', dims, layer.bias)], 'accumulator');
  const threshold = int32('threshold', thresholdDims(layer, thresholds.length), thresholds);
  const clipped =
    mode === 'clamp'
      ? step('Min', [sum, threshold], 'clipped')
      : clipToZero(sum, threshold, int32('zero', [], Int32Array.of(0)));
  const real = cast(clipped, 'float32', builder.fresh(`${name}.real`));
  const multipliers = requantizationMultipliers(
    graph.quantization(layer.input).scale,
    layer.scales,
    graph.quantization(layer.output).scale,
  );
  const factor = builder.constant(`${name}.multiplier`, 'float32', dims, multipliers);
  const scaled = step('Mul', [real, factor], 'scaled');
  const one = builder.constant(`${name}.one`, 'float32', [], Float32Array.of(1));
  builder.node('QuantizeLinear', [scaled, one, graph.names(layer.output).zeroPoint], target);
}

/**
 * Adds a clip of stored outputs: Cast, Greater and Where (clip-zero) or Min (clamp), Cast. They are compared as int32,
 * because onnxruntime's Where does not take int8.
 */
export function addRequantizedClip(
  graph: QuantizedGraph,
  layer: Int8ArrayLayer,
  { mode, thresholds }: RequantizedClip,
  unclipped: string,
  target: string,
): void {
  const { builder } = graph;
  const { signed, zeroPoint } = graph.quantization(layer.output);
  const { step, int32, cast, clipToZero } = operatorsOf(graph, layer);
  const offset = signed ? 128 : 0;
  const value = cast(unclipped, 'int32', builder.fresh(`${layer.name}.stored`));
  const threshold = int32(
    'threshold',
    thresholdDims(layer, thresholds.length),
    Int32Array.from(thresholds, (stored) => stored - offset),
  );
  const clipped =
    mode === 'clamp'
      ? step('Min', [value, threshold], 'clipped')
      : clipToZero(value, threshold, int32('zero', [], Int32Array.of(zeroPoint - offset)));
  cast(clipped, signed ? 'int8' : 'uint8', target);
}

/** Adds the integer products of a layer, without its bias; returns their name. */
function addProducts(graph: QuantizedGraph, layer: Int8ArrayLayer, source: string): string {
  const { builder } = graph;
  const { name, zeroPoints } = layer;
  if (zeroPoints.some((zeroPoint) => zeroPoint !== zeroPoints[0])) {
    throw new ModelError(
      `layer "${name}" has weight zero points that differ between channels, which ConvInteger and MatMulInteger cannot express`,
    );
  }
  const { weights, zeroPoint } = graph.integerWeights(layer);
  const product = builder.fresh(`${name}.products`);
  const operands = [
    source,
    weights,
    graph.names(layer.input, graph.isSigned(layer.output)).zeroPoint,
    zeroPoint,
  ];
  return layer.kind === 'convolution'
    ? builder.node('ConvInteger', operands, product, {
        name,
        attributes: convolutionAttributes(layer),
      })
    : builder.node('MatMulInteger', operands, product, { name });
}
