import { featureCount } from '../../core/index.js';
import { groupingAlong, placeOfExtreme } from '../../kernels/index.js';
import { argOf } from '../graph/prepare/forms/index.js';
import type { ArgLayer } from '../network.js';
import type { OperatorDefinition, OperatorReader } from './definition.js';
import { storedAxes, storedDims } from './operands.js';
import { reducedOperand } from './reduce.js';

/** ArgMax and ArgMin: places, of float32 numbers; onnxruntime finds the same ones in the stored values. */
export const arg: OperatorDefinition<ArgLayer> = {
  kind: 'arg',
  moves: false,
  joins: false,
  keepsChannels: false,
  readers: [reader('ArgMax', false), reader('ArgMin', true)],
  float32({ dims, axes, least, last }, { inputs: [x], output }) {
    const groups = groupingAlong(dims, axes);
    return (images) => placeOfExtreme(groups, { least, last }, x.values, output.values, images);
  },
  vectorOperations: (_, { inputs: [x] }) => featureCount(x),
  isRectified: () => true,
};

function reader(opType: string, least: boolean): OperatorReader {
  return {
    domain: '',
    opType,
    read(into, node) {
      const { axis, output, selectsLast } = argOf(into.graph, node);
      const { x, form } = reducedOperand(into, node, [axis], output);
      into.result(node, [x], form, {
        kind: 'arg',
        least,
        last: selectsLast,
        dims: storedDims(x),
        axes: storedAxes(x, [axis]),
      });
    },
  };
}
