import { featureCount } from '../../core/index.js';
import {
  averagePoolFloat32,
  averagePool as averageStored,
  realAveragePool,
} from '../../kernels/index.js';
import { averagePoolAttributes } from '../graph/attributes.js';
import type { AveragePoolLayer } from '../network.js';
import type { OperatorDefinition } from './definition.js';

export const averagePool: OperatorDefinition<AveragePoolLayer> = {
  kind: 'average-pool',
  moves: false,
  joins: false,
  keepsChannels: true,
  readers: [],
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
