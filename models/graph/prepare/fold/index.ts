import type { OnnxNode, OnnxTensor } from '../../../onnx/index.js';
import { type GraphScope, isStandard, type TensorType } from '../../graph.js';
import { sizeOf } from '../forms/index.js';
import { CASTS } from './cast.js';
import type { Elements, FoldRules } from './elements.js';
import { ELEMENTWISE } from './elementwise.js';
import { LOGIC } from './logic.js';
import { MOVING } from './moving.js';
import { REDUCTIONS } from './reductions.js';

/** Rules of the standard operators. QuantizeLinear and DequantizeLinear have none: their nodes say how weights are stored. */
const RULES: FoldRules = { ...MOVING, ...ELEMENTWISE, ...LOGIC, ...CASTS, ...REDUCTIONS };

/** Elements that folding may make, and that it may read or write, beside so many for each element of an initialiser. */
const MADE = { base: 2 ** 25, each: 4 };
const TOUCHED = { base: 2 ** 27, each: 16 };

/** Makes constants of a node's outputs, of the given types; undefined where it stays a node. */
export type Fold = (node: OnnxNode, outputs: readonly TensorType[]) => OnnxTensor[] | undefined;

/**
 * Folds nodes whose inputs are constants, and shapes of any values. What it makes and how much it computes is bounded
 * by the size of the initialisers; a node beyond that stays a node.
 */
export function createFolding(scope: GraphScope): Fold {
  const given = [...scope.constants.values()].reduce((sum, { data }) => sum + data.length, 0);
  let made = MADE.base + MADE.each * given;
  let touched = TOUCHED.base + TOUCHED.each * given;

  return (node, outputs) => {
    if (node.domain !== '' || !Object.hasOwn(RULES, node.opType)) return undefined;
    const inputs = node.inputs.map((name) => scope.constants.get(name));
    const readsDims = isStandard(node, 'Shape') || isStandard(node, 'Size');
    if (!readsDims) {
      if (inputs.every((tensor) => tensor === undefined)) return undefined;
      const isOpen = node.inputs.some((name, index) => name !== '' && !inputs[index]);
      if (isOpen || inputs.some((tensor) => tensor?.absent)) return undefined;
    }
    const size = outputs.reduce((sum, { dims }) => sum + sizeOf(dims), 0);
    const read = inputs.reduce((sum, tensor) => sum + (tensor?.data.length ?? 0), 0);
    // A node takes its time, too, when its tensors are empty.
    const work = size + (readsDims ? 0 : read) + 100;
    if (size > made || work > touched) return undefined;
    touched -= work;
    const elements = RULES[node.opType]({ scope, node, inputs, outputs });
    if (!elements) return undefined;
    made -= size;
    return outputs.map((type, index) => constant(node.outputs[index], type, elements[index]));
  };
}

function constant(name: string, { elementType, dims }: TensorType, data: Elements): OnnxTensor {
  // A rule makes elements of the type that the shape rules state.
  return { name, elementType, dims, data } as unknown as OnnxTensor;
}
