import { featureCount } from '../../core/index.js';
import { normalizeResponse } from '../../kernels/index.js';
import { floatAttribute, intAttribute } from '../graph/graph.js';
import type { ResponseLayer } from '../network.js';
import type { OperatorDefinition } from './definition.js';
import { requireReal } from './operands.js';

/** LRN, on float32 numbers alone. */
export const response: OperatorDefinition<ResponseLayer> = {
  kind: 'response',
  moves: false,
  joins: false,
  keepsChannels: false,
  readers: [
    {
      domain: '',
      opType: 'LRN',
      read(into, node) {
        requireReal(into, node, 0);
        const { source } = into.graph;
        const size = intAttribute(source, node, 'size', 1);
        if (!(size >= 1)) into.cannot(node, `has size = ${size}`);
        const x = into.channelsLast(node, 0);
        into.result(node, [x], x, {
          kind: 'response',
          size,
          alpha: floatAttribute(source, node, 'alpha', Math.fround(1e-4)),
          beta: floatAttribute(source, node, 'beta', 0.75),
          base: floatAttribute(source, node, 'bias', 1),
        });
      },
    },
  ],
  float32(layer, { inputs: [x], output }) {
    return (images) => normalizeResponse(layer, x.shape, x.values, output.values, images);
  },
  vectorOperations: ({ size }, { output }) => featureCount(output) * (size + 3),
  isRectified: (_, [rectified]) => rectified,
};
