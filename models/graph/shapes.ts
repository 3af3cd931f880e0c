import { excerpt, type FeatureShape, featureCount, ModelError } from '../../core/index.js';
import type { OnnxNode } from '../onnx/index.js';
import {
  constantInput,
  floatAttribute,
  type ImportGraph,
  intAttribute,
  isStandard,
  nodeError,
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
  const shown = excerpt(dims?.map((size) => (size === '' ? '?' : size)).join(', ') ?? '?');
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

export function requirePossible(source: string, node: OnnxNode, shape: FeatureShape): void {
  if (featureCount(shape) > LARGEST_FEATURE_COUNT) {
    const { channels, height, width } = shape;
    throw nodeError(source, node, `has an impossible output of ${channels}×${height}×${width}`);
  }
}

export function requireRank(source: string, node: OnnxNode, input: ShapedValue, rank: Rank): void {
  if (input.rank !== rank) {
    throw nodeError(
      source,
      node,
      `takes a tensor of ${input.rank} dimensions, expected ${rank} (batch included)`,
    );
  }
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
      `reshapes to [${excerpt(target.join(', '))}], but Bitcell supports only reshaping to [batch, ${features}]`,
    );
  }
}

/** What flattening makes of a feature map. */
export function flattened(shape: FeatureShape): ShapedValue {
  return { shape: { channels: featureCount(shape), height: 1, width: 1 }, rank: 2 };
}

/** Shape of the sum of two values; they must not differ, since Bitcell does not broadcast. */
export function sumShape(
  graph: ImportGraph,
  node: OnnxNode,
  [one, other]: readonly ShapedValue[],
): ShapedValue {
  if (one.rank === other.rank && showShape(one) === showShape(other)) return one;
  throw nodeError(
    graph.source,
    node,
    `adds tensors of shapes ${showShape(one)} and ${showShape(other)}, which must be equal`,
  );
}

/** Shape of values joined along their channels. */
export function concatShape(
  graph: ImportGraph,
  node: OnnxNode,
  values: readonly ShapedValue[],
): ShapedValue {
  const [{ shape: first, rank }] = values;
  const axis = intAttribute(graph.source, node, 'axis', 1);
  if (axis !== 1 && axis !== 1 - rank) {
    throw nodeError(graph.source, node, `has axis = ${axis}; Bitcell supports 1 only`);
  }
  const fits = values.every(
    ({ shape, rank: other }) =>
      other === rank && shape.height === first.height && shape.width === first.width,
  );
  if (!fits) {
    throw nodeError(
      graph.source,
      node,
      `joins tensors of shapes ${excerpt(values.map(showShape).join(' and '))}, which differ in more than channels`,
    );
  }
  const shape = {
    ...first,
    channels: values.reduce((sum, value) => sum + value.shape.channels, 0),
  };
  requirePossible(graph.source, node, shape);
  return { shape, rank };
}

function showShape({ shape: { channels, height, width } }: ShapedValue): string {
  return `${channels}×${height}×${width}`;
}

/**
 * Bounds of a Relu or Clip node: Clip's are attributes up to operator set 10, and inputs, whose values
 * `constant` gives, afterwards.
 */
export function activationBounds(
  graph: ImportGraph,
  node: OnnxNode,
  constant: (name: string, role: string) => number,
): { readonly low: number; readonly high: number } {
  if (isStandard(node, 'Relu')) return { low: 0, high: Infinity };
  const bound = (name: 'min' | 'max', position: number, otherwise: number) => {
    const input = node.inputs[position];
    return input ? constant(input, name) : floatAttribute(graph.source, node, name, otherwise);
  };
  const low = bound('min', 1, -Infinity);
  const high = bound('max', 2, Infinity);
  if (!(low <= high)) throw nodeError(graph.source, node, `clips to ${low}…${high}`);
  return { low: unbounded(low), high: unbounded(high) };
}

/** The largest float32 number, which Clip's attributes have as their default. */
const LARGEST_FLOAT32 = (2 - 2 ** -23) * 2 ** 127;

function unbounded(bound: number): number {
  return Math.abs(bound) >= LARGEST_FLOAT32 ? Math.sign(bound) * Infinity : bound;
}
