/** Values of CLIP_CODES in kernels/wasm/descriptors.ts; 0 means no clip. */
const CLIP_ZERO = 1;
const CLAMP = 2;

/** Fields in the order of `int8FinishDescriptor` in kernels/wasm/descriptors.ts. */
@unmanaged
class Int8FinishDescriptor {
  channels: i32;
  /** Bytes from one row of accumulators to the next. */
  rowStride: i32;
  clip: i32;
  thresholds: usize;
  multipliers: usize;
  zeroPoint: i32;
  low: i32;
  high: i32;
}

/**
 * Clip int32 accumulators, requantise them and store uint8 outputs, channels innermost. Reads whole
 * groups of 16 channels, which accumulators, multipliers and thresholds are padded to, and overwrites
 * accumulators of a last, partial group.
 */
export function requantize(
  d: Int8FinishDescriptor,
  accumulators: usize,
  output: usize,
  rows: i32,
): void {
  const zeroPoint = i32x4.splat(d.zeroPoint);
  const low = f32x4.splat(<f32>(d.low - d.zeroPoint));
  const high = f32x4.splat(<f32>(d.high - d.zeroPoint));
  for (let row = 0; row < rows; row++) {
    for (let channel = 0; channel < d.channels; channel += 16) {
      const offset = (<usize>channel) << 2;
      const bytes = i8x16.narrow_i16x8_u(
        i16x8.narrow_i32x4_s(
          requantizeFour(d, accumulators, offset, low, high, zeroPoint),
          requantizeFour(d, accumulators, offset + 16, low, high, zeroPoint),
        ),
        i16x8.narrow_i32x4_s(
          requantizeFour(d, accumulators, offset + 32, low, high, zeroPoint),
          requantizeFour(d, accumulators, offset + 48, low, high, zeroPoint),
        ),
      );
      const count = d.channels - channel;
      if (count >= 16) {
        v128.store(output, bytes);
        output += 16;
      } else {
        // These accumulators are spent: their place holds the bytes of which only `count` are outputs.
        v128.store(accumulators + offset, bytes);
        for (let i = 0; i < count; i++) store<u8>(output++, load<u8>(accumulators + offset + i));
      }
    }
    accumulators += d.rowStride;
  }
}

function requantizeFour(
  d: Int8FinishDescriptor,
  accumulators: usize,
  offset: usize,
  low: v128,
  high: v128,
  zeroPoint: v128,
): v128 {
  let sum = v128.load(accumulators + offset);
  if (d.clip == CLIP_ZERO) {
    sum = v128.andnot(sum, i32x4.gt_s(sum, v128.load(d.thresholds + offset)));
  } else if (d.clip == CLAMP) {
    sum = i32x4.min_s(sum, v128.load(d.thresholds + offset));
  }
  const scaled = f32x4.mul(f32x4.convert_i32x4_s(sum), v128.load(d.multipliers + offset));
  const rounded = f32x4.pmin(high, f32x4.pmax(low, f32x4.nearest(scaled)));
  return i32x4.add(i32x4.trunc_sat_f32x4_s(rounded), zeroPoint);
}
