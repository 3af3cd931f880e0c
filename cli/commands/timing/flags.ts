import type { CommonOptions } from '../../input/options.js';

/** Options of `bitcell timing`, parsed. */
export interface TimingFlags extends CommonOptions {
  readonly model: string;
  readonly topology?: string;
  readonly accelerator: string;
  readonly config?: string;
  readonly bandwidthModel?: string;
  readonly bandwidth?: readonly string[];
  readonly buffers?: readonly string[];
  readonly energy?: string;
}
