import type { OnnxNode } from '../onnx/index.js';

/** A node that is sound, but that no layer can stand for: it is computed on the host, or refused. */
export class NotSimulated extends Error {
  override name = 'NotSimulated';

  /** @param reason what stands in the way, in words that follow the node: "has axis = 3" */
  constructor(
    readonly node: OnnxNode,
    readonly reason: string,
  ) {
    super(reason);
  }
}
