import { featureCount } from '../../core/index.js';
import { groupingAlong, normalizeGroups, placesOf, rowMajorSteps } from '../../kernels/index.js';
import type { Form } from '../graph/form.js';
import { floatAttribute, intAttribute } from '../graph/graph.js';
import { axisOf } from '../graph/prepare/forms/index.js';
import type { NormalizeLayer } from '../network.js';
import type { OnnxNode } from '../onnx/index.js';
import type { Activation, OperatorDefinition, ReadValues } from './definition.js';
import { realOperand, storedAxes, storedDims, storedOrder } from './operands.js';

/**
 * LayerNormalization, InstanceNormalization and GroupNormalization, on float32 numbers alone: onnxruntime fuses none of
 * them with DequantizeLinear and QuantizeLinear.
 */
export const normalize: OperatorDefinition<NormalizeLayer> = {
  kind: 'normalize',
  moves: false,
  joins: false,
  keepsChannels: false,
  readers: [
    { domain: '', opType: 'LayerNormalization', read: readLayerNormalization },
    {
      domain: '',
      opType: 'InstanceNormalization',
      read(into, node) {
        const x = realOperand(into, node, 0);
        if (x.dims.length < 3) into.cannot(node, `takes ${x.dims.length} dimensions`);
        const channels = x.dims[1];
        const perChannel = (position: number) => parameter(into, node, position, channels);
        addLayer(into, node, x, {
          dims: storedDims(x),
          axes: storedAxes(x, [...x.dims.keys()].slice(2)),
          factors: perChannel(1),
          offsets: perChannel(2),
          steps: storedOrder(x).map((axis) => (axis === 1 ? 1 : 0)),
        });
      },
    },
    { domain: '', opType: 'GroupNormalization', read: readGroupNormalization },
  ],
  float32({ dims, axes, epsilon, factors, offsets, steps }, { inputs: [x], output }) {
    const normalization = {
      groups: groupingAlong(dims, axes),
      parameterOf: placesOf(dims, steps),
      ...{ epsilon, factors, offsets },
    };
    return (images) => normalizeGroups(normalization, x.values, output.values, images);
  },
  // Sum, square and its sum, difference, two factors, offset.
  vectorOperations: (_, { output }) => featureCount(output) * 7,
};

function addLayer(
  into: ReadValues,
  node: OnnxNode,
  x: Activation,
  parts: Pick<NormalizeLayer, 'dims' | 'axes' | 'factors' | 'offsets' | 'steps'>,
): void {
  const epsilon = floatAttribute(into.graph.source, node, 'epsilon', Math.fround(1e-5));
  into.result(node, [x], x, { kind: 'normalize', epsilon, ...parts });
}

/** A constant input of so many values. */
function parameter(
  into: ReadValues,
  node: OnnxNode,
  position: number,
  length: number,
): Float32Array {
  const constant = into.constant(node, position);
  if (!constant) into.cannot(node, `computes "${node.inputs[position]}"`);
  if (constant.data.length !== length) {
    into.cannot(node, `has ${constant.data.length} values "${constant.name}" for ${length}`);
  }
  return constant.data;
}

/** Along all axes from `axis` on, with a factor and an offset for each place in them. */
function readLayerNormalization(into: ReadValues, node: OnnxNode): void {
  if (node.outputs.slice(1).some((name) => name !== '')) into.cannot(node, 'gives its mean, too');
  const x = realOperand(into, node, 0);
  const axis = axisOf(into.graph, node, x.dims.length, -1);
  const axes = [...x.dims.keys()].slice(axis);
  const normalized = x.dims.slice(axis);
  const length = normalized.reduce((product, size) => product * size, 1);
  const isOffset = Boolean(node.inputs[2]);
  addLayer(into, node, x, {
    dims: storedDims(x),
    axes: storedAxes(x, axes),
    factors: parameter(into, node, 1, length),
    offsets: isOffset ? parameter(into, node, 2, length) : new Float32Array(length),
    steps: inStoredOrder(x, [...x.dims.slice(0, axis).map(() => 0), ...rowMajorSteps(normalized)]),
  });
}

function inStoredOrder(form: Form, steps: readonly number[]): number[] {
  return storedOrder(form).map((axis) => steps[axis]);
}

/** Channels in groups; factors and offsets are one for each group up to operator set 20, and then for each channel. */
function readGroupNormalization(into: ReadValues, node: OnnxNode): void {
  const { graph } = into;
  const x = into.channelsLast(node, 0);
  const [, channels, ...spatial] = x.dims;
  const groups = intAttribute(graph.source, node, 'num_groups', 1);
  if (!(groups >= 1) || channels % groups !== 0) {
    into.cannot(node, `has ${groups} groups of ${channels} channels`);
  }
  const perGroup = channels / groups;
  const length = graph.opset < 21 ? groups : channels;
  const step = channels / length === 1 ? [perGroup, 1] : [1, 0];
  const positions = spatial.reduce((product, size) => product * size, 1);
  addLayer(into, node, x, {
    dims: [positions, groups, perGroup],
    axes: [0, 2],
    factors: parameter(into, node, 1, length),
    offsets: parameter(into, node, 2, length),
    steps: [0, ...step],
  });
}
