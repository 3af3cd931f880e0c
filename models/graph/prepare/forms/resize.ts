import type { OnnxNode } from '../../../onnx/index.js';
import { type GraphScope, isStandard, nodeError, stringAttribute } from '../../graph.js';
import { axesOf, constantInts, inputType } from './integers.js';

/** What a Resize or Upsample makes of each axis. */
export interface ResizeForm {
  readonly output: readonly number[];
  /** Stated factors (as float32), or the ratios of the sizes where those are stated. */
  readonly scales: readonly number[];
  readonly mode: string;
  /** How places of the output are placed in the input; those of Upsample and operator set 10: `asymmetric`. */
  readonly coordinates: string;
  readonly nearestMode: string;
}

/**
 * A Resize or Upsample: scales as attribute (Upsample 7), as second input (up to operator set 10) or as third one,
 * or sizes (from 11 on), for all axes or for those listed (18). Sizes are ⌊size · scale⌋ in float32, as onnxruntime
 * computes them.
 */
export function resizeOf(scope: GraphScope, node: OnnxNode): ResizeForm {
  const { source } = scope;
  const { dims } = inputType(scope, node, 0);
  const isOld = isStandard(node, 'Upsample') || scope.opset < 11;
  const axes = axesOf(scope, node, dims.length, 'attribute') ?? [...dims.keys()];
  const scales = dims.map(() => 1);
  const output = [...dims];
  const stated = statedScales(scope, node, isOld ? 1 : 2);
  const sizes = isOld ? undefined : constantInts(scope, node, 3, 'sizes');
  if (stated) {
    requireLength(scope, node, stated.length, axes.length);
    for (const [index, axis] of axes.entries()) {
      scales[axis] = stated[index];
      output[axis] = Math.floor(Math.fround(stated[index] * dims[axis]));
    }
  } else if (sizes) {
    requireLength(scope, node, sizes.length, axes.length);
    const policy = stringAttribute(source, node, 'keep_aspect_ratio_policy', 'stretch');
    const ratios = axes.map((axis, index) => Math.fround(sizes[index] / dims[axis]));
    const shared = policy === 'not_larger' ? Math.min(...ratios) : Math.max(...ratios);
    for (const [index, axis] of axes.entries()) {
      const isShared = policy !== 'stretch';
      scales[axis] = isShared ? shared : ratios[index];
      output[axis] = isShared ? Math.round(Math.fround(shared * dims[axis])) : sizes[index];
    }
  } else {
    throw nodeError(source, node, 'has neither scales nor sizes');
  }
  if (output.some((size) => !(size >= 0))) {
    throw nodeError(source, node, `has an impossible output of ${output.join('×')}`);
  }
  const otherwise = isOld ? 'asymmetric' : 'half_pixel';
  return {
    output,
    scales,
    mode: stringAttribute(source, node, 'mode', 'nearest'),
    coordinates: stringAttribute(source, node, 'coordinate_transformation_mode', otherwise),
    nearestMode: isOld
      ? 'floor'
      : stringAttribute(source, node, 'nearest_mode', 'round_prefer_floor'),
  };
}

function requireLength(scope: GraphScope, node: OnnxNode, found: number, expected: number): void {
  if (found === expected) return;
  throw nodeError(scope.source, node, `has ${found} scales or sizes for ${expected} axes`);
}

/** Undefined when there are none, or an empty list. */
function statedScales(
  scope: GraphScope,
  node: OnnxNode,
  position: number,
): readonly number[] | undefined {
  const attribute = node.attributes.get('scales');
  if (attribute?.type === 'floats') return attribute.value.map(Math.fround);
  const name = node.inputs[position];
  if (!name) return undefined;
  const tensor = scope.constants.get(name);
  if (tensor?.elementType !== 'float32' || tensor.absent) {
    throw nodeError(scope.source, node, `has scales "${name}" that are not constant floats`);
  }
  return tensor.data.length > 0 ? Array.from(tensor.data) : undefined;
}
