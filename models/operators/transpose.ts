import { featureCount } from '../../core/index.js';
import { permuteAxes } from '../../kernels/index.js';
import type { TransposeLayer } from '../network.js';
import type { LayerPlace, Operation, OperatorDefinition, TensorPlace } from './definition.js';

/** Axes in another order: what Transpose means, and what stands between the two layouts of tensors. */
export const transpose: OperatorDefinition<TransposeLayer> = {
  kind: 'transpose',
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
  { dims, order }: TransposeLayer,
  { inputs: [x], output }: LayerPlace<TensorPlace>,
): Operation {
  const length = featureCount(x.shape);
  return (images) =>
    permuteAxes(
      [images, ...dims],
      [0, ...order.map((axis) => axis + 1)],
      x.values.subarray(0, images * length),
      output.values,
    );
}
