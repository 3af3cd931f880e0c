import { InputError, ModelError } from '../../core/index.js';
import {
  type ElementwiseLayer,
  type Int8Network,
  type Int8WeightedLayer,
  inputsOf,
  isMoving,
  isWeighted,
  requantizationMultipliers,
} from '../network.js';
import type { OnnxAttribute } from '../onnx/index.js';
import { transpose } from '../transpose.js';
import { MICROSOFT_DOMAIN } from './graph-builder.js';
import {
  addFloat32Operator,
  averagePoolAttributes,
  channelDims,
  convolutionAttributes,
  float,
  int,
  movingOperator,
  weightDims,
} from './operators.js';
import {
  createQuantizedGraph,
  graphOutputs,
  type QuantizedGraph,
  type QuantizedWriteOptions,
  quantizedName,
} from './quantized.js';

/** What clips a layer's accumulators: above its threshold one becomes 0 or the threshold. */
export interface AccumulatorClip {
  readonly mode: 'clip-zero' | 'clamp';
  /** One per output channel, compared with the accumulator, bias included. */
  readonly thresholds: Int32Array;
}

/**
 * Writes a quantised network in QOperator form, which leaves onnxruntime nothing to fuse:
 * QuantizeLinear, then QLinearConv, MaxPool, Flatten and the operators of the domain com.microsoft on
 * uint8 or int8, then DequantizeLinear. Clip layers stand between DequantizeLinear and QuantizeLinear.
 */
export function writeQOperator(
  network: Int8Network,
  options: QuantizedWriteOptions = {},
): Uint8Array {
  return writeClipped(network, new Map(), options);
}

/**
 * Writes a quantised network in which some layers clip their accumulators. Those are made of standard
 * integer operators: ConvInteger or MatMulInteger, Add (bias), Greater and Where (clip-zero) or Min
 * (clamp), Cast to float32, Mul by S_c, QuantizeLinear with scale 1. The others are as in `writeQOperator`.
 *
 * @param clips by layer name
 * @throws InputError when a clip is for no layer of the network, or for another number of channels
 * @throws ModelError when the network has no such form
 */
export function writeClipped(
  network: Int8Network,
  clips: ReadonlyMap<string, AccumulatorClip>,
  options: QuantizedWriteOptions = {},
): Uint8Array {
  checkClips(network, clips);
  const { tensors } = network;
  const graph = createQuantizedGraph(network);
  const { builder } = graph;
  const input = tensors[network.input];
  const { scale, zeroPoint } = graph.names(network.input);
  builder.node('QuantizeLinear', [input.name, scale, zeroPoint], quantizedName(input));
  for (const layer of network.layers) {
    const sources = inputsOf(layer).map((tensor) => quantizedName(tensors[tensor]));
    const target = quantizedName(tensors[layer.output]);
    if (isWeighted(layer)) {
      const clip = clips.get(layer.name);
      if (clip) addClipped(graph, layer, clip, sources[0], target);
      else addQLinear(graph, layer, sources[0], target);
    } else if (isMoving(layer)) {
      const { opType, attributes } = movingOperator(layer);
      builder.node(opType, sources, target, { name: layer.name, attributes });
    } else {
      addElementwise(graph, layer, sources, target);
    }
  }
  const last = graph.names(network.output);
  builder.node(
    'DequantizeLinear',
    [quantizedName(tensors[network.output]), last.scale, last.zeroPoint],
    tensors[network.output].name,
  );
  return builder.finish(graphOutputs(network, options));
}

function checkClips(network: Int8Network, clips: ReadonlyMap<string, AccumulatorClip>): void {
  const layers = new Map(network.layers.map((layer) => [layer.name, layer]));
  for (const [name, { thresholds }] of clips) {
    const layer = layers.get(name);
    if (!layer || !isWeighted(layer)) {
      throw new InputError(
        `${network.name} has no layer "${name}" whose accumulators could be clipped`,
      );
    }
    if (thresholds.length !== layer.shape.output.channels) {
      throw new InputError(
        `${network.name}: layer "${name}" has ${layer.shape.output.channels} channels, but ${thresholds.length} thresholds`,
      );
    }
  }
}

function addQLinear(
  graph: QuantizedGraph,
  layer: Int8WeightedLayer,
  source: string,
  target: string,
): void {
  const { builder } = graph;
  const { name, bias } = layer;
  const x = graph.names(layer.input);
  const y = graph.names(layer.output);
  const w = graph.weights(layer, weightDims(layer));
  const biasName = builder.constant(`${name}.bias`, 'int32', [bias.length], bias);
  const operands = [source, x.scale, x.zeroPoint, w.weights, w.scale, w.zeroPoint];
  if (layer.kind === 'convolution') {
    builder.node('QLinearConv', [...operands, y.scale, y.zeroPoint, biasName], target, {
      name,
      attributes: convolutionAttributes(layer),
    });
  } else {
    builder.node('QGemm', [...operands, biasName, y.scale, y.zeroPoint], target, {
      name,
      domain: MICROSOFT_DOMAIN,
      attributes: { transB: int(1) },
    });
  }
}

