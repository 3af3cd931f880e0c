/** A stretch of the window for all channels of a part. Laid out as in kernels/layouts.ts. */
@unmanaged
export class SumStretch {
  /** Gathered windows, from the first place of the stretch on, and the bytes from one window to the next. */
  windows: usize;
  windowBytes: i32;
  /** 32-bit words of weights of one channel: pairs of int16, or float32. */
  words: i32;
  /** First `panels` blocks [word][16 channels], then `quads` blocks [word][4 channels]. */
  weights: usize;
  panels: i32;
  quads: i32;
  /** One number a channel at which the sums start, or 0: at what is in `sums`. */
  bias: usize;
  /** First [panel][row][16], then [quad][row][4]; rows are output positions. */
  sums: usize;
  /** `SumRun`s, up to `runsEnd`. */
  runs: usize;
  runsEnd: usize;
  /** Whether most words end in masks: rows are then taken one by one. */
  dense: i32;
}

/** What a run does; numbered as in kernels/wasm/faulty-sums/program.ts. */
export const PLAIN: i32 = 0;
export const EACH_PRODUCT: i32 = 1;
export const EACH_AND: i32 = 2;
export const EACH_OR: i32 = 3;
export const EACH_XOR: i32 = 4;

/**
 * Words of weights that are used alike:
 * `PLAIN`: all products are added, then the sum passes one pair of masks;
 * `EACH_PRODUCT`: a word holds one product, which passes masks; it is added, and the sum passes masks;
 * otherwise a word holds one product, after which the sum passes masks. `EACH_AND`, `EACH_OR` and `EACH_XOR` have the
 * same masks at each word, of which one operation does all: and with the first, or or xor with the second.
 * Masks are pairs (and, xor), first of the product, then of the sum.
 */
@unmanaged
export class SumRun {
  kind: i32;
  words: i32;
  /** Bytes of the window that the last word of a plain run reads too many. */
  excess: i32;
  masks: usize;
  /** Bytes from the masks of one word to those of the next. */
  maskBytes: i32;
}

export const RUN_BYTES: usize = offsetof<SumRun>();
