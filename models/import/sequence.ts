import { ModelError } from '../../core/index.js';
import type { Layer } from '../network.js';
import type { ImportGraph } from './graph.js';

/** Checks that the layers form one chain from the input to the output. */
export function requireSequence(
  graph: ImportGraph,
  layers: readonly Layer[],
  input: number,
  output: number,
): void {
  let last = input;
  for (const layer of layers) {
    if (layer.input !== last) {
      throw new ModelError(
        `${graph.source}: layer "${layer.name}" branches off, but Bitcell reads only sequences of layers`,
      );
    }
    last = layer.output;
  }
  if (last !== output) {
    throw new ModelError(
      `${graph.source}: the output "${graph.output.name}" is not the last layer's, but Bitcell reads only sequences of layers`,
    );
  }
  if (layers.length === 0) throw new ModelError(`${graph.source} has no layers`);
}
