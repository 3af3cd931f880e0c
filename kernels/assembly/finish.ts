/** Values of CLIP_CODES in kernels/wasm/descriptors.ts; 0 means no clip. */
const CLIP_ZERO = 1;
const CLAMP = 2;

/** 1.5 · 2^23: what a small float32 is added to so that it is rounded to an integer, halves to even. */
const ROUNDING: f32 = 12582912;

/** Bits of `ROUNDING`; those of `ROUNDING` + n, |n| < 2^22, are n more. */
const ROUNDING_BITS: i32 = 0x4b400000;

/** Laid out as in kernels/layouts.ts. */
@unmanaged
export class Int8FinishDescriptor {
  channels: i32;
  /** Bytes from one row of accumulators to the next. */
  rowStride: i32;
  clip: i32;
  thresholds: usize;
  multipliers: usize;
  zeroPoint: i32;
  low: i32;
  high: i32;
  /** Bytes from the thresholds of one output position to those of the next; 0: all positions share them. */
  thresholdStride: i32;
  /** Output positions of an image. */
  positions: i32;
}

/**
 * Clip int32 accumulators, requantise them and store uint8 outputs, channels innermost. Reads whole
 * groups of 16 channels, which accumulators, multipliers and thresholds are padded to, and overwrites
 * accumulators of a last, partial group. Rows are image-major output positions from `firstRow` on.
 */
export function requantize(
  d: Int8FinishDescriptor,
  accumulators: usize,
  output: usize,
  firstRow: i32,
  rows: i32,
): void {
  let position = firstRow % d.positions;
  for (let row = 0; row < rows; row++) {
    requantizeRow(d, accumulators, position, 0, d.channels, output);
    if (++position == d.positions) position = 0;
    accumulators += d.rowStride;
    output += d.channels;
  }
}

/** One output position; its channels start `firstChannel` bytes into the vectors of a value a channel. */
export function requantizeRow(
  d: Int8FinishDescriptor,
  accumulators: usize,
  position: i32,
  firstChannel: usize,
  channels: i32,
  output: usize,
): void {
  const zeroPoint = i32x4.splat(ROUNDING_BITS - d.zeroPoint);
  const low = f32x4.splat(<f32>(d.low - d.zeroPoint));
  const high = f32x4.splat(<f32>(d.high - d.zeroPoint));
  const clip = d.clip;
  const multipliers = d.multipliers + firstChannel;
  const thresholds = d.thresholds + <usize>(position * d.thresholdStride) + firstChannel;
  for (let channel = 0; channel < channels; channel += 16) {
    const offset = (<usize>channel) << 2;
    const sums = accumulators + offset;
    const factors = multipliers + offset;
    const limits = thresholds + offset;
    const bytes = i8x16.narrow_i16x8_u(
      i16x8.narrow_i32x4_s(
        Inline.requantizeFour(sums, factors, limits, clip, low, high, zeroPoint),
        Inline.requantizeFour(sums + 16, factors + 16, limits + 16, clip, low, high, zeroPoint),
      ),
      i16x8.narrow_i32x4_s(
        Inline.requantizeFour(sums + 32, factors + 32, limits + 32, clip, low, high, zeroPoint),
        Inline.requantizeFour(sums + 48, factors + 48, limits + 48, clip, low, high, zeroPoint),
      ),
    );
    const count = channels - channel;
    if (count >= 16) {
      v128.store(output, bytes);
      output += 16;
    } else {
      // These accumulators are spent: their place holds the bytes of which only `count` are outputs.
      v128.store(sums, bytes);
      for (let i = 0; i < count; i++) store<u8>(output++, load<u8>(sums + i));
    }
  }
}

/** Functions whose code is copied to each call: constants then fold into it. */
class Inline {
  @inline
  static requantizeFour(
    sums: usize,
    multipliers: usize,
    thresholds: usize,
    clip: i32,
    low: v128,
    high: v128,
    zeroPoint: v128,
  ): v128 {
    let sum = v128.load(sums);
    if (clip == CLIP_ZERO) sum = v128.andnot(sum, i32x4.gt_s(sum, v128.load(thresholds)));
    else if (clip == CLAMP) sum = i32x4.min_s(sum, v128.load(thresholds));
    const scaled = f32x4.mul(f32x4.convert_i32x4_s(sum), v128.load(multipliers));
    const clamped = f32x4.pmin(high, f32x4.pmax(low, scaled));
    return i32x4.sub(f32x4.add(clamped, f32x4.splat(ROUNDING)), zeroPoint);
  }
}
