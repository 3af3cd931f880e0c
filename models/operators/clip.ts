import { featureCount } from '../../core/index.js';
import { applyTable, clipFloat32, clipTable } from '../../kernels/index.js';
import { addClip } from '../graph/attributes.js';
import { typeOf } from '../graph/graph.js';
import { clipBoundsOf } from '../graph/prepare/forms/index.js';
import { type ClipLayer, holdsMoreThan, isOnArray, type Layer } from '../network.js';
import type { OnnxNode } from '../onnx/index.js';
import type { JoinableLayer, OperatorDefinition, ReadValues } from './definition.js';

/** Relu and Clip; most join the layer whose result they follow. */
export const clip: OperatorDefinition<ClipLayer> = {
  kind: 'clip',
  moves: false,
  joins: false,
  keepsChannels: true,
  readers: [
    { domain: '', opType: 'Relu', read },
    { domain: '', opType: 'Clip', read },
  ],
  float32({ low, high }, { inputs: [x], output }) {
    const length = featureCount(x.shape);
    return (images) => clipFloat32(x.values.subarray(0, images * length), output.values, low, high);
  },
  int8({ low, high }, { inputs: [x], output }) {
    const length = featureCount(x.shape);
    const table = clipTable(x.quantization, output.quantization, low, high);
    return (images) => applyTable(table, x.values.subarray(0, images * length), output.values);
  },
  vectorOperations: ({ low, high }, { output }) =>
    featureCount(output) * [low, high].filter(Number.isFinite).length,
  isRectified: ({ low }, [rectified]) => low >= 0 || rectified,
  writeFloat32: (to, layer, [input], output) => addClip(to, layer, input, output, layer.name),
};

function read(into: ReadValues, node: OnnxNode): void {
  const { elementType } = typeOf(into.graph, node.inputs[0]);
  if (elementType === 'int8' || elementType === 'uint8') {
    readStored(into, node, elementType);
    return;
  }
  const { low, high } = clipBoundsOf(into.graph, node);
  if (low === 0 && high > 0 && joins(into, node, high)) return;
  const x = into.activation(node, 0);
  // What waited for a quantisation that this node keeps from it is a layer now, which can be joined.
  if (low === 0 && high > 0 && joins(into, node, high)) return;
  into.result(node, [x], x, { kind: 'clip', low, high });
}

/** A clip of the integers themselves, between a QuantizeLinear and its DequantizeLinear, as Brevitas writes it. */
function readStored(into: ReadValues, node: OnnxNode, type: 'int8' | 'uint8'): void {
  const x = into.activation(node, 0);
  if (x.state !== 'quantized') into.cannot(node, 'clips integers that nothing quantises');
  const quantization = into.quantizationOf(x);
  const offset = type === 'int8' ? 128 : 0;
  const bound = (position: number, otherwise: number) => {
    const name = node.inputs[position];
    const constant = name ? into.graph.constants.get(name) : undefined;
    if (name && constant?.data.length !== 1) into.cannot(node, 'has bounds that are not constant');
    const stored = constant ? Number(constant.data[0]) + offset : otherwise;
    return Math.fround(quantization.scale * (stored - quantization.zeroPoint));
  };
  const layer = { kind: 'clip', low: bound(1, 0), high: bound(2, 255) } as const;
  if (!(layer.low <= layer.high)) into.cannot(node, 'has bounds in the wrong order');
  into.quantizedResult(node, [x], x, quantization, layer);
}

/** Joins the layer whose result a node follows, where that has no activation function yet. */
function joins(into: ReadValues, node: OnnxNode, high: number): boolean {
  const layer = into.before(node, 0);
  if (!layer || !('relu' in layer) || layer.relu) return false;
  if (isPending(into, layer)) {
    // onnxruntime leaves groups unfused whose quantisation does not imply the ReLU.
    const quantization = into.quantizationBehind(node);
    if (quantization?.zeroPoint !== 0 || holdsMoreThan(quantization, high)) return false;
  } else if (high < Infinity && !isOnArray(layer as Layer)) {
    return false;
  }
  const upper = isOnArray(layer as Layer) && high < Infinity ? { upper: high } : {};
  into.join(node, 0, { ...layer, relu: true, ...upper });
  return true;
}

/** Whether a layer waits for a QuantizeLinear. */
function isPending(into: ReadValues, layer: JoinableLayer): boolean {
  return !('output' in layer) && into.format === 'int8';
}
