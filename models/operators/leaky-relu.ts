import { featureCount } from '../../core/index.js';
import { applyTable, leakyReluFloat32, leakyReluTable } from '../../kernels/index.js';
import { float } from '../graph/attributes.js';
import { floatAttribute } from '../graph/graph.js';
import { MICROSOFT_DOMAIN } from '../graph/graph-builder.js';
import { readQuantization } from '../graph/quantization.js';
import type { LeakyReluLayer } from '../network.js';
import type { OnnxNode } from '../onnx/index.js';
import type { OperatorDefinition, ReadValues } from './definition.js';

export const leakyRelu: OperatorDefinition<LeakyReluLayer> = {
  kind: 'leaky-relu',
  moves: false,
  joins: false,
  keepsChannels: true,
  readers: [
    {
      domain: '',
      opType: 'LeakyRelu',
      read(into, node) {
        const x = into.activation(node, 0);
        into.result(node, [x], x, { kind: 'leaky-relu', alpha: alphaOf(into, node) });
      },
    },
    {
      domain: MICROSOFT_DOMAIN,
      opType: 'QLinearLeakyRelu',
      read(into, node) {
        const x = into.quantizedOperand(node, 0);
        const quantization = readQuantization(into.graph, node, 3);
        const layer = { kind: 'leaky-relu', alpha: alphaOf(into, node) } as const;
        into.quantizedResult(node, [x], x, quantization, layer);
      },
    },
  ],
  float32({ alpha }, { inputs: [x], output }) {
    const length = featureCount(x.shape);
    return (images) =>
      leakyReluFloat32(x.values.subarray(0, images * length), output.values, alpha);
  },
  int8({ alpha }, { inputs: [x], output }) {
    const length = featureCount(x.shape);
    const table = leakyReluTable(x.quantization, output.quantization, alpha);
    return (images) => applyTable(table, x.values.subarray(0, images * length), output.values);
  },
  vectorOperations: (_, { output }) => featureCount(output),
  isRectified: (_, [rectified]) => rectified,
  writeFloat32(to, { name, alpha }, inputs, output) {
    to.node('LeakyRelu', inputs, output, { name, attributes: { alpha: float(alpha) } });
  },
  writeQuantized(to, layer, inputs, output) {
    to.qLinear('QLinearLeakyRelu', layer, inputs, output, { alpha: float(layer.alpha) });
  },
};

function alphaOf({ graph }: ReadValues, node: OnnxNode): number {
  return floatAttribute(graph.source, node, 'alpha', Math.fround(0.01));
}
