import type { InputFile } from '../../../workload/index.js';
import type { CommonOptions } from '../../input/options.js';

/** Options of `bitcell timing`, parsed. */
export interface TimingFlags extends CommonOptions {
  readonly model: string;
  readonly input?: readonly InputFile[];
  readonly inputShape?: ReadonlyMap<string, readonly number[]>;
  readonly topology?: string;
  readonly accelerator: string;
  readonly config?: string;
  readonly bandwidthModel?: string;
  readonly bandwidth?: readonly string[];
  readonly buffers?: readonly string[];
  readonly energy?: string;
}
