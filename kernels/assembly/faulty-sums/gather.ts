import { GatherDescriptor, gatherWindow } from '../gather';

/**
 * Windows of some output positions, in the order ky, kx, input channel, as `gatherUint8` makes them.
 *
 * @param positions `count` of each image: u32 y · output width + x
 * @param firstRow rows count image-major positions
 */
export function gatherPositionsUint8(
  descriptor: GatherDescriptor,
  input: usize,
  block: usize,
  positions: usize,
  count: i32,
  firstRow: i32,
  rows: i32,
  group: i32,
): void {
  gatherPositions<u8>(descriptor, input, block, positions, count, firstRow, rows, group);
}

/** As `gatherPositionsUint8`, as `gatherFloat32` makes them. */
export function gatherPositionsFloat32(
  descriptor: GatherDescriptor,
  input: usize,
  block: usize,
  positions: usize,
  count: i32,
  firstRow: i32,
  rows: i32,
  group: i32,
): void {
  gatherPositions<f32>(descriptor, input, block, positions, count, firstRow, rows, group);
}

function gatherPositions<T>(
  d: GatherDescriptor,
  input: usize,
  block: usize,
  positions: usize,
  count: i32,
  firstRow: i32,
  rows: i32,
  group: i32,
): void {
  const imageBytes = <usize>(d.inputHeight * d.inputWidth * d.inputChannels) * sizeof<T>();
  let image = input + <usize>(firstRow / count) * imageBytes;
  image += <usize>(group * d.groupChannels) * sizeof<T>();
  let next = firstRow % count;
  for (let row = 0; row < rows; row++) {
    const position = load<i32>(positions + ((<usize>next) << 2));
    gatherWindow<T>(d, image, block, position / d.outputWidth, position % d.outputWidth);
    block += d.rowStride;
    if (++next == count) {
      next = 0;
      image += imageBytes;
    }
  }
}

/**
 * Windows of some output positions as int16, zero point subtracted, padding 0, in the order input channel, ky, kx. Up to
 * 14 bytes past a window are written.
 *
 * @param taps room for an address a tap
 * @param padding a pixel of zero points
 */
export function gatherChannels(
  d: GatherDescriptor,
  input: usize,
  block: usize,
  positions: usize,
  count: i32,
  firstRow: i32,
  rows: i32,
  group: i32,
  taps: usize,
  padding: usize,
): void {
  const imageBytes = <usize>(d.inputHeight * d.inputWidth * d.inputChannels);
  let image = input + <usize>(firstRow / count) * imageBytes + <usize>(group * d.groupChannels);
  let next = firstRow % count;
  const tapCount = d.kernelHeight * d.kernelWidth;
  for (let row = 0; row < rows; row++) {
    const position = load<i32>(positions + ((<usize>next) << 2));
    findTaps(d, image, position / d.outputWidth, position % d.outputWidth, taps, padding);
    let target = block;
    for (let channel = 0; channel < d.groupChannels; channel += 8) {
      const channels = min(d.groupChannels - channel, 8);
      copyChannels(taps, tapCount, channel, channels, target, d.zeroPoint);
      target += (<usize>tapCount) << 4;
    }
    block += d.rowStride;
    if (++next == count) {
      next = 0;
      image += imageBytes;
    }
  }
}

/** The address of the first channel of each tap of a window. */
function findTaps(
  d: GatherDescriptor,
  image: usize,
  outputY: i32,
  outputX: i32,
  taps: usize,
  padding: usize,
): void {
  // Stores of addresses keep V8 from keeping what it has loaded of the descriptor.
  const kernelWidth = d.kernelWidth;
  const width = d.inputWidth;
  const dilationX = d.dilationX;
  const tapBytes = <usize>(dilationX * d.inputChannels);
  const firstX = outputX * d.strideX - d.padLeft;
  let y = outputY * d.strideY - d.padTop;
  for (let ky = 0; ky < d.kernelHeight; ky++) {
    const isInside = <u32>y < <u32>d.inputHeight;
    let x = firstX;
    let pixel = image + <usize>((y * width + x) * d.inputChannels);
    for (let kx = 0; kx < kernelWidth; kx++) {
      store<usize>(taps, select(pixel, padding, isInside & (<u32>x < <u32>width)));
      taps += sizeof<usize>();
      pixel += tapBytes;
      x += dilationX;
    }
    y += d.dilationY;
  }
}