function addElementwise(
  graph: QuantizedGraph,
  layer: ElementwiseLayer,
  sources: readonly string[],
  target: string,
): void {
  const { builder } = graph;
  const { name } = layer;
  const operands = inputsOf(layer).flatMap((tensor, index) => {
    const { scale, zeroPoint } = graph.names(tensor);
    return [sources[index], scale, zeroPoint];
  });
  const y = graph.names(layer.output);
  const result = [y.scale, y.zeroPoint];
  const add = (
    opType: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, OnnxAttribute>>,
  ) => builder.node(opType, inputs, target, { name, domain: MICROSOFT_DOMAIN, attributes });
  switch (layer.kind) {
    case 'add':
      add('QLinearAdd', [...operands, ...result], {});
      break;
    case 'concat':
      add('QLinearConcat', [...result, ...operands], { axis: int(1) });
      break;
    case 'average-pool':
      add('QLinearAveragePool', [...operands, ...result], averagePoolAttributes(layer));
      break;
    case 'global-average-pool':
      add('QLinearGlobalAveragePool', [...operands, ...result], { channels_last: int(0) });
      break;
    case 'leaky-relu':
      add('QLinearLeakyRelu', [...operands, ...result], { alpha: float(layer.alpha) });
      break;
    case 'clip': {
      const real = builder.node('DequantizeLinear', operands, builder.fresh(`${name}.input`));
      const clipped = builder.fresh(`${name}.clipped`);
      addFloat32Operator(builder, layer, [real], clipped);
      builder.node('QuantizeLinear', [clipped, ...result], target);
    }
  }
}

function addClipped(
  graph: QuantizedGraph,
  layer: Int8WeightedLayer,
  clip: AccumulatorClip,
  source: string,
  target: string,
): void {
  const { builder } = graph;
  const { name } = layer;
  const dims = channelDims(layer);
  const int32 = (wanted: string, data: Int32Array) =>
    builder.constant(`${name}.${wanted}`, 'int32', dims, data);
  const step = (opType: string, inputs: readonly string[], wanted: string) =>
    builder.node(opType, inputs, builder.fresh(`${name}.${wanted}`));

  const products = addProducts(graph, layer, source);
  const sum = step('Add', [products, int32('bias', layer.bias)], 'accumulator');
  const threshold = int32('threshold', clip.thresholds);
  const clipped =
    clip.mode === 'clamp'
      ? step('Min', [sum, threshold], 'clipped')
      : step(
          'Where',
          [
            step('Greater', [sum, threshold], 'exceeds'),
            builder.constant(`${name}.zero`, 'int32', [], Int32Array.of(0)),
            sum,
          ],
          'clipped',
        );
  const real = builder.node('Cast', [clipped], builder.fresh(`${name}.real`), {
    attributes: { to: int(FLOAT) },
  });
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

/** TensorProto.DataType's number for float32, as the Cast operator wants it. */
const FLOAT = 1;

/** Adds the integer products of a layer, without its bias; returns their name. */
function addProducts(graph: QuantizedGraph, layer: Int8WeightedLayer, source: string): string {
  const { builder } = graph;
  const { name, weights, zeroPoints, shape } = layer;
  if (zeroPoints.some((zeroPoint) => zeroPoint !== zeroPoints[0])) {
    throw new ModelError(
      `layer "${name}" has weight zero points that differ between channels, which ConvInteger and MatMulInteger cannot express`,
    );
  }
  const weightZeroPoint = builder.constant(
    `${name}.weight_zero_point`,
    'int8',
    [],
    Int8Array.of(zeroPoints[0]),
  );
  const product = builder.fresh(`${name}.products`);
  const operands = (weightName: string) => [
    source,
    weightName,
    graph.names(layer.input).zeroPoint,
    weightZeroPoint,
  ];
  if (layer.kind === 'convolution') {
    const weightName = builder.constant(`${name}.weight`, 'int8', weightDims(layer), weights);
    return builder.node('ConvInteger', operands(weightName), product, {
      name,
      attributes: convolutionAttributes(layer),
    });
  }
  // MatMulInteger has no transposition of its own.
  const { output, input } = shape;
  const weightName = builder.constant(
    `${name}.weight`,
    'int8',
    [input.channels, output.channels],
    transpose(weights, output.channels),
  );
  return builder.node('MatMulInteger', operands(weightName), product, { name });
}
