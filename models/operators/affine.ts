import { featureCount } from '../../core/index.js';
import { affineFloat32 } from '../../kernels/index.js';
import { float } from '../graph/attributes.js';
import type { AffineLayer } from '../network.js';
import type { OperatorDefinition } from './definition.js';

/** Batch normalisation that no weights take up; what they do is read with the layer before it. */
export const affine: OperatorDefinition<AffineLayer> = {
  kind: 'affine',
  moves: false,
  joins: false,
  keepsChannels: true,
  readers: [],
  float32({ factors, offsets }, { inputs: [x], output }) {
    const length = featureCount(x.shape);
    return (images) =>
      affineFloat32(x.values.subarray(0, images * length), output.values, factors, offsets);
  },
  vectorOperations: (_, { output }) => featureCount(output) * 2,
  writeFloat32(to, { name, factors, offsets }, inputs, output) {
    const channels = factors.length;
    const vector = (wanted: string, data: Float32Array) =>
      to.constant(`${name}.${wanted}`, 'float32', [channels], data);
    const parameters = [
      vector('weight', factors),
      vector('bias', offsets),
      vector('running_mean', new Float32Array(channels)),
      vector('running_var', new Float32Array(channels).fill(1)),
    ];
    const attributes = { epsilon: float(0) };
    to.node('BatchNormalization', [...inputs, ...parameters], output, { name, attributes });
  },
};
