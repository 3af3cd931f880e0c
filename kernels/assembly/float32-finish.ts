/** Values of CLIP_CODES in kernels/wasm/descriptors.ts; 0 means no clip. */
const CLIP_ZERO = 1;
const CLAMP = 2;

/** Fields in the order of `float32FinishDescriptor` in kernels/wasm/float32-descriptors.ts. */
@unmanaged
export class Float32FinishDescriptor {
  channels: i32;
  clip: i32;
  thresholds: usize;
  relu: i32;
}

/** Four sums after clip and ReLU. */
export function finishVector(sum: v128, threshold: v128, clip: i32, relu: i32): v128 {
  if (clip == CLIP_ZERO) sum = v128.and(sum, f32x4.le(sum, threshold));
  else if (clip == CLAMP) sum = v128.bitselect(threshold, sum, f32x4.gt(sum, threshold));
  // Not x > 0, so that NaN stays.
  return relu ? v128.andnot(sum, f32x4.le(sum, f32x4.splat(0))) : sum;
}

function finishValue(sum: f32, threshold: f32, clip: i32, relu: i32): f32 {
  if (clip == CLIP_ZERO) sum = sum <= threshold ? sum : 0;
  else if (clip == CLAMP) sum = sum > threshold ? threshold : sum;
  return relu && sum <= 0 ? 0 : sum;
}

/**
 * Clips rows of sums, applies the ReLU and stores the outputs, channels innermost. Sums and outputs may be
 * the same memory.
 * @param sumBytes from one row of sums to the next
 * @param outputBytes from one row of outputs to the next
 */
export function finishFloat32Rows(
  d: Float32FinishDescriptor,
  sums: usize,
  sumBytes: usize,
  output: usize,
  outputBytes: usize,
  rows: i32,
): void {
  const clip = d.clip;
  const relu = d.relu;
  const thresholds = d.thresholds;
  const end = (<usize>d.channels) << 2;
  for (let row = 0; row < rows; row++) {
    let offset: usize = 0;
    for (; offset + 16 <= end; offset += 16) {
      const sum = v128.load(sums + offset);
      const threshold = v128.load(thresholds + offset);
      v128.store(output + offset, finishVector(sum, threshold, clip, relu));
    }
    for (; offset < end; offset += 4) {
      const sum = load<f32>(sums + offset);
      store<f32>(output + offset, finishValue(sum, load<f32>(thresholds + offset), clip, relu));
    }
    sums += sumBytes;
    output += outputBytes;
  }
}

/**
 * Finishes rows of 16 sums and stores them at `count` channels scattered over the outputs.
 * @param list numbers of the channels
 */
export function scatterFloat32Channels(
  d: Float32FinishDescriptor,
  sums: usize,
  output: usize,
  rows: i32,
  list: usize,
  count: i32,
): void {
  const rowBytes = (<usize>d.channels) << 2;
  for (let row = 0; row < rows; row++) {
    for (let i: usize = 0; i < <usize>count; i++) {
      const offset = (<usize>load<i32>(list + (i << 2))) << 2;
      const threshold = load<f32>(d.thresholds + offset);
      const sum = load<f32>(sums + (i << 2));
      store<f32>(output + offset, finishValue(sum, threshold, d.clip, d.relu));
    }
    sums += 64;
    output += rowBytes;
  }
}

/**
 * Copies `count` (at most 16) channels of packed panels [depth][16] into the columns of one panel; the
 * other columns stay as they are.
 * @param list numbers of the channels
 */
export function collectFloat32Channels(
  panel: usize,
  packed: usize,
  depth: i32,
  list: usize,
  count: i32,
): void {
  const panelBytes = (<usize>depth) << 6;
  for (let i: usize = 0; i < <usize>count; i++) {
    const channel = load<i32>(list + (i << 2));
    let source = packed + <usize>(channel >> 4) * panelBytes + ((<usize>(channel & 15)) << 2);
    let target = panel + (i << 2);
    for (const end = source + panelBytes; source < end; source += 64, target += 64) {
      store<u32>(target, load<u32>(source));
    }
  }
}

/** Whether one of `count` float32 values has a magnitude above `limit` (its bits), or is NaN. */
export function exceedsFloat32(values: usize, count: i32, limit: i32): i32 {
  const magnitude = i32x4.splat(0x7fffffff);
  const end = values + ((<usize>count) << 2);
  let largest = i32x4.splat(0);
  for (; values + 16 <= end; values += 16) {
    largest = i32x4.max_s(largest, v128.and(v128.load(values), magnitude));
  }
  let exceeds: i32 = v128.any_true(i32x4.gt_s(largest, i32x4.splat(limit))) ? 1 : 0;
  for (; values < end; values += 4) {
    if ((load<i32>(values) & 0x7fffffff) > limit) exceeds = 1;
  }
  return exceeds;
}
