import {
  type ConvolutionShape,
  excerpt,
  type FeatureShape,
  type PoolingShape,
} from '../../core/index.js';
import type { AveragePoolLayer, MaxPoolShape } from '../network.js';
import type { OnnxNode } from '../onnx/index.js';
import { type Form, mapForm, requirePossible, shapeOf } from './form.js';
import {
  type ImportGraph,
  intAttribute,
  intsAttribute,
  NotSimulated,
  nodeError,
  requireAttribute,
} from './graph.js';

/** Geometry of a Conv node, on a sequence or a map, whose weights have dimensions `weightDims`. */
export function convolutionShape(
  graph: ImportGraph,
  node: OnnxNode,
  form: Form,
  weightDims: readonly number[],
): ConvolutionShape {
  const { source } = graph;
  const axes = spatialAxes(node, form);
  const input = shapeOf(form);
  const [outputChannels, groupChannels] = weightDims;
  const groups = intAttribute(source, node, 'group', 1);
  const { channels } = input;
  if (
    weightDims.length !== axes + 2 ||
    weightDims.some((size) => size < 1) ||
    groups < 1 ||
    groupChannels * groups !== channels ||
    outputChannels % groups !== 0
  ) {
    throw nodeError(
      source,
      node,
      `has weights of dimensions [${excerpt(weightDims.join(', '))}], which do not fit ${channels} input channels in ${groups} groups`,
    );
  }
  const kernel = pairOf(weightDims.slice(2));
  const stated = pairAttribute(source, node, 'kernel_shape', axes, kernel);
  if (stated.some((size, axis) => size !== kernel[axis])) {
    throw nodeError(
      source,
      node,
      `has kernel_shape [${stated.join(', ')}], but weights of dimensions [${excerpt(weightDims.join(', '))}]`,
    );
  }
  const dilations = pairAttribute(source, node, 'dilations', axes);
  const strides = pairAttribute(source, node, 'strides', axes);
  const window = windowExtent(kernel, dilations);
  const pads = readPads(source, node, { input, axes }, window, strides);
  const size = windowedSize(source, node, input, window, strides, pads);
  const output = { channels: outputChannels, ...size };
  requirePossible(source, node, output);
  return { input, output, kernel, strides, pads, dilations, groups };
}

/**
 * Geometry of a MaxPool or AveragePool node. Where the output size is rounded up (ceil_mode), the padding
 * below and on the right grows to what the last windows reach.
 */
export function poolingShape(graph: ImportGraph, node: OnnxNode, form: Form): MaxPoolShape {
  const { source } = graph;
  const axes = spatialAxes(node, form);
  const input = shapeOf(form);
  if (!node.attributes.has('kernel_shape')) throw nodeError(source, node, 'has no kernel_shape');
  const kernel = pairAttribute(source, node, 'kernel_shape', axes);
  const dilations = pairAttribute(source, node, 'dilations', axes);
  const isDilated = dilations.some((step) => step !== 1);
  requireAttribute(source, node, 'storage_order', 0);
  requireAttribute(source, node, 'channels_last', 0);
  const strides = pairAttribute(source, node, 'strides', axes);
  const window = windowExtent(kernel, dilations);
  const stated = readPads(source, node, { input, axes }, window, strides);
  const pads =
    intAttribute(source, node, 'ceil_mode', 0) === 0
      ? stated
      : padsOfCeilMode(input, window, strides, stated);
  const [top, left, bottom, right] = pads;
  if (Math.max(top, bottom) >= window[0] || Math.max(left, right) >= window[1]) {
    throw nodeError(source, node, 'has padding that is not smaller than its kernel');
  }
  const size = windowedSize(source, node, input, window, strides, pads);
  const output = { channels: input.channels, ...size };
  requirePossible(source, node, output);
  return { input, output, kernel, strides, pads, ...(isDilated && { dilations }) };
}

/**
 * Geometry of an average pooling, and whether padding counts as values of 0. Where it counts, the padding stays as
 * stated, because what ceil_mode lets windows reach beyond it is no padding.
 */
export function averagePooling(
  graph: ImportGraph,
  node: OnnxNode,
  form: Form,
): Pick<AveragePoolLayer, 'shape' | 'countIncludePad'> {
  const { dilations, ...shape } = poolingShape(graph, node, form);
  if (dilations) throw new NotSimulated(node, 'averages a dilated window');
  const included = intAttribute(graph.source, node, 'count_include_pad', 0) !== 0;
  if (!included || shape.pads.every((pad) => pad === 0)) return { shape, countIncludePad: false };
  const place = { input: shape.input, axes: form.dims.length - 2 };
  const pads = readPads(graph.source, node, place, shape.kernel, shape.strides);
  return { shape: { ...shape, pads }, countIncludePad: true };
}

