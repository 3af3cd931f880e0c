import type { ElementType } from '../onnx/index.js';
import type { JoiningLayer } from './base.js';

/** A value that passes between the simulation and a sub-graph that onnxruntime computes. */
export interface IslandValue {
  /** Its name in the sub-graph. */
  readonly name: string;
  readonly elementType: ElementType;
  /** In the file's order, for one sample. */
  readonly dims: readonly number[];
}

/** How a tensor stores a value of the file: with its channels innermost, or in the file's own order of axes. */
export type Layout = 'channels-last' | 'row-major';

/**
 * A part of the graph that is not simulated: onnxruntime computes it on the host. The output tensor holds all results
 * one behind the other, row-major; `part` layers take them apart where there are several.
 */
export interface IslandLayer extends JoiningLayer {
  readonly kind: 'island';
  /** The ONNX file of the sub-graph, for one sample. */
  readonly model: Uint8Array;
  /** One for each of `inputs`. */
  readonly feeds: readonly (IslandValue & { readonly layout: Layout })[];
  readonly fetches: readonly IslandValue[];
  /** Why its nodes are not simulated. */
  readonly reasons: readonly { readonly node: string; readonly reason: string }[];
  /** Bytes of all values that its nodes make for one sample. */
  readonly bytes: number;
  /** Whether the sub-graph computes many samples along the first axis of all values as it computes each. */
  readonly batched: boolean;
}
