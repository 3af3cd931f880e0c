import { flatten as flattenStored } from '../../kernels/index.js';
import { int } from '../graph/attributes.js';
import { elementCount, vectorForm } from '../graph/form.js';
import { onlyOutput, typeOf } from '../graph/graph.js';
import type { FlattenLayer } from '../network.js';
import type { OnnxNode } from '../onnx/index.js';
import type {
  LayerPlace,
  Operation,
  OperatorDefinition,
  ReadValues,
  TensorPlace,
} from './definition.js';

export const flatten: OperatorDefinition<FlattenLayer> = {
  kind: 'flatten',
  moves: true,
  renumbers: true,
  joins: false,
  keepsChannels: true,
  readers: ['Flatten', 'Reshape', 'Squeeze', 'Unsqueeze'].map((opType) => ({
    domain: '',
    opType,
    read,
  })),
  float32: operation,
  int8: operation,
  vectorOperations: () => 0,
  isRectified: (_, [rectified]) => rectified,
  canFollow: () => true,
  follow: (_, kernels, input) => kernels.flatten(input),
  writeFloat32(to, { name }, inputs, output) {
    to.node('Flatten', inputs, output, { name, attributes: { axis: int(1) } });
  },
};

function operation(_: FlattenLayer, { inputs: [x], output }: LayerPlace<TensorPlace>): Operation {
  return (images) => flattenStored(x.shape, x.values, output.values, images);
}

/** Other dimensions of the same values: a layer where a map becomes a vector, and otherwise none. */
function read(into: ReadValues, node: OnnxNode): void {
  const { dims } = typeOf(into.graph, onlyOutput(into.graph.source, node));
  const x = into.activation(node, 0);
  const isVector = dims.length === 2 && dims[0] === 1;
  if (isVector && x.layout === 'channels-last') {
    into.result(node, [x], vectorForm(elementCount(dims)), { kind: 'flatten' });
    return;
  }
  const layout = isVector ? 'channels-last' : 'row-major';
  into.alias(node, into.rowMajor(node, 0), { dims, layout });
}
