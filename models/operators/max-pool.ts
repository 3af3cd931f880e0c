import { featureCount } from '../../core/index.js';
import { dilatedMaxPool } from '../../kernels/index.js';
import { maxPoolAttributes } from '../graph/attributes.js';
import { mapForm } from '../graph/form.js';
import { poolingShape } from '../graph/windows.js';
import type { MaxPoolLayer } from '../network.js';
import type { LayerPlace, Operation, OperatorDefinition, TensorPlace } from './definition.js';

export const maxPool: OperatorDefinition<MaxPoolLayer> = {
  kind: 'max-pool',
  moves: true,
  joins: false,
  keepsChannels: true,
  readers: [
    {
      domain: '',
      opType: 'MaxPool',
      read(into, node) {
        const x = into.channelsLast(node, 0);
        const shape = poolingShape(into.graph, node, x);
        const form = mapForm(shape.output, x.dims.length);
        into.result(node, [x], form, { kind: 'max-pool', shape });
      },
    },
  ],
  float32: operation,
  int8: operation,
  vectorOperations: ({ shape: { kernel } }, { output }) =>
    featureCount(output) * kernel[0] * kernel[1],
  isRectified: (_, [rectified]) => rectified,
  canFollow: ({ shape }) => shape.dilations === undefined,
  follow: ({ shape }, kernels) => kernels.maxPool(shape),
  writeFloat32(to, layer, inputs, output) {
    to.node('MaxPool', inputs, output, { name: layer.name, attributes: maxPoolAttributes(layer) });
  },
};

function operation(
  { shape }: MaxPoolLayer,
  { inputs: [x], output, backend }: LayerPlace<TensorPlace>,
): Operation {
  const { dilations } = shape;
  return dilations
    ? (images) => dilatedMaxPool(shape, dilations, x.values, output.values, images)
    : (images) => backend.maxPool(shape, x.values, output.values, images);
}
