import { featureCount } from '../../core/index.js';
import { applyTable, clipFloat32, clipTable } from '../../kernels/index.js';
import { addClip } from '../graph/attributes.js';
import type { ClipLayer } from '../network.js';
import type { OperatorDefinition } from './definition.js';

/** Relu and Clip; those that join the layer before them are read with it. */
export const clip: OperatorDefinition<ClipLayer> = {
  kind: 'clip',
  moves: false,
  joins: false,
  keepsChannels: true,
  readers: [],
  float32({ low, high }, { inputs: [x], output }) {
    const length = featureCount(x.shape);
    return (images) => clipFloat32(x.values.subarray(0, images * length), output.values, low, high);
  },
  int8({ low, high }, { inputs: [x], output }) {
    const length = featureCount(x.shape);
    const table = clipTable(x.quantization, output.quantization, low, high);
    return (images) => applyTable(table, x.values.subarray(0, images * length), output.values);
  },
  vectorOperations: ({ low, high }, { output }) =>
    featureCount(output) * [low, high].filter(Number.isFinite).length,
  isRectified: ({ low }, [rectified]) => low >= 0 || rectified,
  writeFloat32: (to, layer, [input], output) => addClip(to, layer, input, output, layer.name),
};
