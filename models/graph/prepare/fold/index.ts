import type { OnnxNode, OnnxTensor } from '../../../onnx/index.js';
import type { GraphScope, TensorType } from '../../graph.js';

/** Makes constants of a node's outputs, of the given types; undefined where it stays a node. */
export type Fold = (node: OnnxNode, outputs: readonly TensorType[]) => OnnxTensor[] | undefined;

export function createFolding(_scope: GraphScope): Fold {
  return () => undefined;
}
