import { featureCount } from '../../core/index.js';
import type { PartLayer } from '../network.js';
import type { LayerPlace, Operation, OperatorDefinition, TensorPlace } from './definition.js';

/** One of several results that lie one behind the other in a tensor. */
export const part: OperatorDefinition<PartLayer> = {
  kind: 'part',
  moves: true,
  joins: false,
  keepsChannels: false,
  readers: [],
  float32: operation,
  int8: operation,
  vectorOperations: () => 0,
  isRectified: (_, [rectified]) => rectified,
};

function operation(
  { start }: PartLayer,
  { inputs: [x], output }: LayerPlace<TensorPlace>,
): Operation {
  const stride = featureCount(x.shape);
  const length = featureCount(output.shape);
  return (images) => {
    for (let image = 0; image < images; image += 1) {
      const first = image * stride + start;
      output.values.set(x.values.subarray(first, first + length), image * length);
    }
  };
}