/** Form of a GlobalAveragePool node's output. */
export function globallyPooled(graph: ImportGraph, node: OnnxNode, form: Form): Form {
  spatialAxes(node, form);
  requireAttribute(graph.source, node, 'channels_last', 0);
  return mapForm({ ...shapeOf(form), height: 1, width: 1 }, form.dims.length);
}

/** How many axes windows move along: those of a sequence or a map. */
function spatialAxes(node: OnnxNode, { dims }: Form): 1 | 2 {
  if (dims.length === 3 || dims.length === 4) return dims.length === 3 ? 1 : 2;
  throw new NotSimulated(
    node,
    `takes a tensor of ${dims.length} dimensions, expected 4, or 3 of a sequence (batch included)`,
  );
}

/** Sizes along height and width; a sequence has the width alone. */
function pairOf(sizes: readonly number[], otherwise = 1): Pair {
  return sizes.length === 1 ? [otherwise, sizes[0]] : [sizes[0], sizes[1]];
}

function pairAttribute(
  source: string,
  node: OnnxNode,
  name: string,
  axes: 1 | 2,
  otherwise: Pair = [1, 1],
): Pair {
  const list = axes === 1 ? [otherwise[1]] : otherwise;
  return pairOf(intsAttribute(source, node, name, list, 1));
}

/** Kernels count rows and columns in 32 bits. */
const LARGEST_EXTENT = 2 ** 31 - 1;

type Pair = readonly [y: number, x: number];
type Pads = PoolingShape['pads'];

function windowExtent(kernel: Pair, dilations: Pair): Pair {
  return [dilations[0] * (kernel[0] - 1) + 1, dilations[1] * (kernel[1] - 1) + 1];
}

/** Explicit padding, or what auto_pad means: SAME gives ⌈size / stride⌉ outputs along each axis. */
function readPads(
  source: string,
  node: OnnxNode,
  { input, axes }: { readonly input: FeatureShape; readonly axes: number },
  window: Pair,
  strides: Pair,
): Pads {
  const automatic = node.attributes.get('auto_pad');
  if (automatic && automatic.type !== 'string') {
    throw nodeError(source, node, 'has an attribute "auto_pad" that is not a string');
  }
  const mode = automatic?.value ?? 'NOTSET';
  if (mode === 'NOTSET') {
    if (axes === 2) return intsAttribute(source, node, 'pads', [0, 0, 0, 0] as const, 0);
    const [before, after] = intsAttribute(source, node, 'pads', [0, 0] as const, 0);
    return [0, before, 0, after];
  }
  if (mode === 'VALID') return [0, 0, 0, 0];
  if (mode !== 'SAME_UPPER' && mode !== 'SAME_LOWER') {
    throw nodeError(source, node, `has auto_pad = ${mode}, which is not one of ONNX's`);
  }
  const along = (size: number, axis: 0 | 1): Pair => {
    const outputs = Math.ceil(size / strides[axis]);
    const total = Math.max((outputs - 1) * strides[axis] + window[axis] - size, 0);
    const half = Math.floor(total / 2);
    return mode === 'SAME_UPPER' ? [half, total - half] : [total - half, half];
  };
  const [top, bottom] = along(input.height, 0);
  const [left, right] = along(input.width, 1);
  return [top, left, bottom, right];
}

/** Windows that start within the input or the padding before it count, even if they end outside. */
function padsOfCeilMode(input: FeatureShape, kernel: Pair, strides: Pair, pads: Pads): Pads {
  const after = (size: number, axis: 0 | 1) => {
    const before = pads[axis];
    const steps = Math.ceil((size + before + pads[axis + 2] - kernel[axis]) / strides[axis]);
    const last = steps * strides[axis] >= size + before ? steps - 1 : steps;
    return Math.max(last * strides[axis] + kernel[axis] - size - before, 0);
  };
  return [pads[0], pads[1], after(input.height, 0), after(input.width, 1)];
}

function windowedSize(
  source: string,
  node: OnnxNode,
  input: FeatureShape,
  window: Pair,
  strides: Pair,
  pads: Pads,
): { height: number; width: number } {
  const along = (size: number, axis: 0 | 1) =>
    Math.floor((size + pads[axis] + pads[axis + 2] - window[axis]) / strides[axis]) + 1;
  const height = along(input.height, 0);
  const width = along(input.width, 1);
  const largest = Math.max(
    ...strides,
    input.height + pads[0] + pads[2],
    input.width + pads[1] + pads[3],
  );
  if (largest > LARGEST_EXTENT) {
    throw nodeError(
      source,
      node,
      `has strides [${strides.join(', ')}] and pads [${pads.join(', ')}], expected strides and a padded input of at most ${LARGEST_EXTENT}`,
    );
  }
  if (height < 1 || width < 1) {
    throw nodeError(
      source,
      node,
      `has a ${window.join('×')} window larger than its padded ${input.height}×${input.width} input`,
    );
  }
  return { height, width };
}
