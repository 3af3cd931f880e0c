import { transformKernel2x2, transformKernels2x2 } from './small-map';
import { TransformDescriptor } from './transform';
import { transformKernel4x4, transformKernels4x4 } from './winograd';

/** Bytes of the scratch that one kernel's intermediate values take; a line for each element follows. */
const LINES_OFFSET: usize = 128;

/** Bytes of one element of a block: a pair of input channels of 16 output channels, in int16. */
const LINE: usize = 64;

/** Behind the lines of a block, of eight kernels: nine vectors of weights, and 18 of what is between both passes. */
const TAPS_OFFSET: usize = LINES_OFFSET + 36 * 64;
const MIDDLE_OFFSET: usize = TAPS_OFFSET + 9 * 16;

/**
 * Transforms the 3×3 kernels numbered by the `count` u32 at `list`; kernels count output channel, input channel. One by
 * one: the time is that of the scattered stores.
 */
export function transformWeights(
  d: TransformDescriptor,
  elements: i32,
  list: usize,
  count: i32,
): void {
  for (let n = 0; n < count; n++) {
    const kernel = <i32>load<u32>(list + ((<usize>n) << 2));
    const output = kernel / d.inputChannels;
    const input = kernel % d.inputChannels;
    const place = ((<usize>(output & 15)) << 2) | ((<usize>(input & 1)) << 1);
    const target = blockAddress(d, elements, output >> 4, input >> 1) + place;
    transformKernel(d, elements, kernel, target, <usize>d.panelBytes);
  }
}

/**
 * Transforms all kernels of the blocks `first` to `first` + `count` − 1. A block is one line of each element, which is
 * written whole: lines of different elements often share a set of the cache, so that kernel by kernel each would be
 * fetched 16 times.
 */
export function transformBlocks(
  d: TransformDescriptor,
  elements: i32,
  first: i32,
  count: i32,
): void {
  const lines = d.scratch + LINES_OFFSET;
  const pairs = (d.inputChannels + 1) >> 1;
  for (let block = first; block < first + count; block++) {
    const panel = block / pairs;
    const pair = block % pairs;
    const outputs = min(16, d.outputChannels - (panel << 4));
    const inputs = min(2, d.inputChannels - (pair << 1));
    if (outputs * inputs == 32) transformWhole(d, elements, panel, pair, lines);
    else transformPart(d, elements, panel, pair, lines, outputs, inputs);
    copyLines(lines, blockAddress(d, elements, panel, pair), elements, <usize>d.panelBytes);
  }
}

/** The lines of a block whose channels are fewer, kernel by kernel. */
function transformPart(
  d: TransformDescriptor,
  elements: i32,
  panel: i32,
  pair: i32,
  lines: usize,
  outputs: i32,
  inputs: i32,
): void {
  memory.fill(lines, 0, <usize>elements * LINE);
  for (let output = 0; output < outputs; output++) {
    for (let input = 0; input < inputs; input++) {
      const kernel = ((panel << 4) + output) * d.inputChannels + (pair << 1) + input;
      const place = ((<usize>output) << 2) | ((<usize>input) << 1);
      transformKernel(d, elements, kernel, lines + place, LINE);
    }
  }
}

/** The lines of a block of 16 output channels and two input channels, four output channels at a time. */
function transformWhole(
  d: TransformDescriptor,
  elements: i32,
  panel: i32,
  pair: i32,
  lines: usize,
): void {
  const taps = d.scratch + TAPS_OFFSET;
  const rowBytes = <usize>d.inputChannels * 9;
  const output = panel << 4;
  let source = d.storedWeights + <usize>(output * d.inputChannels + (pair << 1)) * 9;
  let zeroPoints = d.weightZeroPoints + ((<usize>output) << 2);
  for (let line = lines; line < lines + LINE; line += 16) {
    transposeTaps(source, rowBytes, zeroPoints, taps);
    transformLanes(d, elements, taps, line, LINE);
    source += 4 * rowBytes;
    zeroPoints += 16;
  }
}

/**
 * Writes nine vectors, one a tap: the weights, less their zero points, of two input channels of four output channels,
 * which lie `rowBytes` apart.
 */
