import {
  type ConvolutionShape,
  type FeatureShape,
  featureCount,
  fullyConnectedShape,
  ModelError,
  type PoolingShape,
} from '../../core/index.js';
import type { OnnxNode } from '../onnx/index.js';
import {
  constantInput,
  floatAttribute,
  type ImportGraph,
  intAttribute,
  intsAttribute,
  isStandard,
  nodeError,
  requireAttribute,
} from './graph.js';

/** Feature maps above this are a mistake in the file, not a network for an accelerator. */
const LARGEST_FEATURE_COUNT = 2 ** 31 - 1;

/** Batch × channels × height × width, or batch × features. */
export type Rank = 2 | 4;

export interface ShapedValue {
  readonly shape: FeatureShape;
  readonly rank: Rank;
}

/** Shape of one image; the batch may be symbolic or fixed. */
export function inputShape(graph: ImportGraph): ShapedValue {
  const { name, elementType, dims } = graph.input;
  const shown = dims?.map((size) => (size === '' ? '?' : size)).join(', ') ?? '?';
  const features = dims?.slice(1) ?? [];
  const sizes = features.filter((size) => typeof size === 'number');
  const rank = dims?.length;
  if (
    (rank !== 2 && rank !== 4) ||
    sizes.length !== features.length ||
    sizes.some((size) => size < 1)
  ) {
    throw new ModelError(
      `${graph.source}: input "${name}" has shape [${shown}]; expected [batch, channels, height, width] or [batch, features] with fixed sizes after the batch`,
    );
  }
  if (elementType !== 'float32') {
    throw new ModelError(
      `${graph.source}: input "${name}" has type ${elementType ?? 'unknown'}, expected float32`,
    );
  }
  const [channels, height = 1, width = 1] = sizes;
  const shape = { channels, height, width };
  if (featureCount(shape) > LARGEST_FEATURE_COUNT) {
    throw new ModelError(`${graph.source}: input "${name}" has impossible shape [${shown}]`);
  }
  return { shape, rank };
}

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
      `has weights of dimensions [${weightDims.join(', ')}], which do not fit ${channels} input channels in ${groups} groups`,
    );
  }
  const kernel = [kernelHeight, kernelWidth] as const;
  const stated = intsAttribute(source, node, 'kernel_shape', kernel, 1);
  if (stated.some((size, axis) => size !== kernel[axis])) {
    throw nodeError(
      source,
      node,
      `has kernel_shape [${stated.join(', ')}], but weights of dimensions [${weightDims.join(', ')}]`,
    );
  }
  const dilations = intsAttribute(source, node, 'dilations', [1, 1] as const, 1);
  const { strides, pads } = windowMotion(source, node);
  const output = {
    channels: outputChannels,
    ...windowedSize(source, node, input.shape, kernel, strides, pads, dilations),
  };
  requirePossible(source, node, output);
  return { input: input.shape, output, kernel, strides, pads, dilations, groups };
}

/** Geometry of a MaxPool node. */
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
  const { strides, pads } = windowMotion(source, node);
  const [top, left, bottom, right] = pads;
  if (Math.max(top, bottom) >= kernel[0] || Math.max(left, right) >= kernel[1]) {
    throw nodeError(source, node, 'has padding that is not smaller than its kernel');
  }
  const size = windowedSize(source, node, input.shape, kernel, strides, pads, dilations);
  if (intAttribute(source, node, 'ceil_mode', 0) !== 0) {
    const { height, width } = input.shape;
    const whole =
      (height + top + bottom - kernel[0]) % strides[0] === 0 &&
      (width + left + right - kernel[1]) % strides[1] === 0;
    if (!whole) throw nodeError(source, node, 'rounds its output size up (ceil_mode)');
  }
  const output = { channels: input.shape.channels, ...size };
  requirePossible(source, node, output);
  return { input: input.shape, output, kernel, strides, pads };
}

type Pair = readonly [y: number, x: number];
type Pads = PoolingShape['pads'];

