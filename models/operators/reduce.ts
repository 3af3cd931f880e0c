import { featureCount } from '../../core/index.js';
import {
  dequantizeStored,
  groupingAlong,
  quantizeUint8,
  type ReductionName,
  reduceGroups,
} from '../../kernels/index.js';
import { canBeChannelsLast, type Form } from '../graph/form.js';
import { reductionOf } from '../graph/prepare/forms/index.js';
import type { ReduceLayer } from '../network.js';
import type { OnnxNode } from '../onnx/index.js';
import type { Activation, OperatorDefinition, OperatorReader, ReadValues } from './definition.js';
import { realOperand, storedAxes, storedDims, storedOrder } from './operands.js';

/**
 * Reductions along any axes. onnxruntime fuses none of them with DequantizeLinear and QuantizeLinear: in float32, and
 * quantised again. Of a greatest or least value that is the stored one, where both quantisations agree.
 */
export const reduce: OperatorDefinition<ReduceLayer> = {
  kind: 'reduce',
  moves: false,
  joins: false,
  keepsChannels: false,
  readers: [
    reader('ReduceMean', 'mean'),
    reader('ReduceSum', 'sum'),
    reader('ReduceMax', 'maximum'),
    reader('ReduceMin', 'minimum'),
    reader('ReduceProd', 'product'),
    reader('ReduceL1', 'l1'),
    reader('ReduceL2', 'l2'),
    reader('ReduceSumSquare', 'sum-of-squares'),
    reader('ReduceLogSum', 'log-of-sum'),
    {
      domain: '',
      opType: 'GlobalMaxPool',
      read(into, node) {
        const x = realOperand(into, node, 0);
        const axes = [...x.dims.keys()].slice(2);
        const dims = x.dims.map((size, axis) => (axis < 2 ? size : 1));
        addReduction(into, node, x, axes, { dims, layout: x.layout }, 'maximum');
      },
    },
  ],
  float32({ dims, axes, reduction }, { inputs: [x], output }) {
    const groups = groupingAlong(dims, axes);
    return (images) => reduceGroups(reduction, groups, x.values, output.values, images);
  },
  int8({ dims, axes, reduction }, { inputs: [x], output }) {
    const groups = groupingAlong(dims, axes);
    const { scale, zeroPoint } = output.quantization;
    const real = (stored: number) => dequantizeStored(stored, x.quantization);
    const store = (result: number) => quantizeUint8(result, scale, zeroPoint);
    return (images) =>
      reduceGroups(reduction, groups, x.values, output.values, images, real, store);
  },
  vectorOperations: (_, { inputs: [x] }) => featureCount(x),
  isRectified: ({ reduction }, [rectified]) =>
    NOT_NEGATIVE.has(reduction) || (rectified && reduction !== 'log-of-sum'),
};

const NOT_NEGATIVE: ReadonlySet<ReductionName> = new Set(['l1', 'l2', 'sum-of-squares']);

function reader(opType: string, reduction: ReductionName): OperatorReader {
  return {
    domain: '',
    opType,
    read(into, node) {
      const { axes, output } = reductionOf(into.graph, node);
      const { x, form } = reducedOperand(into, node, axes, output);
      addReduction(into, node, x, axes, form, reduction);
    },
  };
}

function addReduction(
  into: ReadValues,
  node: OnnxNode,
  x: Activation,
  axes: readonly number[],
  form: Form,
  reduction: ReductionName,
): void {
  into.result(node, [x], form, {
    kind: 'reduce',
    reduction,
    dims: storedDims(x),
    axes: storedAxes(x, axes),
  });
}

/**
 * What a node reduces along some axes to a value of dimensions `dims`, and the form of that: its values lie in the order
 * of the groups. Where neither layout has that order, the operand is taken in the file's.
 */
export function reducedOperand(
  into: ReadValues,
  node: OnnxNode,
  axes: readonly number[],
  dims: readonly number[],
): { readonly x: Activation; readonly form: Form } {
  const x = realOperand(into, node, 0);
  const layout = reducedLayout(x, axes, dims);
  return layout
    ? { x, form: { dims, layout } }
    : { x: into.rowMajor(node, 0), form: { dims, layout: 'row-major' } };
}

function reducedLayout(
  x: Form,
  axes: readonly number[],
  dims: readonly number[],
): Form['layout'] | undefined {
  if (dims.length === x.dims.length) return x.layout;
  const kept = storedOrder(x).filter((axis) => !axes.includes(axis));
  const [places, sorted] = [kept, kept.toSorted((a, b) => a - b)].map((list) =>
    list.filter((axis) => x.dims[axis] > 1).join(),
  );
  if (places === sorted) return 'row-major';
  const isMap = canBeChannelsLast({ dims }) && !axes.includes(0) && !axes.includes(1);
  return isMap ? 'channels-last' : undefined;
}
