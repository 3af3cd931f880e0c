import { flatten as flattenStored } from '../../kernels/index.js';
import { int } from '../graph/attributes.js';
import type { FlattenLayer } from '../network.js';
import type { LayerPlace, Operation, OperatorDefinition, TensorPlace } from './definition.js';

export const flatten: OperatorDefinition<FlattenLayer> = {
  kind: 'flatten',
  moves: true,
  joins: false,
  keepsChannels: true,
  readers: [],
  float32: operation,
  int8: operation,
  vectorOperations: () => 0,
  isRectified: (_, [rectified]) => rectified,
  canFollow: () => true,
  follow: (_, kernels, input) => kernels.flatten(input),
  writeFloat32(to, { name }, inputs, output) {
    to.node('Flatten', inputs, output, { name, attributes: { axis: int(1) } });
  },
};

function operation(_: FlattenLayer, { inputs: [x], output }: LayerPlace<TensorPlace>): Operation {
  return (images) => flattenStored(x.shape, x.values, output.values, images);
}
