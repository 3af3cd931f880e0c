import type { ElementType, OnnxNode } from '../../../onnx/index.js';
import { type GraphScope, intAttribute, nodeError, type TensorType } from '../../graph.js';
import { inputType, listedInts, transposedWindowOf, windowOf } from '../forms/index.js';
import { each, elementTypeAt, requireRank, type ShapeRule, type ShapeRules } from './rules.js';

/** The places of a convolution's inputs, and the type of its output. */
interface Convolution {
  readonly weights: number;
  readonly type: (scope: GraphScope, node: OnnxNode) => ElementType;
}

function convolution({ weights, type }: Convolution): ShapeRule {
  return (scope, node) => {
    const input = inputType(scope, node, 0);
    const filter = inputType(scope, node, weights, 'weight');
    requireRank(scope, node, input, 3, Infinity);
    requireRank(scope, node, filter, input.dims.length);
    const isLast = intAttribute(scope.source, node, 'channels_last', 0) !== 0;
    const [batch, ...rest] = input.dims;
    const channels = isLast ? rest.at(-1) : rest[0];
    const spatial = isLast ? rest.slice(0, -1) : rest.slice(1);
    const [outputs, inner, ...kernel] = filter.dims;
    const groups = intAttribute(scope.source, node, 'group', 1);
    if (groups < 1 || inner * groups !== channels || outputs % groups !== 0 || outputs < 1) {
      throw nodeError(
        scope.source,
        node,
        `has weights of dimensions [${filter.dims.join(', ')}], which do not fit ${channels} input channels in ${groups} groups`,
      );
    }
    const { output } = windowOf(scope, node, spatial, kernel);
    const dims = isLast ? [batch, ...output, outputs] : [batch, outputs, ...output];
    return [{ elementType: type(scope, node), dims }];
  };
}

const firstType = (scope: GraphScope, node: OnnxNode) => inputType(scope, node, 0).elementType;

/** Batch, channels and spatial sizes of a pool's input, wherever its channels stand. */
function pooled(
  scope: GraphScope,
  node: OnnxNode,
  spatialOf: (spatial: readonly number[]) => readonly number[],
): TensorType {
  const type = inputType(scope, node, 0);
  requireRank(scope, node, type, 3, Infinity);
  const [batch, ...rest] = type.dims;
  const isLast =
    node.opType.startsWith('Nhwc') || intAttribute(scope.source, node, 'channels_last', 0) !== 0;
  const channels = isLast ? rest[rest.length - 1] : rest[0];
  const output = spatialOf(isLast ? rest.slice(0, -1) : rest.slice(1));
  const dims = isLast ? [batch, ...output, channels] : [batch, channels, ...output];
  return { elementType: type.elementType, dims };
}

const pool: ShapeRule = (scope, node) => {
  const type = pooled(scope, node, (spatial) => windowOf(scope, node, spatial).output);
  return node.opType === 'MaxPool' ? [type, { ...type, elementType: 'int64' }] : [type];
};

const globalPool: ShapeRule = (scope, node) => [
  pooled(scope, node, (spatial) => spatial.map(() => 1)),
];

const transposedConvolution: ShapeRule = (scope, node) => {
  const input = inputType(scope, node, 0);
  const filter = inputType(scope, node, 1, 'weight');
  requireRank(scope, node, input, 3, Infinity);
  requireRank(scope, node, filter, input.dims.length);
  const [batch, channels, ...spatial] = input.dims;
  const [inputs, outputs, ...kernel] = filter.dims;
  const groups = intAttribute(scope.source, node, 'group', 1);
  if (inputs !== channels || groups < 1 || channels % groups !== 0) {
    const found = `weights of dimensions [${filter.dims.join(', ')}]`;
    throw nodeError(scope.source, node, `has ${found} for ${channels} channels`);
  }
  const { output } = transposedWindowOf(scope, node, spatial, kernel);
  return [{ elementType: input.elementType, dims: [batch, outputs * groups, ...output] }];
};

const unpool: ShapeRule = (scope, node) => {
  const { elementType, dims } = inputType(scope, node, 0);
  const [batch, channels, ...spatial] = dims;
  const kernel = listedInts(scope, node, 'kernel_shape') ?? [];
  const strides = listedInts(scope, node, 'strides') ?? spatial.map(() => 1);
  const pads = listedInts(scope, node, 'pads') ?? [...spatial, ...spatial].map(() => 0);
  // An output_shape overrides what the windows give.
  if (node.inputs[2] || kernel.length !== spatial.length) return [];
  const output = spatial.map(
    (size, axis) =>
      (size - 1) * strides[axis] + kernel[axis] - pads[axis] - pads[axis + spatial.length],
  );
  return [{ elementType, dims: [batch, channels, ...output] }];
};

/** Operators that move a window over the spatial axes. */
export const WINDOWS: ShapeRules = {
  Conv: convolution({ weights: 1, type: firstType }),
  ConvInteger: convolution({ weights: 1, type: () => 'int32' }),
  QLinearConv: convolution({
    weights: 3,
    type: (scope, node) => elementTypeAt(scope, node, 7, 'uint8'),
  }),
  ConvTranspose: transposedConvolution,
  ...each(['MaxPool', 'AveragePool', 'LpPool'], pool),
  ...each(['GlobalAveragePool', 'GlobalMaxPool', 'GlobalLpPool'], globalPool),
  MaxUnpool: unpool,
};

/** The same of com.microsoft. */
export const MICROSOFT_WINDOWS: ShapeRules = {
  FusedConv: convolution({ weights: 1, type: firstType }),
  QLinearConv: WINDOWS.QLinearConv,
  ...each(['QLinearAveragePool', 'NhwcMaxPool'], pool),
  QLinearGlobalAveragePool: globalPool,
};
