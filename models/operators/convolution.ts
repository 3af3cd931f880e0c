import { mapForm } from '../graph/form.js';
import { convolutionShape } from '../graph/windows.js';
import type { ArrayLayer } from '../network.js';
import type { OnnxNode } from '../onnx/index.js';
import type { Activation, OperatorDefinition, ReadValues } from './definition.js';
import { type Product, readProduct, readQuantizedProduct, weightsOf } from './products.js';

/** Its products are computed on the array, by a kernel that the datapath gives it. */
export const convolution: OperatorDefinition<ArrayLayer> = {
  kind: 'convolution',
  moves: false,
  joins: false,
  keepsChannels: false,
  readers: [
    {
      domain: '',
      opType: 'Conv',
      read(into, node) {
        const weights = weightsOf(into, node, 1);
        const x = into.channelsLast(node, 0);
        const product = productOf(into, node, x, weights.tensor.dims);
        readProduct(into, node, x, weights, product);
      },
    },
    {
      domain: '',
      opType: 'QLinearConv',
      read(into, node) {
        readQuantizedProduct(
          into,
          node,
          { output: 6, bias: 8 },
          (x, dims) => productOf(into, node, x, dims),
          into.channelsLast,
        );
      },
    },
  ],
  vectorOperations: () => 0,
  isRectified: ({ relu }) => relu,
};

function productOf(
  into: ReadValues,
  node: OnnxNode,
  x: Activation,
  weightDims: readonly number[],
): Product {
  const shape = convolutionShape(into.graph, node, x, weightDims);
  const form = mapForm(shape.output, x.dims.length);
  return { kind: 'convolution', shape, form, transposed: false };
}
