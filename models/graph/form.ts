import { type FeatureShape, featureCount } from '../../core/index.js';
import type { Layout } from '../network.js';
import type { OnnxNode } from '../onnx/index.js';
import { nodeError } from './graph.js';

/** Dimensions of a value in the file's order, for one sample, and how its tensor stores it. */
export interface Form {
  readonly dims: readonly number[];
  readonly layout: Layout;
}

/** Number of elements. */
export function elementCount(dims: readonly number[]): number {
  return dims.reduce((product, size) => product * size, 1);
}

/**
 * Shape of the tensor that stores a value. Channels last: axis 1 is the channels, and two axes behind it are height
 * and width, one is the width. Row-major: the last axis is the channels, all others together are the width.
 */
export function shapeOf({ dims, layout }: Form): FeatureShape {
  if (layout === 'row-major') {
    const channels = dims.at(-1) ?? 1;
    const width = elementCount(dims.slice(0, -1));
    return { channels, height: 1, width };
  }
  const [, channels = 1, ...spatial] = dims;
  const [height, width] =
    spatial.length === 1 ? [1, spatial[0]] : [spatial[0] ?? 1, spatial[1] ?? 1];
  return { channels, height, width };
}

/** Whether both layouts store a value alike. */
export function isStoredAlike({ dims }: Form): boolean {
  const [, channels = 1, ...spatial] = dims;
  return dims.length < 3 || dims.length > 4
    ? dims.length === 2 && dims[0] === 1
    : dims[0] === 1 && (channels === 1 || elementCount(spatial) === 1);
}

/** Whether a value can be stored with its channels innermost: one sample of a vector, a sequence or a map. */
export function canBeChannelsLast({ dims }: Pick<Form, 'dims'>): boolean {
  return dims.length >= 2 && dims.length <= 4 && dims[0] === 1;
}

/** The form of a map of a shape: [1, channels, height, width], or [1, channels, width] where it comes from a sequence. */
export function mapForm({ channels, height, width }: FeatureShape, rank: number): Form {
  const spatial = rank === 2 ? [] : rank === 3 ? [width] : [height, width];
  return { dims: [1, channels, ...spatial], layout: 'channels-last' };
}

/** The form of a vector: [1, features]. */
export function vectorForm(features: number): Form {
  return { dims: [1, features], layout: 'channels-last' };
}

/** The vector that flattening makes of a map. */
export function flattenedForm(form: Form): Form {
  return vectorForm(featureCount(shapeOf(form)));
}

/** Feature maps above this are a mistake in the file, not a network for an accelerator. */
export const LARGEST_FEATURE_COUNT = 2 ** 31 - 1;

/** @throws ModelError naming the node when its output has more values than any accelerator could */
export function requirePossible(source: string, node: OnnxNode, shape: FeatureShape): void {
  if (featureCount(shape) > LARGEST_FEATURE_COUNT) {
    const { channels, height, width } = shape;
    throw nodeError(source, node, `has an impossible output of ${channels}×${height}×${width}`);
  }
}

/** Whether two values have the same dimensions. */
export function isSameSize(one: Pick<Form, 'dims'>, other: Pick<Form, 'dims'>): boolean {
  return (
    one.dims.length === other.dims.length &&
    one.dims.every((size, axis) => size === other.dims[axis])
  );
}
