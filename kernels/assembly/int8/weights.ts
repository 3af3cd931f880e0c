import { transformKernel2x2 } from './small-map';
import { TransformDescriptor } from './transform';
import { transformKernel4x4 } from './winograd';

/** Bytes of the scratch that one kernel's intermediate values take; a line for each element follows. */
const LINES_OFFSET: usize = 128;

/** Bytes of one element of a block: a pair of input channels of 16 output channels, in int16. */
const LINE: usize = 64;

/** Transforms the 3×3 kernels numbered by the `count` u32 at `list`; kernels count output channel, input channel. */
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
    if (outputs * inputs < 32) memory.fill(lines, 0, <usize>elements * LINE);
    for (let output = 0; output < outputs; output++) {
      for (let input = 0; input < inputs; input++) {
        const kernel = ((panel << 4) + output) * d.inputChannels + (pair << 1) + input;
        const place = ((<usize>output) << 2) | ((<usize>input) << 1);
        transformKernel(d, elements, kernel, lines + place, LINE);
      }
    }
    copyLines(lines, blockAddress(d, elements, panel, pair), elements, <usize>d.panelBytes);
  }
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
