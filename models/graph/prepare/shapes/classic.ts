import type { OnnxNode } from '../../../onnx/index.js';
import { type GraphScope, intAttribute, nodeError, type TensorType } from '../../graph.js';
import { inputType } from '../forms/index.js';
import { asInput, each, requireRank, type ShapeRule, type ShapeRules } from './rules.js';

/** Samples of a model of classical machine learning: a matrix, or one row. */
function rowsOf(scope: GraphScope, node: OnnxNode): number {
  const { dims } = inputType(scope, node, 0);
  return dims.length > 1 ? dims[0] : 1;
}

/** How many numbers or texts an attribute lists. */
function lengthOf(node: OnnxNode, name: string): number {
  const attribute = node.attributes.get(name);
  return attribute && 'value' in attribute && typeof attribute.value === 'object'
    ? 'length' in attribute.value
      ? attribute.value.length
      : 0
    : 0;
}

/** Label and scores of a classifier; labels that are texts have no type here. */
function classifier(integerLabels: string, textLabels: string): ShapeRule {
  return (scope, node) => {
    const rows = rowsOf(scope, node);
    const integers = lengthOf(node, integerLabels);
    const classes = integers || lengthOf(node, textLabels);
    if (classes === 0) return [];
    const label: TensorType = { elementType: 'int64', dims: [rows] };
    return [integers > 0 ? label : undefined, { elementType: 'float32', dims: [rows, classes] }];
  };
}

function regressor(targets: string): ShapeRule {
  return (scope, node) => [
    {
      elementType: 'float32',
      dims: [rowsOf(scope, node), intAttribute(scope.source, node, targets, 1)],
    },
  ];
}

const asFloats: ShapeRule = (scope, node) => [
  { elementType: 'float32', dims: inputType(scope, node, 0).dims },
];

/** Operators of ai.onnx.ml, as scikit-learn's models are written. */
export const CLASSIC: ShapeRules = {
  ArrayFeatureExtractor(scope, node) {
    const type = inputType(scope, node, 0);
    requireRank(scope, node, type, 1, Infinity);
    const indices = inputType(scope, node, 1, 'indices').dims;
    const count = indices.reduce((product, size) => product * size, 1);
    const before = type.dims.length > 1 ? type.dims.slice(0, -1) : [1];
    return [{ elementType: type.elementType, dims: [...before, count] }];
  },
  ...each(['Scaler', 'Normalizer'], asFloats),
  ...each(['Binarizer', 'Imputer'], asInput),
  LinearClassifier: classifier('classlabels_ints', 'classlabels_strings'),
  SVMClassifier: classifier('classlabels_ints', 'classlabels_strings'),
  TreeEnsembleClassifier: classifier('classlabels_int64s', 'classlabels_strings'),
  LinearRegressor: regressor('targets'),
  TreeEnsembleRegressor: regressor('n_targets'),
  SVMRegressor: regressor('n_targets'),
  FeatureVectorizer(scope, node) {
    const sizes = node.attributes.get('inputdimensions');
    if (sizes?.type !== 'ints') throw nodeError(scope.source, node, 'has no inputdimensions');
    const width = sizes.value.reduce((sum, size) => sum + size, 0);
    return [{ elementType: 'float32', dims: [rowsOf(scope, node), width] }];
  },
  OneHotEncoder(scope, node) {
    const count = lengthOf(node, 'cats_int64s') || lengthOf(node, 'cats_strings');
    return [{ elementType: 'float32', dims: [...inputType(scope, node, 0).dims, count] }];
  },
  LabelEncoder(scope, node) {
    const { dims } = inputType(scope, node, 0);
    if (node.attributes.has('values_int64s')) return [{ elementType: 'int64', dims }];
    if (node.attributes.has('values_floats')) return [{ elementType: 'float32', dims }];
    return [];
  },
};
