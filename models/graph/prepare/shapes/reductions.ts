import { argOf, axisOf, inputType, reductionOf, topKOf } from '../forms/index.js';
import { asInput, each, type ShapeRule, type ShapeRules } from './rules.js';

const reduction: ShapeRule = (scope, node) => [
  {
    elementType: inputType(scope, node, 0).elementType,
    dims: reductionOf(scope, node).output,
  },
];

const arg: ShapeRule = (scope, node) => [{ elementType: 'int64', dims: argOf(scope, node).output }];

/** LayerNormalization also gives a mean and a deviation of each part that it normalises. */
const layerNormalization: ShapeRule = (scope, node) => {
  const type = inputType(scope, node, 0);
  const axis = axisOf(scope, node, type.dims.length, -1);
  const dims = type.dims.map((size, index) => (index < axis ? size : 1));
  const statistics = { elementType: 'float32', dims } as const;
  return [type, statistics, statistics];
};

/** Operators that join values, or normalise by what they add up to. */
export const REDUCTIONS: ShapeRules = {
  ...each(
    'L1 L2 LogSum LogSumExp Max Mean Min Prod Sum SumSquare'
      .split(' ')
      .map((name) => `Reduce${name}`),
    reduction,
  ),
  ...each(['ArgMax', 'ArgMin'], arg),
  TopK(scope, node) {
    const { elementType, dims } = inputType(scope, node, 0);
    const { axis, count } = topKOf(scope, node);
    const taken = dims.with(axis, count);
    return [
      { elementType, dims: taken },
      { elementType: 'int64', dims: taken },
    ];
  },
  ...each(
    [
      'BatchNormalization GroupNormalization Hardmax InstanceNormalization LogSoftmax',
      'LpNormalization LRN MeanVarianceNormalization RMSNormalization Softmax',
    ].flatMap((line) => line.split(' ')),
    asInput,
  ),
  ...each(['LayerNormalization', 'SimplifiedLayerNormalization'], layerNormalization),
};

/** The same of com.microsoft. */
export const MICROSOFT_REDUCTIONS: ShapeRules = {
  QLinearReduceMean: reduction,
  ...each(['SkipLayerNormalization', 'SkipSimplifiedLayerNormalization'], (scope, node) => {
    const type = inputType(scope, node, 0);
    return [type, undefined, undefined, type];
  }),
};
