import type { ProgressListener } from '../../core/index.js';
import type { LayerThresholds, NetworkClip } from '../../mitigation/index.js';
import type { Int8Network, NetworkGraph } from '../../models/index.js';
import type { Accelerator } from '../../sim/index.js';
import type { Workload } from '../../workload/index.js';
import type { Difference } from './differ.js';

/** What became of one case. */
export interface CaseResult {
  readonly name: string;
  readonly images: number;
  /** Tensors compared. */
  readonly layers: number;
  /** Values compared. */
  readonly values: number;
  /** Values that differ, and must not differ so. */
  readonly mismatches: number;
  /** Values behind groups that onnxruntime ran in float32 (or of such a level) that differ within the step rule. */
  readonly steps: number;
  /** Final outputs that are others in the file in which the inner tensors are outputs, too. */
  readonly exposingChanges: number;
  /** The first mismatch in network order, in the first images that show it. */
  readonly first: Difference | undefined;
  /** Groups that onnxruntime ran in float32. */
  readonly unfused: readonly string[];
  /** Why nothing was compared, such as that onnxruntime does not load the file. */
  readonly refused?: string;
}

/** A case that was not compared, and why. */
export function refusedCase(name: string, refused: string): CaseResult {
  const counts = { layers: 0, values: 0, mismatches: 0, steps: 0, exposingChanges: 0 };
  return { name, images: 0, ...counts, first: undefined, unfused: [], refused };
}

/** What a verification needs. */
export interface VerifyOptions {
  readonly network: Int8Network;
  /** The ONNX file that the network was read from. */
  readonly file: Uint8Array;
  /** The network as it was read, with the parts of that file. */
  readonly graph: NetworkGraph;
  /** Reads another file as that one was read. */
  readonly read: (file: Uint8Array) => NetworkGraph;
  readonly accelerator: Accelerator;
  /** Of the profile. */
  readonly thresholds: LayerThresholds;
  /** Those that a search found, if there are some. */
  readonly tuned?: LayerThresholds | undefined;
  /** One more clip, by the name of its mitigation. */
  readonly given?: { readonly name: string; readonly clip: NetworkClip } | undefined;
  readonly workload: Workload;
  /** The first so many of its samples. */
  readonly images: number;
  /** Threads of onnxruntime. */
  readonly threads: number;
  /** Steps are images compared. */
  readonly onProgress?: ProgressListener;
}
