import { featureCount } from '../../core/index.js';
import { dequantizeStored, quantizeToGrid, quantizeUint8 } from '../../kernels/index.js';
import type { DequantizeLayer, GridLayer, QuantizeLayer } from '../network.js';
import type { OperatorDefinition } from './definition.js';

/** QuantizeLinear to uint8 or int8 of numbers that an operator without an int8 meaning makes. */
export const quantize: OperatorDefinition<QuantizeLayer> = {
  kind: 'quantize',
  moves: false,
  joins: false,
  keepsChannels: true,
  readers: [],
  mixed(_, { inputs: [x], output }) {
    if (!('quantization' in output)) throw new Error('a quantize layer makes uint8 values');
    const { scale, zeroPoint } = output.quantization;
    const length = featureCount(x.shape);
    return (images) => {
      for (let index = 0; index < images * length; index += 1) {
        output.values[index] = quantizeUint8(x.values[index], scale, zeroPoint);
      }
    };
  },
  vectorOperations: (_, { output }) => featureCount(output),
};

/** DequantizeLinear before an operator without an int8 meaning. */
export const dequantize: OperatorDefinition<DequantizeLayer> = {
  kind: 'dequantize',
  moves: false,
  joins: false,
  keepsChannels: true,
  readers: [],
  mixed(_, { inputs: [x], output }) {
    if (!('quantization' in x)) throw new Error('a dequantize layer takes uint8 values');
    const table = Float32Array.from({ length: 256 }, (_, stored) =>
      dequantizeStored(stored, x.quantization),
    );
    const length = featureCount(x.shape);
    return (images) => {
      for (let index = 0; index < images * length; index += 1) {
        output.values[index] = table[x.values[index]];
      }
    };
  },
  vectorOperations: (_, { output }) => featureCount(output),
};

/** Activations of 16 bits: float32 numbers on the grid of the integers. */
export const grid: OperatorDefinition<GridLayer> = {
  kind: 'grid',
  moves: false,
  joins: false,
  keepsChannels: true,
  readers: [],
  float32(layer, { inputs: [x], output }) {
    const length = featureCount(x.shape);
    return (images) => quantizeToGrid(layer, x.values.subarray(0, images * length), output.values);
  },
  vectorOperations: (_, { output }) => featureCount(output) * 2,
};
