import { featureCount } from '../../core/index.js';
import {
  averagePoolFloat32,
  averagePool as averageStored,
  realAveragePool,
} from '../../kernels/index.js';
import { averagePoolAttributes } from '../graph/attributes.js';
import { mapForm } from '../graph/form.js';
import { MICROSOFT_DOMAIN } from '../graph/graph-builder.js';
import { readQuantization } from '../graph/quantization.js';
import { averagePooling } from '../graph/windows.js';
import type { AveragePoolLayer } from '../network.js';
import type { OperatorDefinition } from './definition.js';

export const averagePool: OperatorDefinition<AveragePoolLayer> = {
  kind: 'average-pool',
  moves: false,
  joins: false,
  keepsChannels: true,
  readers: [
    {
      domain: '',
      opType: 'AveragePool',
      read(into, node) {
        const x = into.channelsLast(node, 0);
        const pooling = averagePooling(into.graph, node, x);
        const form = mapForm(pooling.shape.output, x.dims.length);
        into.result(node, [x], form, { kind: 'average-pool', ...pooling });
      },
    },
    {
      domain: MICROSOFT_DOMAIN,
      opType: 'QLinearAveragePool',
      read(into, node) {
        const x = into.quantizedOperand(node, 0);
        const quantization = readQuantization(into.graph, node, 3);
        const pooling = averagePooling(into.graph, node, x);
        const form = mapForm(pooling.shape.output, x.dims.length);
        const layer = { kind: 'average-pool', ...pooling } as const;
        into.quantizedResult(node, [into.channelsLast(node, 0)], form, quantization, layer);
      },
    },
  ],
  float32:
    ({ shape, countIncludePad }, { inputs: [x], output }) =>
    (images) =>
      averagePoolFloat32(shape, countIncludePad, x.values, output.values, images),
  int8({ shape, countIncludePad, inFloat32 }, { inputs: [x], output }) {
    const specification = {
      ...{ shape, countIncludePad },
      ...{ input: x.quantization, output: output.quantization },
    };
    return inFloat32
      ? (images) => realAveragePool(specification, inFloat32, x.values, output.values, images)
      : (images) => averageStored(specification, x.values, output.values, images);
  },
  vectorOperations: ({ shape: { kernel } }, { output }) =>
    featureCount(output) * (kernel[0] * kernel[1] + 1),
  isRectified: (_, [rectified]) => rectified,
  writeFloat32(to, layer, inputs, output) {
    const attributes = averagePoolAttributes(layer);
    to.node('AveragePool', inputs, output, { name: layer.name, attributes });
  },
  writeQuantized(to, layer, inputs, output) {
    to.qLinear('QLinearAveragePool', layer, inputs, output, averagePoolAttributes(layer));
  },
};