/** All taps of up to 8 channels, [channel][tap]. What is written beyond a row of taps is overwritten by later rows. */
function copyChannels(
  taps: usize,
  tapCount: i32,
  channel: usize,
  channels: i32,
  target: usize,
  zeroPoint: i32,
): void {
  const zero = i16x8.splat(<i16>zeroPoint);
  const whole = tapCount & ~7;
  const left = tapCount - whole;
  const rowBytes = (<usize>tapCount) << 1;
  // What is left comes first: it spills into the first taps of the next channel. Odd square kernels leave one.
  if (left == 1) {
    const pixels = load<usize>(taps + ((<usize>whole) << 2)) + channel;
    let place = target + ((<usize>whole) << 1);
    for (let index = 0; index < channels; index++) {
      store<i16>(place, <i16>(<i32>load<u8>(pixels + index) - zeroPoint));
      place += rowBytes;
    }
  } else if (left > 0) {
    copyTaps(
      taps + ((<usize>whole) << 2),
      left,
      channel,
      channels,
      target + ((<usize>whole) << 1),
      rowBytes,
      zero,
    );
  }
  for (let tap: usize = 0; tap < <usize>whole; tap += 8) {
    copyTaps(taps + (tap << 2), 8, channel, channels, target + (tap << 1), rowBytes, zero);
  }
}

function loadTap(taps: usize, count: i32, tap: i32, channel: usize, zero: v128): v128 {
  const pixels = load<usize>(taps + ((<usize>min(tap, count - 1)) << 2));
  return i16x8.sub(v128.load8x8_u(pixels + channel), zero);
}

/** Up to 8 taps × 8 channels, transposed; each row is stored as 8. */
function copyTaps(
  taps: usize,
  count: i32,
  channel: usize,
  channels: i32,
  target: usize,
  rowBytes: usize,
  zero: v128,
): void {
  const t0 = loadTap(taps, count, 0, channel, zero);
  const t1 = loadTap(taps, count, 1, channel, zero);
  const t2 = loadTap(taps, count, 2, channel, zero);
  const t3 = loadTap(taps, count, 3, channel, zero);
  const t4 = loadTap(taps, count, 4, channel, zero);
  const t5 = loadTap(taps, count, 5, channel, zero);
  const t6 = loadTap(taps, count, 6, channel, zero);
  const t7 = loadTap(taps, count, 7, channel, zero);
  // Pairs of taps, then fours, then eights: of channels 0…3 (low) and 4…7 (high).
  const low01 = v128.shuffle<i16>(t0, t1, 0, 8, 1, 9, 2, 10, 3, 11);
  const low23 = v128.shuffle<i16>(t2, t3, 0, 8, 1, 9, 2, 10, 3, 11);
  const low45 = v128.shuffle<i16>(t4, t5, 0, 8, 1, 9, 2, 10, 3, 11);
  const low67 = v128.shuffle<i16>(t6, t7, 0, 8, 1, 9, 2, 10, 3, 11);
  const high01 = v128.shuffle<i16>(t0, t1, 4, 12, 5, 13, 6, 14, 7, 15);
  const high23 = v128.shuffle<i16>(t2, t3, 4, 12, 5, 13, 6, 14, 7, 15);
  const high45 = v128.shuffle<i16>(t4, t5, 4, 12, 5, 13, 6, 14, 7, 15);
  const high67 = v128.shuffle<i16>(t6, t7, 4, 12, 5, 13, 6, 14, 7, 15);
  storeFour(low01, low23, low45, low67, target, rowBytes, channels);
  if (channels > 4) {
    storeFour(high01, high23, high45, high67, target + 4 * rowBytes, rowBytes, channels - 4);
  }
}

/** Eight taps of up to four channels, from pairs of taps. */
function storeFour(
  t01: v128,
  t23: v128,
  t45: v128,
  t67: v128,
  target: usize,
  rowBytes: usize,
  channels: i32,
): void {
  const first0123 = v128.shuffle<i32>(t01, t23, 0, 4, 1, 5);
  const first4567 = v128.shuffle<i32>(t45, t67, 0, 4, 1, 5);
  const last0123 = v128.shuffle<i32>(t01, t23, 2, 6, 3, 7);
  const last4567 = v128.shuffle<i32>(t45, t67, 2, 6, 3, 7);
  v128.store(target, v128.shuffle<i64>(first0123, first4567, 0, 2));
  if (channels < 2) return;
  v128.store(target + rowBytes, v128.shuffle<i64>(first0123, first4567, 1, 3));
  if (channels < 3) return;
  v128.store(target + 2 * rowBytes, v128.shuffle<i64>(last0123, last4567, 0, 2));
  if (channels < 4) return;
  v128.store(target + 3 * rowBytes, v128.shuffle<i64>(last0123, last4567, 1, 3));
}
