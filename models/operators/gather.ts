import { featureCount } from '../../core/index.js';
import { dequantizeStored, quantizeUint8 } from '../../kernels/index.js';
import { canBeChannelsLast, elementCount, type Form } from '../graph/form.js';
import { typeOf } from '../graph/graph.js';
import { paddedPlaces, placesOf } from '../graph/prepare/fold/places.js';
import { type PadForm, padsOf } from '../graph/prepare/forms/index.js';
import type { GatherLayer } from '../network.js';
import type { OnnxNode } from '../onnx/index.js';
import type {
  Activation,
  LayerPlace,
  OperatorDefinition,
  OperatorReader,
  QuantizedPlace,
  ReadValues,
  TensorPlace,
} from './definition.js';
import { storedOrder, storedSteps } from './operands.js';

/** Operators that put values elsewhere by constants: what each of them means is what it makes of places. */
const MOVED = [
  ...['DepthToSpace', 'Expand', 'Gather', 'GatherElements', 'GatherND', 'Slice', 'SpaceToDepth'],
  ...['Split', 'Tile'],
] as const;

/** Beyond so many values of one sample the places are not listed, and onnxruntime moves them. */
const MOST_PLACES = 2 ** 26;

export const gather: OperatorDefinition<GatherLayer> = {
  kind: 'gather',
  moves: true,
  joins: false,
  keepsChannels: false,
  readers: [
    ...MOVED.map((opType): OperatorReader => ({ domain: '', opType, read: readMoved })),
    { domain: '', opType: 'Pad', read: readPad },
  ],
  float32: (layer, at) => operation(layer, at, layer.fill),
  int8: (layer, at) => operation(layer, at, storedFill(layer, at.output)),
  vectorOperations: () => 0,
  isRectified: ({ fill }, [rectified]) => rectified && fill >= 0,
};

function storedFill({ fill }: GatherLayer, { quantization }: QuantizedPlace): number {
  return quantizeUint8(fill, quantization.scale, quantization.zeroPoint);
}

function operation(
  { places }: GatherLayer,
  { inputs: [x], output }: LayerPlace<TensorPlace>,
  fill: number,
) {
  const stride = featureCount(x.shape);
  return (images: number) => {
    const { values: from } = x;
    const { values: to } = output;
    let target = 0;
    for (let first = 0; first < images * stride; first += stride) {
      for (const place of places) {
        to[target] = place < 0 ? fill : from[first + place];
        target += 1;
      }
    }
  };
}

function readMoved(into: ReadValues, node: OnnxNode): void {
  const { graph }: ReadValues = into;
  const x = into.activation(node, 0);
  const computed = node.inputs.slice(1).find((name) => name !== '' && !graph.constants.has(name));
  if (computed !== undefined) into.cannot(node, `takes "${computed}", which is computed`);
  const outputs = node.outputs.filter((name) => name !== '');
  const dims = outputs.map((name) => typeOf(graph, name).dims);
  requireListed(into, node, x, dims);
  const places = placesOf(graph, node, dims);
  if (!places) into.cannot(node, 'has places that are not read');
  for (const [index, output] of outputs.entries()) {
    if (!graph.uses.get(output)) continue;
    moved(into, node, { x, dims: dims[index], places: places[index], fill: 0, output });
  }
}

function readPad(into: ReadValues, node: OnnxNode): void {
  const x = into.activation(node, 0);
  const form = padsOf(into.graph, node);
  const [output] = node.outputs;
  const { dims } = typeOf(into.graph, output);
  requireListed(into, node, x, [dims]);
  const places = paddedPlaces(x.dims, form);
  if (!places) into.cannot(node, `has the mode "${form.mode}"`);
  const fill = form.mode === 'constant' ? padding(into, node, form) : 0;
  moved(into, node, { x, dims, places, fill: realFill(into, node, x, fill), output });
}

/** The constant of a Pad, also behind a DequantizeLinear. */
function padding(into: ReadValues, node: OnnxNode, form: PadForm): number {
  const name = node.inputs[2];
  const real = name ? into.constant(node, 2) : undefined;
  if (real) return real.data[0];
  if (name && !into.graph.constants.has(name))
    into.cannot(node, `takes "${name}", which is computed`);
  const value = form.value();
  return Number(typeof value === 'number' ? value : value.data[0]);
}

/** The constant of a Pad as a real number, which a quantised tensor must hold. */
function realFill(into: ReadValues, node: OnnxNode, x: Activation, fill: number): number {
  if (x.state === 'float') return fill;
  const quantization = into.quantizationOf(x);
  const { scale, zeroPoint, signed } = quantization;
  if (x.state === 'quantized') {
    return dequantizeStored(signed ? fill + 128 : fill, quantization);
  }
  const held = dequantizeStored(quantizeUint8(fill, scale, zeroPoint), quantization);
  return held === fill ? fill : into.cannot(node, `pads with ${fill}, between two integers`);
}

function requireListed(
  into: ReadValues,
  node: OnnxNode,
  x: Activation,
  outputs: readonly (readonly number[])[],
): void {
  const count = Math.max(elementCount(x.dims), ...outputs.map(elementCount));
  if (count > MOST_PLACES) into.cannot(node, `moves ${count} values`);
}

interface Moved {
  readonly x: Activation;
  readonly dims: readonly number[];
  /** In the file's order of axes. */
  readonly places: Int32Array;
  readonly fill: number;
  readonly output: string;
}

/** Gives an output its layer; it keeps the layout of the input where it can have it. */
function moved(into: ReadValues, node: OnnxNode, { x, dims, places, fill, output }: Moved): void {
  const layout = canBeChannelsLast({ dims }) ? x.layout : 'row-major';
  const form: Form = { dims, layout };
  const from = storedPlaces(x);
  const to = storedPlaces(form);
  const stored = new Int32Array(places.length);
  for (const [index, place] of places.entries()) {
    stored[to ? to[index] : index] = place < 0 || !from ? place : from[place];
  }
  into.result(node, [x], form, { kind: 'gather', places: stored, fill }, output);
}

/** Where a value stores each of its elements, in the file's order; undefined: in that order. */
function storedPlaces(form: Form): Int32Array | undefined {
  const { dims } = form;
  if (storedOrder(form).every((axis, place) => axis === place)) return undefined;
  const steps = storedSteps(form);
  let places = Int32Array.of(0);
  for (const [axis, size] of dims.entries()) {
    const next = new Int32Array(places.length * size);
    for (const [outer, place] of places.entries()) {
      for (let index = 0; index < size; index += 1) {
        next[outer * size + index] = place + index * steps[axis];
      }
    }
    places = next;
  }
  return places;
}
