import {
  type ConvolutionShape,
  excerpt,
  type FeatureShape,
  fullyConnectedShape,
  type PoolingShape,
} from '../../core/index.js';
import type { AveragePoolLayer } from '../network.js';
import type { OnnxNode } from '../onnx/index.js';
import {
  floatAttribute,
  type ImportGraph,
  intAttribute,
  intsAttribute,
  nodeError,
  requireAttribute,
} from './graph.js';
import { requirePossible, requireRank, type ShapedValue } from './shapes.js';

/** Geometry of a Conv node whose weights have dimensions `weightDims`. */
export function convolutionShape(
  graph: ImportGraph,
  node: OnnxNode,
  input: ShapedValue,
  weightDims: readonly number[],
): ConvolutionShape {
  const { source } = graph;
  requireRank(source, node, input, 4);
  const [outputChannels, groupChannels, kernelHeight, kernelWidth] = weightDims;
  const groups = intAttribute(source, node, 'group', 1);
  const { channels } = input.shape;
  if (
    weightDims.length !== 4 ||
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
  const kernel = [kernelHeight, kernelWidth] as const;
  const stated = intsAttribute(source, node, 'kernel_shape', kernel, 1);
  if (stated.some((size, axis) => size !== kernel[axis])) {
    throw nodeError(
      source,
      node,
      `has kernel_shape [${stated.join(', ')}], but weights of dimensions [${excerpt(weightDims.join(', '))}]`,
    );
  }
  const dilations = intsAttribute(source, node, 'dilations', [1, 1] as const, 1);
  const strides = intsAttribute(source, node, 'strides', [1, 1] as const, 1);
  const window = windowExtent(kernel, dilations);
  const pads = readPads(source, node, input.shape, window, strides);
  const size = windowedSize(source, node, input.shape, window, strides, pads);
  const output = { channels: outputChannels, ...size };
  requirePossible(source, node, output);
  return { input: input.shape, output, kernel, strides, pads, dilations, groups };
}

/**
 * Geometry of a MaxPool or AveragePool node. Where the output size is rounded up (ceil_mode), the padding
 * below and on the right grows to what the last windows reach.
 */
export function poolingShape(graph: ImportGraph, node: OnnxNode, input: ShapedValue): PoolingShape {
  const { source } = graph;
  requireRank(source, node, input, 4);
  if (!node.attributes.has('kernel_shape')) throw nodeError(source, node, 'has no kernel_shape');
  const kernel = intsAttribute(source, node, 'kernel_shape', [1, 1] as const, 1);
  const dilations = intsAttribute(source, node, 'dilations', [1, 1] as const, 1);
  if (dilations.some((step) => step !== 1)) {
    throw nodeError(source, node, 'is dilated, which Bitcell does not support');
  }
  requireAttribute(source, node, 'storage_order', 0);
  requireAttribute(source, node, 'channels_last', 0);
  const strides = intsAttribute(source, node, 'strides', [1, 1] as const, 1);
  const stated = readPads(source, node, input.shape, kernel, strides);
  const pads =
    intAttribute(source, node, 'ceil_mode', 0) === 0
      ? stated
      : padsOfCeilMode(input.shape, kernel, strides, stated);
  const [top, left, bottom, right] = pads;
  if (Math.max(top, bottom) >= kernel[0] || Math.max(left, right) >= kernel[1]) {
    throw nodeError(source, node, 'has padding that is not smaller than its kernel');
  }
  const size = windowedSize(source, node, input.shape, kernel, strides, pads);
  const output = { channels: input.shape.channels, ...size };
  requirePossible(source, node, output);
  return { input: input.shape, output, kernel, strides, pads };
}

/**
 * Geometry of an average pooling, and whether padding counts as values of 0. Where it counts, the padding stays as
 * stated, because what ceil_mode lets windows reach beyond it is no padding.
 */
export function averagePooling(
  graph: ImportGraph,
  node: OnnxNode,
  input: ShapedValue,
): Pick<AveragePoolLayer, 'shape' | 'countIncludePad'> {
  const shape = poolingShape(graph, node, input);
  const included = intAttribute(graph.source, node, 'count_include_pad', 0) !== 0;
  if (!included || shape.pads.every((pad) => pad === 0)) return { shape, countIncludePad: false };
  const pads = readPads(graph.source, node, input.shape, shape.kernel, shape.strides);
  return { shape: { ...shape, pads }, countIncludePad: true };
}

/** Shape of a GlobalAveragePool node's output. */
export function globallyPooled(
  graph: ImportGraph,
  node: OnnxNode,
  input: ShapedValue,
): ShapedValue {
  requireRank(graph.source, node, input, 4);
  requireAttribute(graph.source, node, 'channels_last', 0);
  return { shape: { ...input.shape, height: 1, width: 1 }, rank: 4 };
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
  input: FeatureShape,
  window: Pair,
  strides: Pair,
): Pads {
  const automatic = node.attributes.get('auto_pad');
  if (automatic && automatic.type !== 'string') {
    throw nodeError(source, node, 'has an attribute "auto_pad" that is not a string');
  }
  const mode = automatic?.value ?? 'NOTSET';
  if (mode === 'NOTSET') return intsAttribute(source, node, 'pads', [0, 0, 0, 0] as const, 0);
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

/** Geometry of a Gemm or MatMul node, and whether its weights are stored input by output. */
export function fullyConnected(
  graph: ImportGraph,
  node: OnnxNode,
  input: ShapedValue,
  weightDims: readonly number[],
): { readonly shape: ConvolutionShape; readonly transposed: boolean } {
  const { source } = graph;
  requireRank(source, node, input, 2);
  requireAttribute(source, node, 'transA', 0);
  for (const name of ['alpha', 'beta']) {
    if (floatAttribute(source, node, name, 1) !== 1) {
      throw nodeError(source, node, `has ${name} other than 1, which Bitcell does not support`);
    }
  }
  // MatMul has no attributes, and so stores its weights input by output.
  const transposed = intAttribute(source, node, 'transB', 0) === 0;
  const [outputs, inputs] = transposed ? [...weightDims].reverse() : weightDims;
  if (weightDims.length !== 2 || inputs !== input.shape.channels || outputs < 1) {
    throw nodeError(
      source,
      node,
      `has weights of dimensions [${excerpt(weightDims.join(', '))}], which do not fit ${input.shape.channels} inputs`,
    );
  }
  return { shape: fullyConnectedShape(inputs, outputs), transposed };
}
