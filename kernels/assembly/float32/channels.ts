import { Float32FinishDescriptor, finishValue } from './finish';

/**
 * Finishes rows of 16 sums and stores them at `count` channels scattered over the outputs.
 * @param list numbers of the channels
 * @param position output position of the first row, within its image
 */
export function scatterFloat32Channels(
  d: Float32FinishDescriptor,
  sums: usize,
  output: usize,
  rows: i32,
  list: usize,
  count: i32,
  position: i32,
): void {
  const rowBytes = (<usize>d.channels) << 2;
  for (let row = 0; row < rows; row++) {
    const thresholds = d.thresholds + <usize>(position * d.thresholdStride);
    for (let i: usize = 0; i < <usize>count; i++) {
      const offset = (<usize>load<i32>(list + (i << 2))) << 2;
      const threshold = load<f32>(thresholds + offset);
      const sum = load<f32>(sums + (i << 2));
      store<f32>(output + offset, finishValue(sum, threshold, d.clip, d.relu));
    }
    sums += 64;
    output += rowBytes;
    if (++position == d.positions) position = 0;
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