function windowMotion(source: string, node: OnnxNode): { strides: Pair; pads: Pads } {
  const automatic = node.attributes.get('auto_pad');
  const mode = automatic?.type === 'string' ? automatic.value : 'NOTSET';
  if (mode !== 'NOTSET' && mode !== 'VALID') {
    throw nodeError(source, node, `has auto_pad = ${mode}; export it with explicit pads`);
  }
  const pads = intsAttribute(source, node, 'pads', [0, 0, 0, 0] as const, 0);
  return {
    strides: intsAttribute(source, node, 'strides', [1, 1] as const, 1),
    pads: mode === 'VALID' ? [0, 0, 0, 0] : pads,
  };
}

function windowedSize(
  source: string,
  node: OnnxNode,
  input: FeatureShape,
  kernel: Pair,
  strides: Pair,
  pads: Pads,
  dilations: Pair,
): { height: number; width: number } {
  const along = (size: number, axis: 0 | 1) => {
    const window = dilations[axis] * (kernel[axis] - 1) + 1;
    return Math.floor((size + pads[axis] + pads[axis + 2] - window) / strides[axis]) + 1;
  };
  const height = along(input.height, 0);
  const width = along(input.width, 1);
  if (height < 1 || width < 1) {
    throw nodeError(
      source,
      node,
      `has a ${kernel.join('×')} window larger than its padded ${input.height}×${input.width} input`,
    );
  }
  return { height, width };
}

function requirePossible(source: string, node: OnnxNode, shape: FeatureShape): void {
  if (featureCount(shape) > LARGEST_FEATURE_COUNT) {
    const { channels, height, width } = shape;
    throw nodeError(source, node, `has an impossible output of ${channels}×${height}×${width}`);
  }
}

function requireRank(source: string, node: OnnxNode, input: ShapedValue, rank: Rank): void {
  if (input.rank !== rank) {
    throw nodeError(
      source,
      node,
      `takes a tensor of ${input.rank} dimensions, expected ${rank} (batch included)`,
    );
  }
}

/** Geometry of a Gemm node, and whether its weights are stored input by output. */
export function gemmShape(
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
  const transposed = intAttribute(source, node, 'transB', 0) === 0;
  const [outputs, inputs] = transposed ? [...weightDims].reverse() : weightDims;
  if (weightDims.length !== 2 || inputs !== input.shape.channels || outputs < 1) {
    throw nodeError(
      source,
      node,
      `has weights of dimensions [${weightDims.join(', ')}], which do not fit ${input.shape.channels} inputs`,
    );
  }
  return { shape: fullyConnectedShape(inputs, outputs), transposed };
}

/** Checks that a Flatten or Reshape node joins all features of an image and nothing else. */
export function requireFlattening(graph: ImportGraph, node: OnnxNode, input: ShapedValue): void {
  const { source } = graph;
  if (isStandard(node, 'Flatten')) {
    const axis = intAttribute(source, node, 'axis', 1);
    if (axis !== 1 && axis !== 1 - input.rank) {
      throw nodeError(source, node, `has axis = ${axis}; Bitcell supports 1 only`);
    }
    return;
  }
  const target = Array.from(constantInput(graph, node, 1, 'shape', 'int64').data, Number);
  const batch = graph.input.dims?.[0];
  const features = featureCount(input.shape);
  const keepsBatch =
    (target[0] === 0 && intAttribute(source, node, 'allowzero', 0) === 0) ||
    (target[0] === -1 && target[1] !== -1) ||
    target[0] === batch;
  if (target.length !== 2 || !keepsBatch || (target[1] !== -1 && target[1] !== features)) {
    throw nodeError(
      source,
      node,
      `reshapes to [${target.join(', ')}], but Bitcell supports only reshaping to [batch, ${features}]`,
    );
  }
}

/** What flattening makes of a feature map. */
export function flattened(shape: FeatureShape): ShapedValue {
  return { shape: { channels: featureCount(shape), height: 1, width: 1 }, rank: 2 };
}
