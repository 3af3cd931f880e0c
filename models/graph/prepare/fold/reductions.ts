import { intAttribute } from '../../graph.js';
import { normalAxis, reductionOf } from '../forms/index.js';
import {
  eachPlace,
  type FoldRule,
  type FoldRules,
  isBigInt,
  isFloat,
  stridesOf,
  zeros,
} from './elements.js';

/**
 * Joins the values along the axes of a reduction. Integers are exact; floats are joined in float64 and rounded once,
 * where onnxruntime's order of summation may end a last bit away.
 */
function joining(
  first: number | undefined,
  numbers: (a: number, b: number) => number,
  bigints: (a: bigint, b: bigint) => bigint,
): FoldRule {
  return ({ scope, node, inputs: [tensor], outputs: [output] }) => {
    if (!tensor || tensor.elementType === 'float16' || tensor.data.length === 0) return undefined;
    const { axes } = reductionOf(scope, node);
    const joined = new Set(axes);
    const kept = tensor.dims.map((size, axis) => (joined.has(axis) ? 1 : size));
    const strides = stridesOf(kept).map((stride, axis) => (joined.has(axis) ? 0 : stride));
    const target = zeros(output);
    const totals = isFloat(tensor.elementType) ? new Float64Array(target.length) : target;
    const isStarted = new Uint8Array(target.length);
    const isBig = isBigInt(tensor.elementType);
    const start = first === undefined ? undefined : isBig ? BigInt(first) : first;
    eachPlace(tensor.dims, [strides], (index, [place]) => {
      const value = tensor.data[index];
      const before = isStarted[place] ? totals[place] : start;
      isStarted[place] = 1;
      if (before === undefined) totals[place] = value;
      else if (isBig) totals[place] = bigints(before as bigint, value as bigint);
      else totals[place] = numbers(Number(before), Number(value));
    });
    if (totals !== target) {
      for (let index = 0; index < target.length; index += 1) target[index] = totals[index];
    }
    return [target];
  };
}

const sum = joining(
  0,
  (a, b) => a + b,
  (a, b) => a + b,
);

const mean: FoldRule = (folded) => {
  const [tensor] = folded.inputs;
  if (tensor?.elementType !== 'float32' && tensor?.elementType !== 'float64') return undefined;
  const [total] = sum({
    ...folded,
    inputs: [{ ...tensor, elementType: 'float64', data: Float64Array.from(tensor.data) }],
    outputs: [{ ...folded.outputs[0], elementType: 'float64' }],
  }) ?? [undefined];
  if (!total) return undefined;
  const count = tensor.data.length / total.length;
  const target = zeros(folded.outputs[0]);
  for (let index = 0; index < target.length; index += 1) {
    target[index] = Number(total[index]) / count;
  }
  return [target];
};

/** Running sums along an axis, of integers alone. */
const cumulative: FoldRule = ({ scope, node, inputs: [tensor, along], outputs: [output] }) => {
  if (!tensor || !along || isFloat(tensor.elementType)) return undefined;
  const flag = (name: string) => intAttribute(scope.source, node, name, 0) !== 0;
  if (flag('exclusive') || flag('reverse')) return undefined;
  const axis = normalAxis(scope, node, Number(along.data[0]), tensor.dims.length);
  const stride = stridesOf(tensor.dims)[axis];
  const target = zeros(output);
  for (let index = 0; index < target.length; index += 1) {
    const isFirst = Math.floor(index / stride) % tensor.dims[axis] === 0;
    const value = tensor.data[index];
    const before = target[index - stride];
    if (isFirst) target[index] = value;
    else if (typeof value === 'bigint') target[index] = value + BigInt(before);
    else target[index] = value + Number(before);
  }
  return [target];
};

/** Sums, products, largest and least values. */
export const REDUCTIONS: FoldRules = {
  ReduceSum: sum,
  ReduceProd: joining(
    1,
    (a, b) => a * b,
    (a, b) => a * b,
  ),
  ReduceMax: joining(
    undefined,
    (a, b) => (a > b || Number.isNaN(a) ? a : b),
    (a, b) => (a > b ? a : b),
  ),
  ReduceMin: joining(
    undefined,
    (a, b) => (a < b || Number.isNaN(a) ? a : b),
    (a, b) => (a < b ? a : b),
  ),
  ReduceMean: mean,
  CumSum: cumulative,
};
