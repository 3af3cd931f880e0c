import { excerpt } from '../../core/index.js';
import { concatChannels, concatFloat32, requantizationTable } from '../../kernels/index.js';
import { int } from '../graph/attributes.js';
import type { Form } from '../graph/form.js';
import { intAttribute, nodeError } from '../graph/graph.js';
import { MICROSOFT_DOMAIN } from '../graph/graph-builder.js';
import { readQuantization } from '../graph/quantization.js';
import type { ConcatLayer } from '../network.js';
import type { OnnxNode } from '../onnx/index.js';
import type {
  Activation,
  LayerPlace,
  OperatorDefinition,
  ReadValues,
  TensorPlace,
} from './definition.js';

export const concat: OperatorDefinition<ConcatLayer> = {
  kind: 'concat',
  moves: false,
  joins: true,
  keepsChannels: false,
  readers: [
    {
      domain: '',
      opType: 'Concat',
      read(into, node) {
        const positions = [...node.inputs.keys()];
        const { operands, form } = joined(into, node, positions, (position) =>
          into.activation(node, position),
        );
        into.result(node, operands, form, { kind: 'concat' });
      },
    },
    {
      domain: MICROSOFT_DOMAIN,
      opType: 'QLinearConcat',
      read(into, node) {
        const count = (node.inputs.length - 2) / 3;
        if (!Number.isInteger(count) || count < 1) {
          throw nodeError(into.graph.source, node, 'must have three inputs for each joined tensor');
        }
        const positions = Array.from({ length: count }, (_, part) => 2 + 3 * part);
        const { operands, form } = joined(into, node, positions, (position) =>
          into.quantizedOperand(node, position),
        );
        const quantization = readQuantization(into.graph, node, 0);
        into.quantizedResult(node, operands, form, quantization, { kind: 'concat' });
      },
    },
  ],
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

/** The tensors that a node joins along the axis that is innermost in all of them, and what that makes. */
function joined(
  into: ReadValues,
  node: OnnxNode,
  positions: readonly number[],
  take: (position: number) => Activation,
): { readonly operands: readonly Activation[]; readonly form: Form } {
  const { source } = into.graph;
  if (positions.length === 0) throw nodeError(source, node, 'has no inputs');
  const taken = positions.map(take);
  const [{ dims }] = taken;
  const stated = intAttribute(source, node, 'axis', 1);
  const axis = stated < 0 ? stated + dims.length : stated;
  const fits = taken.every(
    (one) =>
      one.dims.length === dims.length &&
      one.dims.every((size, place) => place === axis || size === dims[place]),
  );
  if (!fits) {
    const shown = taken.map((one) => one.dims.join('×')).join(' and ');
    throw nodeError(
      source,
      node,
      `joins tensors of shapes ${excerpt(shown)}, which differ in more than one axis`,
    );
  }
  const areMaps = taken.some(({ layout }) => layout === 'channels-last') && axis === 1;
  if (!areMaps && axis !== dims.length - 1) into.cannot(node, `has axis = ${stated}`);
  const operands = positions.map((position) =>
    areMaps ? into.channelsLast(node, position) : into.rowMajor(node, position),
  );
  const size = taken.reduce((sum, one) => sum + one.dims[axis], 0);
  const layout = areMaps ? 'channels-last' : 'row-major';
  return { operands, form: { dims: dims.map((own, at) => (at === axis ? size : own)), layout } };
}
