import { featureCount } from '../../core/index.js';
import { addFloat32, addWithTable, quantizedAddTable, realAddTable } from '../../kernels/index.js';
import { isSameSize } from '../graph/form.js';
import { MICROSOFT_DOMAIN } from '../graph/graph-builder.js';
import { readQuantization } from '../graph/quantization.js';
import type { AddLayer } from '../network.js';
import type { OnnxNode } from '../onnx/index.js';
import type { Activation, ConstantOperand, OperatorDefinition, ReadValues } from './definition.js';
import { productOf } from './join.js';

export const add: OperatorDefinition<AddLayer> = {
  kind: 'add',
  moves: false,
  joins: true,
  keepsChannels: false,
  readers: [
    { domain: '', opType: 'Add', read },
    {
      domain: MICROSOFT_DOMAIN,
      opType: 'QLinearAdd',
      read(into, node) {
        const [a, b] = [into.quantizedOperand(node, 0), into.quantizedOperand(node, 3)];
        const quantization = readQuantization(into.graph, node, 6);
        const operands = inOneLayout(into, node, [a, b], [0, 3]);
        // A tensor with this zero point holds no negative numbers, so a ReLU before it would change nothing.
        const layer = { kind: 'add', relu: quantization.zeroPoint === 0 } as const;
        into.quantizedResult(node, operands, operands[0], quantization, layer);
      },
    },
  ],
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

function read(into: ReadValues, node: OnnxNode): void {
  const constants = [0, 1].map((position) => into.constant(node, position));
  const bias = constants.findIndex((constant) => constant !== undefined);
  const constant = constants[bias];
  if (constant) {
    addBias(into, node, constant, 1 - bias);
    return;
  }
  const operands = [into.activation(node, 0), into.activation(node, 1)];
  const [a, b] = inOneLayout(into, node, operands, [0, 1]);
  into.result(node, [a, b], a, { kind: 'add', relu: false });
}

/** Both operands as the first is stored; they must have the same dimensions. */
function inOneLayout(
  into: ReadValues,
  node: OnnxNode,
  [a, b]: readonly Activation[],
  [, position]: readonly number[],
): readonly Activation[] {
  if (!isSameSize(a, b)) {
    return into.cannot(
      node,
      `adds tensors of shapes ${a.dims.join('×')} and ${b.dims.join('×')}, which must be equal`,
    );
  }
  if (a.layout === b.layout) return [a, b];
  return [
    a,
    a.layout === 'row-major' ? into.rowMajor(node, position) : into.channelsLast(node, position),
  ];
}

/** A constant for each channel joins the bias of the product before it. */
function addBias(
  into: ReadValues,
  node: OnnxNode,
  constant: ConstantOperand,
  position: number,
): void {
  const x = into.activation(node, position);
  const array = productOf(into.before(node, position));
  if (!array) into.cannot(node, 'adds a constant to something that has no bias');
  const { channels } = array.shape.output;
  const axis = x.layout === 'row-major' ? x.dims.length - 1 : 1;
  const along = axis - (x.dims.length - constant.dims.length);
  const { dims, data } = constant;
  const fits = dims.every((size, place) => size === (place === along ? channels : 1));
  if (array.relu || data.length !== channels || !fits) {
    into.cannot(node, `adds a constant of dimensions [${dims.join(', ')}]`);
  }
  const sum = (bias: Float32Array) => bias.map((stored, channel) => stored + data[channel]);
  if (!('scales' in array)) {
    into.join(node, position, { ...array, bias: sum(array.bias) });
  } else {
    const realBias = array.realBias ?? new Float32Array(channels);
    into.join(node, position, { ...array, realBias: sum(realBias) });
  }
}
