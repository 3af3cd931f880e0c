import { featureCount } from '../../core/index.js';
import {
  globalAveragePoolFloat32,
  globalAveragePool as globalAverageStored,
  realAveragePool,
  wholeWindow,
} from '../../kernels/index.js';
import { int } from '../graph/attributes.js';
import { MICROSOFT_DOMAIN } from '../graph/graph-builder.js';
import { readQuantization } from '../graph/quantization.js';
import { globallyPooled } from '../graph/windows.js';
import type { GlobalAveragePoolLayer } from '../network.js';
import type { OperatorDefinition } from './definition.js';

export const globalAveragePool: OperatorDefinition<GlobalAveragePoolLayer> = {
  kind: 'global-average-pool',
  moves: false,
  joins: false,
  keepsChannels: true,
  readers: [
    {
      domain: '',
      opType: 'GlobalAveragePool',
      read(into, node) {
        const x = into.channelsLast(node, 0);
        const form = globallyPooled(into.graph, node, x);
        into.result(node, [x], form, { kind: 'global-average-pool' });
      },
    },
    {
      domain: MICROSOFT_DOMAIN,
      opType: 'QLinearGlobalAveragePool',
      read(into, node) {
        const form = globallyPooled(into.graph, node, into.quantizedOperand(node, 0));
        const quantization = readQuantization(into.graph, node, 3);
        const x = into.channelsLast(node, 0);
        into.quantizedResult(node, [x], form, quantization, { kind: 'global-average-pool' });
      },
    },
  ],
  float32:
    (_, { inputs: [x], output }) =>
    (images) =>
      globalAveragePoolFloat32(x.shape, x.values, output.values, images),
  int8({ inFloat32 }, { inputs: [x], output }) {
    const pair = { input: x.quantization, output: output.quantization };
    if (!inFloat32) {
      return (images) => globalAverageStored(x.shape, pair, x.values, output.values, images);
    }
    const whole = { shape: wholeWindow(x.shape), countIncludePad: false, ...pair };
    return (images) => realAveragePool(whole, inFloat32, x.values, output.values, images);
  },
  vectorOperations: (_, { inputs: [x], output }) => featureCount(x) + featureCount(output),
  isRectified: (_, [rectified]) => rectified,
  writeFloat32(to, { name }, inputs, output) {
    to.node('GlobalAveragePool', inputs, output, { name });
  },
  writeQuantized(to, layer, inputs, output) {
    const attributes = { channels_last: int(0) };
    to.qLinear('QLinearGlobalAveragePool', layer, inputs, output, attributes);
  },
};
