import type { Float32Clip, Int8Clip } from '../../kernels/index.js';

/** What stands between accumulator and requantisation in one layer; undefined: nothing. */
export type ActivationUnit =
  | { readonly format: 'int8'; readonly clip: Int8Clip }
  | { readonly format: 'float32'; readonly clip: Float32Clip };
