import type { OnnxGraph, OnnxValue } from '../../onnx/index.js';
import type { TensorType } from '../graph.js';
import type { Sample } from './sample.js';

/** What the file itself says of the types of values, with a batch of 1; without those of open sizes. */
export function statedTypes(
  { valueInfo = [], outputs }: OnnxGraph,
  inputs: readonly OnnxValue[],
  { symbols }: Sample,
): ReadonlyMap<string, TensorType> {
  const [batch] = inputs.flatMap(({ dims }) => dims?.slice(0, 1) ?? []);
  const types = new Map<string, TensorType>();
  for (const { name, elementType, dims } of [...valueInfo, ...outputs]) {
    if (!elementType || !dims) continue;
    const sizes = dims.map((size, axis) => {
      if (axis === 0 && size === batch) return 1;
      return typeof size === 'string' ? symbols.get(size) : size;
    });
    const known = sizes.filter((size) => size !== undefined);
    if (known.length < sizes.length || known.some((size) => size < 0)) continue;
    types.set(name, { elementType, dims: known });
  }
  return types;
}
