import type { ElementType, OnnxNode } from '../../../onnx/index.js';
import { type GraphScope, intAttribute, nodeError, stringAttribute } from '../../graph.js';
import { inputType } from '../forms/index.js';
import {
  broadcast,
  each,
  elementTypeAt,
  requireRank,
  type ShapeRule,
  type ShapeRules,
} from './rules.js';

/** Dimensions of a matrix product of two tensors, each a matrix in its last two axes or a vector. */
function productDims(
  scope: GraphScope,
  node: OnnxNode,
  one: readonly number[],
  other: readonly number[],
): number[] {
  if (one.length === 0 || other.length === 0) {
    throw nodeError(scope.source, node, 'multiplies a scalar');
  }
  const rows = one.length > 1 ? [one[one.length - 2]] : [];
  const columns = other.length > 1 ? [other[other.length - 1]] : [];
  const inner = other[Math.max(0, other.length - 2)];
  if (one[one.length - 1] !== inner) {
    throw nodeError(
      scope.source,
      node,
      `multiplies [${one.join(', ')}] by [${other.join(', ')}], whose inner sizes differ`,
    );
  }
  const batches = broadcast(scope, node, [one.slice(0, -2), other.slice(0, -2)]);
  return [...batches, ...rows, ...columns];
}

function swapped(dims: readonly number[], isSwapped: boolean): readonly number[] {
  if (!isSwapped || dims.length < 2) return dims;
  return [...dims.slice(0, -2), dims[dims.length - 1], dims[dims.length - 2]];
}

interface Product {
  /** Place of the second factor. */
  readonly other: number;
  readonly type: (scope: GraphScope, node: OnnxNode) => ElementType;
}

const firstType = (scope: GraphScope, node: OnnxNode) => inputType(scope, node, 0).elementType;
const typeAt = (position: number, otherwise: ElementType) => (scope: GraphScope, node: OnnxNode) =>
  elementTypeAt(scope, node, position, otherwise);

function product({ other, type }: Product): ShapeRule {
  return (scope, node) => {
    const flag = (name: string) => intAttribute(scope.source, node, name, 0) !== 0;
    const dims = productDims(
      scope,
      node,
      swapped(inputType(scope, node, 0).dims, flag('transA')),
      swapped(inputType(scope, node, other).dims, flag('transB')),
    );
    return [{ elementType: type(scope, node), dims }];
  };
}

/** Gemm takes matrices alone. */
function matrixProduct(form: Product): ShapeRule {
  const rule = product(form);
  return (scope, node) => {
    requireRank(scope, node, inputType(scope, node, 0), 2);
    requireRank(scope, node, inputType(scope, node, form.other), 2);
    return rule(scope, node);
  };
}

/** Sums of products by an equation such as `bij,bjk->bik`, without dots. */
const einsum: ShapeRule = (scope, node) => {
  const equation = stringAttribute(scope.source, node, 'equation', '').replaceAll(' ', '');
  const [left, right] = equation.split('->');
  const terms = left.split(',');
  if (!/^[a-zA-Z,]*(?:->[a-zA-Z]*)?$/.test(equation) || terms.length !== node.inputs.length) {
    return [];
  }
  const sizes = new Map<string, number>();
  for (const [position, term] of terms.entries()) {
    const { dims } = inputType(scope, node, position);
    if (dims.length !== term.length) {
      throw nodeError(scope.source, node, `has "${term}" for [${dims.join(', ')}]`);
    }
    for (const [axis, letter] of [...term].entries()) {
      const before = sizes.get(letter) ?? 1;
      if (before !== 1 && dims[axis] !== 1 && before !== dims[axis]) {
        throw nodeError(
          scope.source,
          node,
          `has sizes ${before} and ${dims[axis]} for "${letter}"`,
        );
      }
      sizes.set(letter, Math.max(before, dims[axis]));
    }
  }
  const letters = [...left.replaceAll(',', '')];
  const once = letters.filter((letter) => letters.indexOf(letter) === letters.lastIndexOf(letter));
  const output = right === undefined ? once.sort() : [...right];
  const dims = output.map((letter) => sizes.get(letter) ?? 1);
  return [{ elementType: firstType(scope, node), dims }];
};

/** Matrix products. */
export const PRODUCTS: ShapeRules = {
  MatMul: product({ other: 1, type: firstType }),
  MatMulInteger: product({ other: 1, type: () => 'int32' }),
  QLinearMatMul: product({ other: 3, type: typeAt(7, 'uint8') }),
  Gemm: matrixProduct({ other: 1, type: firstType }),
  Einsum: einsum,
};

/** The same of com.microsoft. */
export const MICROSOFT_PRODUCTS: ShapeRules = {
  ...each(['FusedMatMul', 'TransposeMatMul'], product({ other: 1, type: firstType })),
  FusedGemm: PRODUCTS.Gemm,
  QLinearMatMul: PRODUCTS.QLinearMatMul,
  QGemm: matrixProduct({ other: 3, type: typeAt(8, 'float32') }),
  DynamicQuantizeMatMul: product({ other: 1, type: firstType }),
  MatMulIntegerToFloat: product({ other: 1, type: typeAt(2, 'float32') }),
  MatMulNBits(scope, node) {
    const { elementType, dims } = inputType(scope, node, 0);
    const columns = intAttribute(scope.source, node, 'N', 0);
    return [{ elementType, dims: [...dims.slice(0, -1), columns] }];
  },
};
