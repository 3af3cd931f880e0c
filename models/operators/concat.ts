import { concatChannels, concatFloat32, requantizationTable } from '../../kernels/index.js';
import { int } from '../graph/attributes.js';
import type { ConcatLayer } from '../network.js';
import type { LayerPlace, OperatorDefinition, TensorPlace } from './definition.js';

export const concat: OperatorDefinition<ConcatLayer> = {
  kind: 'concat',
  moves: false,
  joins: true,
  keepsChannels: false,
  readers: [],
  float32(_, at) {
    const parts = at.inputs.map(({ values, shape }) => ({ values, channels: shape.channels }));
    const positions = positionsOf(at);
    return (images) => concatFloat32(parts, at.output.values, images * positions);
  },
  int8(_, at) {
    const parts = at.inputs.map(({ values, shape, quantization }) => ({
      values,
      channels: shape.channels,
      table: requantizationTable(quantization, at.output.quantization),
    }));
    const positions = positionsOf(at);
    return (images) => concatChannels(parts, at.output.values, images * positions);
  },
  vectorOperations: () => 0,
  isRectified: (_, rectified) => rectified.every(Boolean),
  writeFloat32(to, { name }, inputs, output) {
    to.node('Concat', inputs, output, { name, attributes: { axis: int(1) } });
  },
  writeQuantized(to, layer, inputs, output) {
    to.qLinear('QLinearConcat', layer, inputs, output, { axis: int(1) });
  },
};

function positionsOf({ output: { shape } }: LayerPlace<TensorPlace>): number {
  return shape.height * shape.width;
}
