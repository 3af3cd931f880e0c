import {
  addFloat32Operator,
  averagePoolAttributes,
  convolutionAttributes,
  float,
  int,
  movingOperator,
} from '../graph/attributes.js';
import { MICROSOFT_DOMAIN } from '../graph/graph-builder.js';
import {
  createQuantizedGraph,
  graphOutputs,
  type QuantizedGraph,
  type QuantizedWriteOptions,
  quantizedName,
} from '../graph/quantized-graph.js';
import {
  type ClipLayer,
  type ElementwiseLayer,
  type Int8Network,
  type Int8WeightedLayer,
  inputsOf,
  isMoving,
  isWeighted,
} from '../network.js';
import type { OnnxAttribute } from '../onnx/index.js';
import {
  addAccumulatorClipped,
  addRequantizedClip,
  checkClips,
  type Int8LayerClip,
} from './clipped-layer.js';

/**
 * Writes a quantised network in QOperator form, which leaves onnxruntime nothing to fuse:
 * QuantizeLinear, then QLinearConv, MaxPool, Flatten and the operators of the domain com.microsoft on
 * uint8 or int8, then DequantizeLinear. Clip layers, and what is computed in float32, stand between
 * DequantizeLinear and QuantizeLinear, which also convert between uint8 and int8.
 */
export function writeQOperator(
  network: Int8Network,
  options: QuantizedWriteOptions = {},
): Uint8Array {
  return writeClipped(network, new Map(), options);
}

/**
 * Writes a quantised network some layers of which are clipped. Those that clip their accumulators are made of
 * standard integer operators (`addAccumulatorClipped`); the others are as in `writeQOperator`, with Cast, Greater
 * and Where (or Min), Cast behind those that clip their stored outputs.
 *
 * @param clips by layer name
 * @throws InputError when a clip is for no layer of the network, or has another number of thresholds
 * @throws ModelError when the network has no such form
 */
export function writeClipped(
  network: Int8Network,
  clips: ReadonlyMap<string, Int8LayerClip>,
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
    const signed = graph.isSigned(layer.output);
    const sources = () => inputsOf(layer).map((tensor) => graph.stored(tensor, signed));
    const target = quantizedName(tensors[layer.output]);
    if (isWeighted(layer)) {
      addWeighted(graph, layer, clips.get(layer.name), sources()[0], target);
    } else if (isMoving(layer)) {
      const { opType, attributes } = movingOperator(layer);
      builder.node(opType, sources(), target, { name: layer.name, attributes });
    } else if (layer.kind === 'clip' || ('inFloat32' in layer && layer.inFloat32)) {
      addReal(graph, layer, target);
    } else {
      addElementwise(graph, layer, sources(), target);
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

function addWeighted(
  graph: QuantizedGraph,
  layer: Int8WeightedLayer,
  clip: Int8LayerClip | undefined,
  source: string,
  target: string,
): void {
  if (clip?.position === 'accumulator') {
    addAccumulatorClipped(graph, layer, clip, source, target);
  } else if (clip) {
    const unclipped = graph.builder.fresh(`${layer.name}.unclipped`);
    addQLinear(graph, layer, source, unclipped);
    addRequantizedClip(graph, layer, clip, unclipped, target);
  } else {
    addQLinear(graph, layer, source, target);
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
  const x = graph.names(layer.input, graph.isSigned(layer.output));
  const y = graph.names(layer.output);
  const w = graph.weights(layer);
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
      attributes: { transB: int(w.transposed ? 0 : 1) },
    });
  }
}

/** Adds a layer as its float32 operator between DequantizeLinear and QuantizeLinear. */
function addReal(graph: QuantizedGraph, layer: ElementwiseLayer, target: string): void {
  const { builder } = graph;
  const reals = inputsOf(layer).map((tensor) => {
    const { scale, zeroPoint } = graph.names(tensor);
    const stored = graph.stored(tensor, graph.isSigned(tensor));
    const real = builder.fresh(`${layer.name}.input`);
    return builder.node('DequantizeLinear', [stored, scale, zeroPoint], real);
  });
  const result = builder.fresh(`${layer.name}.real`);
  addFloat32Operator(builder, layer, reals, result);
  const { scale, zeroPoint } = graph.names(layer.output);
  builder.node('QuantizeLinear', [result, scale, zeroPoint], target);
}

function addElementwise(
  graph: QuantizedGraph,
  layer: Exclude<ElementwiseLayer, ClipLayer>,
  sources: readonly string[],
  target: string,
): void {
  const { builder } = graph;
  const { name } = layer;
  const operands = inputsOf(layer).flatMap((tensor, index) => {
    const { scale, zeroPoint } = graph.names(tensor, graph.isSigned(layer.output));
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
    default:
      layer satisfies never;
  }
}
