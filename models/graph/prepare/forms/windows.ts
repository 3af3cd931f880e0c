import type { OnnxNode } from '../../../onnx/index.js';
import { type GraphScope, intAttribute, nodeError, stringAttribute } from '../../graph.js';
import { listedInts } from './integers.js';

/** Windows over the spatial axes of a tensor, a number for each axis; `pads` before all axes, then behind them. */
export interface WindowForm {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly pads: readonly number[];
  /** Windows along each axis. */
  readonly output: readonly number[];
}

/** Kernels count positions in 32 bits. */
const LARGEST_EXTENT = 2 ** 31 - 1;

/**
 * Windows of a convolution or pool, of any number of spatial axes. Where the output size is rounded up (ceil_mode),
 * `pads` stay as they are stated, and the last windows may reach beyond them.
 *
 * @param spatial sizes of the spatial axes
 * @param kernel that the weights have; undefined: the attribute kernel_shape says it
 */
export function windowOf(
  scope: GraphScope,
  node: OnnxNode,
  spatial: readonly number[],
  kernel?: readonly number[],
): WindowForm {
  const { source } = scope;
  const stated = kernelOf(scope, node, spatial, kernel);
  const strides = list(
    scope,
    node,
    'strides',
    spatial.map(() => 1),
    1,
  );
  const dilations = list(
    scope,
    node,
    'dilations',
    spatial.map(() => 1),
    1,
  );
  const extents = stated.map((size, axis) => dilations[axis] * (size - 1) + 1);
  const pads = padding(scope, node, spatial, extents, strides);
  const roundsUp = intAttribute(source, node, 'ceil_mode', 0) !== 0;
  const output = spatial.map((size, axis) => {
    const [before, after] = [pads[axis], pads[axis + spatial.length]];
    const steps = (size + before + after - extents[axis]) / strides[axis];
    if (!roundsUp) return Math.floor(steps) + 1;
    const count = Math.ceil(steps) + 1;
    return (count - 1) * strides[axis] >= size + before ? count - 1 : count;
  });
  const padded = spatial.map((size, axis) => size + pads[axis] + pads[axis + spatial.length]);
  if (Math.max(...strides, ...padded) > LARGEST_EXTENT) {
    throw nodeError(
      source,
      node,
      `has strides [${strides.join(', ')}] and pads [${pads.join(', ')}], expected strides and a padded input of at most ${LARGEST_EXTENT}`,
    );
  }
  if (output.some((size) => size < 1)) {
    throw nodeError(
      source,
      node,
      `has a ${extents.join('×')} window larger than its padded ${spatial.join('×')} input`,
    );
  }
  return { kernel: stated, strides, dilations, pads, output };
}

function kernelOf(
  scope: GraphScope,
  node: OnnxNode,
  spatial: readonly number[],
  kernel: readonly number[] | undefined,
): readonly number[] {
  const stated = listedInts(scope, node, 'kernel_shape');
  const found = stated ?? kernel;
  if (!found) throw nodeError(scope.source, node, 'has no kernel_shape');
  if (found.length !== spatial.length || found.some((size) => size < 1)) {
    const axes = `a tensor of ${spatial.length} spatial dimensions`;
    throw nodeError(
      scope.source,
      node,
      `has kernel_shape [${found.join(', ')}], but takes ${axes}`,
    );
  }
  if (kernel?.some((size, axis) => size !== found[axis])) {
    throw nodeError(
      scope.source,
      node,
      `has kernel_shape [${found.join(', ')}], but weights of [${kernel.join(', ')}]`,
    );
  }
  return found;
}

/** A list of `otherwise.length` integers, each at least `minimum`. */
function list(
  scope: GraphScope,
  node: OnnxNode,
  name: string,
  otherwise: readonly number[],
  minimum: number,
): readonly number[] {
  const stated = listedInts(scope, node, name) ?? otherwise;
  if (stated.length === otherwise.length && stated.every((value) => value >= minimum)) {
    return stated;
  }
  const expected = `${otherwise.length} integers of at least ${minimum}`;
  throw nodeError(scope.source, node, `has an attribute "${name}" that is not ${expected}`);
}

/** How a node pads by itself; NOTSET: as its attribute `pads` says. */
function automaticPadding(scope: GraphScope, node: OnnxNode): string {
  const mode = stringAttribute(scope.source, node, 'auto_pad', 'NOTSET');
  if (['NOTSET', 'VALID', 'SAME_UPPER', 'SAME_LOWER'].includes(mode)) return mode;
  throw nodeError(scope.source, node, `has auto_pad = ${mode}, which is not one of ONNX's`);
}

/** Explicit padding, or what auto_pad means: SAME gives ⌈size / stride⌉ outputs along each axis. */
function padding(
  scope: GraphScope,
  node: OnnxNode,
  spatial: readonly number[],
  extents: readonly number[],
  strides: readonly number[],
): readonly number[] {
  const none = [...spatial, ...spatial].map(() => 0);
  const mode = automaticPadding(scope, node);
  if (mode === 'NOTSET') return list(scope, node, 'pads', none, 0);
  if (mode === 'VALID') return none;
  const totals = spatial.map((size, axis) => {
    const outputs = Math.ceil(size / strides[axis]);
    return Math.max((outputs - 1) * strides[axis] + extents[axis] - size, 0);
  });
  const smaller = totals.map((total) => Math.floor(total / 2));
  const larger = totals.map((total, axis) => total - smaller[axis]);
  return mode === 'SAME_UPPER' ? [...smaller, ...larger] : [...larger, ...smaller];
}

/**
 * Windows of a ConvTranspose, whose `output` is larger than its input:
 * stride · (size − 1) + output_padding + dilation · (kernel − 1) + 1 − pads.
 */
export function transposedWindowOf(
  scope: GraphScope,
  node: OnnxNode,
  spatial: readonly number[],
  kernel: readonly number[],
): WindowForm {
  const stated = kernelOf(scope, node, spatial, kernel);
  const ones = spatial.map(() => 1);
  const zeros = spatial.map(() => 0);
  const strides = list(scope, node, 'strides', ones, 1);
  const dilations = list(scope, node, 'dilations', ones, 1);
  const added = list(scope, node, 'output_padding', zeros, 0);
  const wanted = listedInts(scope, node, 'output_shape')?.slice(-spatial.length);
  const mode = automaticPadding(scope, node);
  const full = spatial.map(
    (size, axis) =>
      strides[axis] * (size - 1) + added[axis] + dilations[axis] * (stated[axis] - 1) + 1,
  );
  const explicit = list(scope, node, 'pads', [...zeros, ...zeros], 0);
  const output = full.map((size, axis) => {
    if (wanted) return wanted[axis];
    if (mode === 'VALID') return size;
    if (mode === 'NOTSET') return size - explicit[axis] - explicit[axis + spatial.length];
    return Math.min(size, spatial[axis] * strides[axis]);
  });
  if (output.some((size) => !(size >= 1 && size <= LARGEST_EXTENT))) {
    throw nodeError(scope.source, node, `has an impossible output of ${output.join('×')}`);
  }
  const totals = full.map((size, axis) => Math.max(size - output[axis], 0));
  const smaller = totals.map((total) => Math.floor(total / 2));
  const larger = totals.map((total, axis) => total - smaller[axis]);
  const shared = mode === 'SAME_UPPER' ? [...smaller, ...larger] : [...larger, ...smaller];
  const isExplicit = !wanted && mode === 'NOTSET';
  return { kernel: stated, strides, dilations, pads: isExplicit ? explicit : shared, output };
}
