import { convolutionAttributes, int } from '../graph/attributes.js';
import { MICROSOFT_DOMAIN } from '../graph/graph-builder.js';
import {
  createQuantizedGraph,
  graphOutputs,
  type QuantizedGraph,
  type QuantizedWriteOptions,
  quantizedName,
} from '../graph/quantized-graph.js';
import {
  type Int8ArrayLayer,
  type Int8Layer,
  type Int8Network,
  inputsOf,
  isOnArray,
} from '../network.js';
import { definitionOf, isMoving } from '../operators/index.js';
import {
  addAccumulatorClipped,
  addRequantizedClip,
  checkClips,
  type Int8LayerClip,
} from './clipped-layer.js';
import { addFloat32Operator } from './operator.js';

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
  const graph = createQuantizedGraph(network, isMoving);
  const { builder } = graph;
  const input = tensors[network.input];
  const { scale, zeroPoint } = graph.names(network.input);
  builder.node('QuantizeLinear', [input.name, scale, zeroPoint], quantizedName(input));
  for (const layer of network.layers) {
    const signed = graph.isSigned(layer.output);
    const sources = () => inputsOf(layer).map((tensor) => graph.stored(tensor, signed));
    const target = quantizedName(tensors[layer.output]);
    const definition = definitionOf(layer);
    const isReal = 'inFloat32' in layer && layer.inFloat32 !== undefined;
    if (isOnArray(layer)) {
      addWeighted(graph, layer, clips.get(layer.name), sources()[0], target);
    } else if (isMoving(layer)) {
      addFloat32Operator(builder, layer, sources(), target);
    } else if (definition.writeQuantized && !isReal) {
      definition.writeQuantized(graph, layer, sources(), target);
    } else {
      addReal(graph, layer, target);
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
  layer: Int8ArrayLayer,
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
  layer: Int8ArrayLayer,
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
function addReal(graph: QuantizedGraph, layer: Int8Layer, target: string): void {
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
