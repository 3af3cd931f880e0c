import { featureCount } from '../../core/index.js';
import { affineFloat32 } from '../../kernels/index.js';
import { float } from '../graph/attributes.js';
import { normalizationFactors } from '../graph/batch-normalization.js';
import { shapeOf } from '../graph/form.js';
import type { AffineLayer } from '../network.js';
import type { OnnxNode } from '../onnx/index.js';
import type { JoinableProduct, OperatorDefinition, ReadValues } from './definition.js';
import { productOf } from './join.js';

/** Batch normalisation that no weights take up; what they do is read with the layer before it. */
export const affine: OperatorDefinition<AffineLayer> = {
  kind: 'affine',
  moves: false,
  joins: false,
  keepsChannels: true,
  readers: [{ domain: '', opType: 'BatchNormalization', read }],
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

/** Folded into the float32 weights before it, or a layer of its own. */
function read(into: ReadValues, node: OnnxNode): void {
  const { graph } = into;
  // Of rows of features, the channels of a product are not those that are normalised.
  const areChannels = into.activation(node, 0).layout === 'channels-last';
  const x = into.channelsLast(node, 0);
  const { factors, offsetOf } = normalizationFactors(
    graph,
    node,
    shapeOf(x).channels,
    (position, role) =>
      into.constant(node, position) ?? into.cannot(node, `has a ${role} that is not constant`),
  );
  const array = areChannels ? foldable(into, productOf(into.before(node, 0))) : undefined;
  if (!array) {
    into.result(node, [x], x, {
      kind: 'affine',
      factors: Float32Array.from(factors),
      offsets: Float32Array.from(factors, (_, channel) => offsetOf(channel, 0)),
    });
    return;
  }
  const window = array.weights.length / factors.length;
  const source = graph.weightSources.get(array.weights);
  const weights = array.weights.map(
    (weight, index) => weight * factors[Math.floor(index / window)],
  );
  if (source) graph.weightSources.set(weights, source);
  const bias = array.bias.map((value, channel) => offsetOf(channel, value));
  into.join(node, 0, { ...array, weights, bias });
}

/** The layer, if its weights are float32 numbers of its own, without an activation function behind them. */
function foldable(into: ReadValues, layer: JoinableProduct | undefined) {
  if (!layer || 'scales' in layer) return undefined;
  const source = into.graph.weightSources.get(layer.weights);
  return layer.relu || (source && into.isUnfoldable(source.key)) ? undefined : layer;
}
