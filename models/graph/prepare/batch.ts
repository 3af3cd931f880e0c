import { excerpt, ModelError } from '../../../core/index.js';
import type { OnnxGraph, OnnxNode, OnnxTensor, OnnxValue } from '../../onnx/index.js';
import { type GraphResult, type GraphScope, isStandard } from '../graph.js';

/** The batch of more than one sample that a file is written for; undefined: it is open, or one sample. */
export function fixedBatch(inputs: readonly OnnxValue[]): number | undefined {
  const [batch] = inputs.flatMap(({ dims }) => dims?.slice(0, 1) ?? []);
  return typeof batch === 'number' && batch > 1 ? batch : undefined;
}

/** The shape of a Reshape to a fixed batch, for one sample; undefined where it is no such thing. */
export function sampleShape(
  scope: GraphScope,
  node: OnnxNode,
  batch: number,
): Extract<OnnxTensor, { elementType: 'int64' }> | undefined {
  if (!isStandard(node, 'Reshape')) return undefined;
  const shape = scope.constants.get(node.inputs[1]);
  const isOne = scope.types.get(node.inputs[0])?.dims[0] === 1;
  if (!isOne || shape?.elementType !== 'int64' || shape.data[0] !== BigInt(batch)) return undefined;
  return { ...shape, data: shape.data.with(0, 1n) };
}

/**
 * Fails unless the outputs of a file for a fixed batch are, for one sample, what the file states but for the batch: the
 * file then computes its samples apart.
 */
export function requireSampleOutputs(
  { outputs: stated }: OnnxGraph,
  outputs: readonly GraphResult[],
  scope: GraphScope,
  batch: number,
): void {
  for (const [index, { name, value }] of outputs.entries()) {
    const { dims } = stated[index];
    const found = scope.types.get(value)?.dims;
    if (!dims || !found || dims.some((size) => typeof size === 'string')) continue;
    const expected = dims.map((size, axis) => (axis === 0 && size === batch ? 1 : size));
    if (expected.length === found.length && expected.every((size, axis) => size === found[axis])) {
      continue;
    }
    throw new ModelError(
      `${scope.source} is written for ${batch} samples at once, and for one its output "${name}" would be [${excerpt(found.join(', '))}], not [${excerpt(expected.join(', '))}]; export it with a batch of 1 or an open batch`,
    );
  }
}
