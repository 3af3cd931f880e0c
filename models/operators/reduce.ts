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
import { realOperand, storedAxes, storedDims } from './operands.js';

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
      const x = realOperand(into, node, 0);
      const { axes, output } = reductionOf(into.graph, node);
      addReduction(into, node, x, axes, reducedForm(x, output), reduction);
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
 * The form of what is left of a value: its groups lie in the value's own order, which is channels last where channels
 * and something behind them are left, and else the file's.
 */
export function reducedForm(x: Form, dims: readonly number[]): Form {
  const isMap = x.layout === 'channels-last' && x.dims.length > 2 && dims.length > 2;
  return { dims, layout: isMap && canBeChannelsLast({ dims }) ? 'channels-last' : 'row-major' };
}
