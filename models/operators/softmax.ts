import { featureCount } from '../../core/index.js';
import {
  createQuantizedSoftmax,
  dequantizeStored,
  groupingAlong,
  quantizeUint8,
  softmaxGroups,
} from '../../kernels/index.js';
import { intAttribute } from '../graph/graph.js';
import { MICROSOFT_DOMAIN } from '../graph/graph-builder.js';
import { axisOf, softmaxAxesOf } from '../graph/prepare/forms/index.js';
import { readQuantization } from '../graph/quantization.js';
import type { SoftmaxLayer } from '../network.js';
import type { OnnxNode } from '../onnx/index.js';
import type {
  LayerPlace,
  Operation,
  OperatorDefinition,
  OperatorReader,
  QuantizedPlace,
  ReadValues,
} from './definition.js';
import { realOperand, storedAxes, storedDims } from './operands.js';

/**
 * Softmax and LogSoftmax. Softmax between DequantizeLinear and QuantizeLinear is com.microsoft QLinearSoftmax, as
 * onnxruntime has it; LogSoftmax is computed in float32 and quantised.
 */
export const softmax: OperatorDefinition<SoftmaxLayer> = {
  kind: 'softmax',
  moves: false,
  joins: false,
  keepsChannels: false,
  readers: [
    reader('Softmax', false),
    reader('LogSoftmax', true),
    {
      domain: MICROSOFT_DOMAIN,
      opType: 'QLinearSoftmax',
      read(into, node) {
        const x = into.quantizedOperand(node, 0);
        const layer = {
          kind: 'softmax',
          logarithm: false,
          dims: storedDims(x),
          axes: storedAxes(x, quantizedAxes(into, node, x.dims.length)),
        } as const;
        into.quantizedResult(node, [x], x, readQuantization(into.graph, node, 3), layer);
      },
    },
  ],
  float32({ dims, axes, logarithm }, { inputs: [x], output }) {
    const groups = groupingAlong(dims, axes);
    return (images) => softmaxGroups(groups, logarithm, x.values, output.values, images);
  },
  int8(layer, at) {
    const {
      inputs: [x],
      output,
    } = at;
    if (layer.logarithm || layer.inFloat32) return inFloat32(layer, at);
    const groups = groupingAlong(layer.dims, layer.axes);
    const quantizations = { input: x.quantization, output: output.quantization };
    const run = createQuantizedSoftmax(groups, quantizations);
    return (images) => run(x.values, output.values, images);
  },
  // Largest value, power and its sum, division.
  vectorOperations: (_, { output }) => featureCount(output) * 4,
  isRectified: ({ logarithm }) => !logarithm,
};

function inFloat32(
  { dims, axes, logarithm }: SoftmaxLayer,
  { inputs: [x], output }: LayerPlace<QuantizedPlace>,
): Operation {
  const groups = groupingAlong(dims, axes);
  const length = featureCount(x.shape);
  const reals = new Float32Array(length);
  const results = new Float32Array(length);
  const { scale, zeroPoint } = output.quantization;
  return (images) => {
    for (let first = 0; first < images * length; first += length) {
      for (let index = 0; index < length; index++) {
        reals[index] = dequantizeStored(x.values[first + index], x.quantization);
      }
      softmaxGroups(groups, logarithm, reals, results, 1);
      for (let index = 0; index < length; index++) {
        output.values[first + index] = quantizeUint8(results[index], scale, zeroPoint);
      }
    }
  };
}

function reader(opType: string, logarithm: boolean): OperatorReader {
  return {
    domain: '',
    opType,
    read(into, node) {
      const x = realOperand(into, node, 0);
      const axes = storedAxes(x, softmaxAxesOf(into.graph, node));
      into.result(node, [x], x, { kind: 'softmax', logarithm, dims: storedDims(x), axes });
    },
  };
}

/** QLinearSoftmax names the operator set whose Softmax it is. */
function quantizedAxes({ graph }: ReadValues, node: OnnxNode, rank: number): readonly number[] {
  const isAlongOne = intAttribute(graph.source, node, 'opset', graph.opset) >= 13;
  const axis = axisOf(graph, node, rank, isAlongOne ? -1 : 1);
  return isAlongOne ? [axis] : Array.from({ length: rank - axis }, (_, index) => axis + index);
}
