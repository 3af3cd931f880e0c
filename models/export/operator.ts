import { ModelError } from '../../core/index.js';
import type { GraphBuilder } from '../graph/graph-builder.js';
import type { Layer } from '../network.js';
import { definitionOf } from '../operators/index.js';

/**
 * Adds the float32 operators of a layer without weights, from the values `inputs` to the value `output`.
 *
 * @throws ModelError naming the layer when its kind cannot be written
 */
export function addFloat32Operator(
  builder: GraphBuilder,
  layer: Layer,
  inputs: readonly string[],
  output: string,
): void {
  const { writeFloat32 } = definitionOf(layer);
  if (!writeFloat32) {
    throw new ModelError(
      `layer "${layer.name}" of kind ${layer.kind} cannot be written to an ONNX file; use the file that the network was read from`,
    );
  }
  writeFloat32(builder, layer, inputs, output);
}
