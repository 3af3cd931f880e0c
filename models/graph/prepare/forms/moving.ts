import { excerpt } from '../../../../core/index.js';
import type { OnnxNode, OnnxTensor } from '../../../onnx/index.js';
import {
  floatAttribute,
  type GraphScope,
  intAttribute,
  isStandard,
  nodeError,
  stringAttribute,
} from '../../graph.js';
import { axesOf, axisOf, constantInts, inputType, intsOf, normalAxis, sizeOf } from './integers.js';

/** What a Slice takes of each axis: `sizes` values from `starts` on, each `steps` after the one before. */
export interface SliceForm {
  readonly starts: readonly number[];
  readonly steps: readonly number[];
  readonly sizes: readonly number[];
}

/** Slice: attributes up to operator set 9, inputs afterwards; bounds are clamped to the tensor. */
export function sliceOf(scope: GraphScope, node: OnnxNode): SliceForm {
  const { dims } = inputType(scope, node, 0);
  const given = intsOf(scope, node, 'starts', 1);
  const ends = intsOf(scope, node, 'ends', 2);
  if (!given || !ends) throw nodeError(scope.source, node, 'has no starts and ends');
  const axes = axesOf(scope, node, dims.length, 3) ?? [...given.keys()];
  const listed = constantInts(scope, node, 4, 'steps') ?? given.map(() => 1);
  const lengths = [ends, axes, listed].map(({ length }) => length);
  if (lengths.some((length) => length !== given.length) || axes.length > dims.length) {
    throw nodeError(scope.source, node, 'has starts, ends, axes and steps of different lengths');
  }
  const starts = dims.map(() => 0);
  const steps = dims.map(() => 1);
  const sizes = [...dims];
  for (const [index, axis] of axes.entries()) {
    const size = dims[axis];
    const step = listed[index];
    if (step === 0) throw nodeError(scope.source, node, 'has a step of 0');
    const from = (bound: number) => (bound < 0 ? bound + size : bound);
    const [least, most] = step > 0 ? [0, size] : [-1, size - 1];
    const start = clamp(from(given[index]), 0, most);
    const end = clamp(from(ends[index]), least, size);
    starts[axis] = start;
    steps[axis] = step;
    sizes[axis] = Math.max(0, Math.ceil((end - start) / step));
  }
  return { starts, steps, sizes };
}

function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, value));
}

/** The axis of a Split and the sizes of its outputs along it: attribute, input (13) or number of outputs (18). */
export function splitSizesOf(
  scope: GraphScope,
  node: OnnxNode,
): { readonly axis: number; readonly sizes: readonly number[] } {
  const { dims } = inputType(scope, node, 0);
  const axis = axisOf(scope, node, dims.length, 0);
  const size = dims[axis];
  const count = node.outputs.length;
  const stated = intsOf(scope, node, 'split', 1);
  if (stated) {
    const sum = stated.reduce((total, part) => total + part, 0);
    if (stated.length !== count || sum !== size || stated.some((part) => part < 0)) {
      const parts = excerpt(stated.join(', '));
      throw nodeError(scope.source, node, `splits ${size} into [${parts}] for ${count} outputs`);
    }
    return { axis, sizes: stated };
  }
  if (intAttribute(scope.source, node, 'num_outputs', count) !== count) {
    throw nodeError(scope.source, node, `has ${count} outputs, but another num_outputs`);
  }
  const part = Math.ceil(size / count);
  const last = size - part * (count - 1);
  if (last < 0 || (last !== part && !node.attributes.has('num_outputs'))) {
    throw nodeError(scope.source, node, `splits ${size} into ${count} equal parts`);
  }
  return { axis, sizes: node.outputs.map((_, index) => (index < count - 1 ? part : last)) };
}

/** What a Pad puts before and behind each axis; negative counts take values away. */
export interface PadForm {
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly mode: string;
  /**
   * For mode `constant`: the constant, of the tensor's type.
   *
   * @throws ModelError where it is none
   */
  readonly value: () => number | OnnxTensor;
}

/** Pad: attributes up to operator set 10, inputs afterwards, with axes from 18 on. */
export function padsOf(scope: GraphScope, node: OnnxNode): PadForm {
  const { dims } = inputType(scope, node, 0);
  const rank = dims.length;
  const pads = intsOf(scope, node, 'pads', 1);
  const listed = constantInts(scope, node, 3, 'axes');
  const axes = listed?.map((axis) => normalAxis(scope, node, axis, rank)) ?? [...dims.keys()];
  if (pads?.length !== 2 * axes.length) {
    throw nodeError(scope.source, node, `has ${pads?.length ?? 'no'} pads for ${axes.length} axes`);
  }
  const before = dims.map(() => 0);
  const after = dims.map(() => 0);
  for (const [index, axis] of axes.entries()) {
    before[axis] = pads[index];
    after[axis] = pads[index + axes.length];
  }
  const mode = stringAttribute(scope.source, node, 'mode', 'constant');
  return { before, after, mode, value: () => padValue(scope, node) };
}

function padValue(scope: GraphScope, node: OnnxNode): number | OnnxTensor {
  const name = node.inputs[2];
  if (!name) return floatAttribute(scope.source, node, 'value', 0);
  const tensor = scope.constants.get(name);
  if (tensor?.data.length === 1) return tensor;
  throw nodeError(scope.source, node, `has a value "${name}" that is not one constant`);
}