function transposeTaps(source: usize, rowBytes: usize, zeroPoints: usize, taps: usize): void {
  const row1 = source + rowBytes;
  const row2 = row1 + rowBytes;
  const row3 = row2 + rowBytes;
  const z = v128.load(zeroPoints);
  // Each zero point twice: for both input channels.
  const z16 = i16x8.narrow_i32x4_s(z, z);
  const zero = v128.shuffle<i16>(z16, z16, 0, 0, 1, 1, 2, 2, 3, 3);
  const pairs0 = Inline.pairTaps(source);
  const pairs1 = Inline.pairTaps(row1);
  const pairs2 = Inline.pairTaps(row2);
  const pairs3 = Inline.pairTaps(row3);
  // Pairs of one tap are 16 bits; of rows 0 and 1, and 2 and 3, they come side by side.
  const low01 = v128.shuffle<i16>(pairs0, pairs1, 0, 8, 1, 9, 2, 10, 3, 11);
  const high01 = v128.shuffle<i16>(pairs0, pairs1, 4, 12, 5, 13, 6, 14, 7, 15);
  const low23 = v128.shuffle<i16>(pairs2, pairs3, 0, 8, 1, 9, 2, 10, 3, 11);
  const high23 = v128.shuffle<i16>(pairs2, pairs3, 4, 12, 5, 13, 6, 14, 7, 15);
  Inline.storeTaps(v128.shuffle<i32>(low01, low23, 0, 4, 1, 5), zero, taps);
  Inline.storeTaps(v128.shuffle<i32>(low01, low23, 2, 6, 3, 7), zero, taps + 32);
  Inline.storeTaps(v128.shuffle<i32>(high01, high23, 0, 4, 1, 5), zero, taps + 64);
  Inline.storeTaps(v128.shuffle<i32>(high01, high23, 2, 6, 3, 7), zero, taps + 96);
  let last = i16x8.splat(<i16>load<i8>(source, 8));
  last = i16x8.replace_lane(last, 1, <i16>load<i8>(source, 17));
  last = i16x8.replace_lane(last, 2, <i16>load<i8>(row1, 8));
  last = i16x8.replace_lane(last, 3, <i16>load<i8>(row1, 17));
  last = i16x8.replace_lane(last, 4, <i16>load<i8>(row2, 8));
  last = i16x8.replace_lane(last, 5, <i16>load<i8>(row2, 17));
  last = i16x8.replace_lane(last, 6, <i16>load<i8>(row3, 8));
  last = i16x8.replace_lane(last, 7, <i16>load<i8>(row3, 17));
  v128.store(taps, i16x8.sub(last, zero), 128);
}

/** Functions whose code is copied to each call: constants then fold into it. */
class Inline {
  /** Of two kernels that follow each other, the first eight taps, those of both side by side. */
  @inline
  static pairTaps(source: usize): v128 {
    const first = v128.load(source);
    // Two bytes on, so that nothing beyond the second kernel is read.
    const second = v128.load(source, 2);
    return v128.shuffle<i8>(first, second, 0, 23, 1, 24, 2, 25, 3, 26, 4, 27, 5, 28, 6, 29, 7, 30);
  }

  /** Two taps of eight int8 each, less their zero points, as int16. */
  @inline
  static storeTaps(both: v128, zero: v128, taps: usize): void {
    v128.store(taps, i16x8.sub(i16x8.extend_low_i8x16_s(both), zero));
    v128.store(taps, i16x8.sub(i16x8.extend_high_i8x16_s(both), zero), 16);
  }
}

/** Transforms eight kernels, one a lane; the vectors of their elements are `stride` bytes apart. */
function transformLanes(
  d: TransformDescriptor,
  elements: i32,
  taps: usize,
  target: usize,
  stride: usize,
): void {
  if (elements == 36) transformKernels4x4(d.scratch + MIDDLE_OFFSET, taps, target, stride);
  else transformKernels2x2(taps, target, stride);
}

function transformKernel(
  d: TransformDescriptor,
  elements: i32,
  kernel: i32,
  target: usize,
  stride: usize,
): void {
  if (elements == 36) transformKernel4x4(d, kernel, target, stride);
  else transformKernel2x2(d, kernel, target, stride);
}

/** Address of a block's line for element 0. */
function blockAddress(d: TransformDescriptor, elements: i32, panel: i32, pair: i32): usize {
  return d.weights + <usize>(panel * elements) * <usize>d.panelBytes + <usize>pair * LINE;
}

/** Copies lines that follow each other to where they are `stride` bytes apart. */
function copyLines(lines: usize, target: usize, count: i32, stride: usize): void {
  for (let line = 0; line < count; line++, lines += LINE, target += stride) {
    v128.store(target, v128.load(lines));
    v128.store(target, v128.load(lines, 16), 16);
    v128.store(target, v128.load(lines, 32), 32);
    v128.store(target, v128.load(lines, 48), 48);
  }
}
