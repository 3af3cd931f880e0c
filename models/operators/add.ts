import { featureCount } from '../../core/index.js';
import { addFloat32, addWithTable, quantizedAddTable, realAddTable } from '../../kernels/index.js';
import type { AddLayer } from '../network.js';
import type { OperatorDefinition } from './definition.js';

export const add: OperatorDefinition<AddLayer> = {
  kind: 'add',
  moves: false,
  joins: true,
  keepsChannels: false,
  readers: [],
  float32({ relu }, { inputs: [a, b], output }) {
    const length = featureCount(a.shape);
    return (images) =>
      addFloat32(a.values.subarray(0, images * length), b.values, output.values, relu);
  },
  int8({ inFloat32, relu }, { inputs: [a, b], output }) {
    const length = featureCount(a.shape);
    const { zeroPoint } = output.quantization;
    const table = inFloat32
      ? realAddTable(a.quantization, b.quantization, output.quantization)
      : quantizedAddTable({ a: a.quantization, b: b.quantization, output: output.quantization });
    if (relu) {
      for (const [index, sum] of table.entries()) table[index] = Math.max(sum, zeroPoint);
    }
    return (images) =>
      addWithTable(table, a.values.subarray(0, images * length), b.values, output.values);
  },
  vectorOperations: ({ relu }, { output }) => featureCount(output) * (relu ? 2 : 1),
  isRectified: ({ relu }, rectified) => relu || rectified.every(Boolean),
  writeFloat32(to, { name, relu }, inputs, output) {
    const sum = relu ? to.fresh(`${output}_before_relu`) : output;
    to.node('Add', inputs, sum, { name });
    if (relu) to.node('Relu', [sum], output);
  },
  writeQuantized: (to, layer, inputs, output) => to.qLinear('QLinearAdd', layer, inputs, output),
};
