import { featureCount } from '../../core/index.js';
import { permuteAxes } from '../../kernels/index.js';
import { canBeChannelsLast, type Form } from '../graph/form.js';
import { permutationOf } from '../graph/prepare/forms/index.js';
import type { TransposeLayer } from '../network.js';
import type { OnnxNode } from '../onnx/index.js';
import type {
  LayerPlace,
  Operation,
  OperatorDefinition,
  ReadValues,
  TensorPlace,
} from './definition.js';

/** Axes in another order: what Transpose means, and what stands between the two layouts of tensors. */
export const transpose: OperatorDefinition<TransposeLayer> = {
  kind: 'transpose',
  moves: true,
  renumbers: true,
  joins: false,
  keepsChannels: false,
  readers: [{ domain: '', opType: 'Transpose', read }],
  float32: operation,
  int8: operation,
  vectorOperations: () => 0,
  isRectified: (_, [rectified]) => rectified,
};

function operation(
  { dims, order }: TransposeLayer,
  { inputs: [x], output }: LayerPlace<TensorPlace>,
): Operation {
  const length = featureCount(x.shape);
  return (images) =>
    permuteAxes(
      [images, ...dims],
      [0, ...order.map((axis) => axis + 1)],
      x.values.subarray(0, images * length),
      output.values,
    );
}

/** Axes of a value in the order in which its tensor stores them. */
function storedAxes({ dims, layout }: Form): number[] {
  const axes = [...dims.keys()];
  return layout === 'row-major' ? axes : [0, ...axes.slice(2), 1];
}

/** An order in which the tensor has the axes already, in one of the two layouts, is no layer. */
function read(into: ReadValues, node: OnnxNode): void {
  const x = into.activation(node, 0);
  const order = permutationOf(into.graph, node);
  const dims = order.map((axis) => x.dims[axis]);
  const stored = storedAxes(x);
  const forms: Form[] = [{ dims, layout: 'row-major' }];
  if (canBeChannelsLast({ dims })) forms.push({ dims, layout: 'channels-last' });
  const isStored = (form: Form) => {
    const moved = storedAxes(form).map((axis) => order[axis]);
    const long = (axis: number) => x.dims[axis] !== 1;
    return moved.filter(long).join() === stored.filter(long).join();
  };
  const found = forms.find(isStored);
  if (found) {
    into.alias(node, x, found);
    return;
  }
  const form: Form = { dims, layout: 'row-major' };
  into.result(node, [x], form, {
    kind: 'transpose',
    dims: stored.map((axis) => x.dims[axis]),
    order: storedAxes(form).map((axis) => stored.indexOf(order[axis])),
  });
}
