import type { OnnxNode, OnnxTensor } from '../../../onnx/index.js';
import type { GraphScope } from '../../graph.js';
import { inputType, type PadForm, sizeOf } from '../forms/index.js';
import { stridesOf } from './elements.js';
import { MOVING } from './moving.js';

/**
 * Where each element of a node's outputs comes from: its place in the first input, row-major; what folding makes of a
 * constant that holds its own places.
 *
 * @param node one that has a rule among `MOVING`, whose other inputs are constants
 * @param outputs dimensions of its outputs
 * @returns for each output, or undefined where the rule gives nothing
 */
export function placesOf(
  scope: GraphScope,
  node: OnnxNode,
  outputs: readonly (readonly number[])[],
): readonly Int32Array[] | undefined {
  const { dims } = inputType(scope, node, 0);
  const data = Int32Array.from({ length: sizeOf(dims) }, (_, place) => place);
  const places: OnnxTensor = { name: node.inputs[0], elementType: 'int32', dims, data };
  const others = node.inputs.slice(1).map((name) => scope.constants.get(name));
  const types = outputs.map((of) => ({ elementType: 'int32' as const, dims: of }));
  const moved = MOVING[node.opType]({ scope, node, inputs: [places, ...others], outputs: types });
  return moved as readonly Int32Array[] | undefined;
}

/** For each index of a padded axis the index that its values come from; −1: the constant. */
const PADDED: Readonly<Record<string, (index: number, size: number) => number>> = {
  constant: (index, size) => (index >= 0 && index < size ? index : -1),
  edge: (index, size) => Math.max(0, Math.min(size - 1, index)),
  reflect(index, size) {
    if (size === 1) return 0;
    const period = 2 * (size - 1);
    const place = ((index % period) + period) % period;
    return place < size ? place : period - place;
  },
  wrap: (index, size) => ((index % size) + size) % size,
};

/**
 * The same of a Pad, −1 standing for its constant.
 *
 * @returns undefined for a mode that there is not, or one that repeats values of an axis without any
 */
export function paddedPlaces(
  dims: readonly number[],
  { before, after, mode }: Omit<PadForm, 'value'>,
): Int32Array | undefined {
  const indexOf = Object.hasOwn(PADDED, mode) ? PADDED[mode] : undefined;
  if (!indexOf || (mode !== 'constant' && dims.includes(0))) return undefined;
  const strides = stridesOf(dims);
  let places = Int32Array.of(0);
  for (const [axis, size] of dims.entries()) {
    const length = size + before[axis] + after[axis];
    const next = new Int32Array(places.length * length);
    for (const [outer, place] of places.entries()) {
      for (let index = 0; index < length; index += 1) {
        const from = indexOf(index - before[axis], size);
        next[outer * length + index] = place < 0 || from < 0 ? -1 : place + from * strides[axis];
      }
    }
    places = next;
  }
  return places;
}