/** Dimensions that a Reshape gives: 0 keeps a dimension (unless allowzero), −1 is what is left. */
export function reshapeOf(scope: GraphScope, node: OnnxNode): number[] {
  const { dims } = inputType(scope, node, 0);
  const target = intsOf(scope, node, 'shape', 1);
  if (!target) throw nodeError(scope.source, node, 'has no shape');
  const shown = () => `reshapes [${dims.join(', ')}] to [${excerpt(target.join(', '))}]`;
  const keepsZero = intAttribute(scope.source, node, 'allowzero', 0) !== 0;
  const sizes = target.map((size, axis) => {
    if (size !== 0 || keepsZero) return size;
    if (axis < dims.length) return dims[axis];
    throw nodeError(scope.source, node, shown());
  });
  const open = sizes.indexOf(-1);
  const known = sizeOf(sizes.filter((_, axis) => axis !== open));
  const count = sizeOf(dims);
  if (open >= 0) sizes[open] = known === 0 ? 0 : count / known;
  if (sizes.some((size) => !Number.isInteger(size) || size < 0) || sizeOf(sizes) !== count) {
    throw nodeError(scope.source, node, shown());
  }
  return sizes;
}

/** Dimensions without those that a Squeeze names, or without all of size 1. */
export function squeezedDims(scope: GraphScope, node: OnnxNode): number[] {
  const { dims } = inputType(scope, node, 0);
  const axes = axesOf(scope, node, dims.length);
  // onnxruntime takes an empty list for none.
  if (!axes?.length) return dims.filter((size) => size !== 1);
  if (axes.some((axis) => dims[axis] !== 1)) {
    throw nodeError(scope.source, node, `squeezes [${dims.join(', ')}] along axes ${axes}`);
  }
  return dims.filter((_, axis) => !axes.includes(axis));
}

/** Dimensions with those of size 1 that an Unsqueeze puts in. */
export function unsqueezedDims(scope: GraphScope, node: OnnxNode): number[] {
  const { dims } = inputType(scope, node, 0);
  const listed = intsOf(scope, node, 'axes', 1);
  if (!listed) throw nodeError(scope.source, node, 'has no axes');
  const rank = dims.length + listed.length;
  const axes = new Set(listed.map((axis) => normalAxis(scope, node, axis, rank)));
  if (axes.size < listed.length) throw nodeError(scope.source, node, 'lists an axis twice');
  const rest = dims.values();
  return Array.from({ length: rank }, (_, axis) => (axes.has(axis) ? 1 : (rest.next().value ?? 1)));
}

/** Dimensions of a Flatten's matrix. */
export function flattenedDims(scope: GraphScope, node: OnnxNode): number[] {
  const { dims } = inputType(scope, node, 0);
  const stated = intAttribute(scope.source, node, 'axis', 1);
  const axis = normalAxis(scope, node, stated, dims.length, dims.length);
  return [sizeOf(dims.slice(0, axis)), sizeOf(dims.slice(axis))];
}

/** The permutation of a Transpose: output axis i is input axis perm[i]; default: reversed. */
export function permutationOf(scope: GraphScope, node: OnnxNode): readonly number[] {
  const { dims } = inputType(scope, node, 0);
  const stated = intsOf(scope, node, 'perm', 'attribute') ?? [...dims.keys()].reverse();
  const perm = stated.map((axis) => normalAxis(scope, node, axis, dims.length));
  if (perm.length === dims.length && new Set(perm).size === perm.length) return perm;
  throw nodeError(
    scope.source,
    node,
    `permutes ${dims.length} axes by [${excerpt(stated.join(', '))}]`,
  );
}

/** Bounds of a Clip whose input or attribute stays out, and of a Relu or com.microsoft.QuickGelu none. */
export interface ClipBounds {
  readonly low: number;
  readonly high: number;
}

/** The largest float32 number, which Clip's attributes have as their default. */
const LARGEST_FLOAT32 = (2 - 2 ** -23) * 2 ** 127;

/** Bounds of a Relu or of a Clip of floats: attributes up to operator set 10, inputs afterwards. */
export function clipBoundsOf(scope: GraphScope, node: OnnxNode): ClipBounds {
  if (isStandard(node, 'Relu')) return { low: 0, high: Infinity };
  const bound = (name: 'min' | 'max', position: number, otherwise: number) => {
    const input = node.inputs[position];
    if (!input) return unbounded(floatAttribute(scope.source, node, name, otherwise));
    const tensor = scope.constants.get(input);
    if (tensor?.elementType === 'float32' && tensor.data.length === 1) {
      return unbounded(tensor.data[0]);
    }
    throw nodeError(scope.source, node, `has a ${name} "${input}" that is not one constant float`);
  };
  const [low, high] = [bound('min', 1, -Infinity), bound('max', 2, Infinity)];
  if (low <= high) return { low, high };
  throw nodeError(scope.source, node, `clips to ${low}…${high}`);
}

function unbounded(bound: number): number {
  return Math.abs(bound) >= LARGEST_FLOAT32 ? Math.sign(bound) * Infinity : bound;
}
