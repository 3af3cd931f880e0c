import { Int8FinishDescriptor, requantizeRow } from './finish';
import { PoolingDescriptor } from './pooling';

// A run that differs from a recorded one in few values: from the list of values that changed in the input of a
// layer to the list of values that change in its output. All sums wrap around, so they are exact in any order.

/** Laid out as in kernels/layouts.ts. */
@unmanaged
class DeltaConvolutionDescriptor {
  inputHeight: i32;
  inputWidth: i32;
  inputChannels: i32;
  outputHeight: i32;
  outputWidth: i32;
  outputChannels: i32;
  kernelHeight: i32;
  kernelWidth: i32;
  strideY: i32;
  strideX: i32;
  padTop: i32;
  padLeft: i32;
  dilationY: i32;
  dilationX: i32;
  inputZeroPoint: i32;
  /** Output channels rounded up to a multiple of 16: the length of a row of weights and of accumulators. */
  rowChannels: i32;
  /** int16 [ky][kx][input channel][rowChannels], weight zero points subtracted. */
  weights: usize;
  finish: Int8FinishDescriptor;
  /** Room for one i32 per output position, and one. */
  starts: usize;
  /** Room for one `Product` per change and tap. */
  products: usize;
  /** int32 [output position][rowChannels], zero between calls. */
  differences: usize;
  /** u8 [output position][rowChannels / 16]: whether a block of `differences` is in use. */
  usedBlocks: usize;
}

/** A stored value that is no longer what it was. */
@unmanaged
class Change {
  position: i32;
  channel: i32;
  /** New value − old value. */
  difference: i32;
}

/** A weight that is not the recorded one. */
@unmanaged
class Patch {
  output: i32;
  input: i32;
  ky: i32;
  kx: i32;
  /** New weight − recorded weight. */
  difference: i32;
}

/** A changed input value seen through one tap: a row of weights and what to multiply it by. */
@unmanaged
class Product {
  weights: usize;
  difference: i32;
}

const CHANGE_BYTES: usize = offsetof<Change>();
const PATCH_BYTES: usize = offsetof<Patch>();
const PRODUCT_BYTES: usize = offsetof<Product>();

/** Accumulators, then stored values, of one block of 16 channels. */
const scratch: usize = memory.data(80, 16);

/**
 * Updates one image's output of a convolution: with x' = x + Δx and w' = w + Δw, its accumulators grow by
 * Σ w·Δx + Σ Δw·(x' − zero point).
 *
 * @param input the input x', changes applied
 * @param accumulators those of the recorded run, int32 [position][rowChannels]
 * @param output the recorded output; becomes the new one
 * @param target receives a `Change` for each output value that changes
 * @returns their number
 */
export function deltaConvolution(
  d: DeltaConvolutionDescriptor,
  changes: usize,
  changeCount: i32,
  patches: usize,
  patchCount: i32,
  input: usize,
  accumulators: usize,
  output: usize,
  target: usize,
): i32 {
  addPatches(d, patches, patchCount, input);
  const first = target;
  const positions = d.outputHeight * d.outputWidth;
  const blocks = d.rowChannels >> 4;
  if (changeCount > 0) {
    collectProducts(d, changes, changeCount);
    let begin = d.products;
    for (let position = 0; position < positions; position++) {
      const end =
        d.products + <usize>load<i32>(d.starts + ((<usize>position) << 2)) * PRODUCT_BYTES;
      if (end != begin) {
        for (let block = 0; block < blocks; block++) {
          target = updateBlock(d, position, block, begin, end, accumulators, output, target);
        }
      }
      begin = end;
    }
  }
  for (let patch = 0; patch < patchCount; patch++) {
    const block = changetype<Patch>(patches + <usize>patch * PATCH_BYTES).output >> 4;
    for (let position = 0; position < positions; position++) {
      if (load<u8>(d.usedBlocks + position * blocks + block)) {
        target = updateBlock(d, position, block, 0, 0, accumulators, output, target);
      }
    }
  }
  return <i32>((target - first) / CHANGE_BYTES);
}

/** Adds Σ Δw·(x' − zero point) to `differences`. */
function addPatches(d: DeltaConvolutionDescriptor, patches: usize, count: i32, input: usize): void {
  for (let index = 0; index < count; index++) {
    const patch = changetype<Patch>(patches + <usize>index * PATCH_BYTES);
    for (let outputY = 0; outputY < d.outputHeight; outputY++) {
      const y = outputY * d.strideY - d.padTop + patch.ky * d.dilationY;
      if (y < 0 || y >= d.inputHeight) continue;
      for (let outputX = 0; outputX < d.outputWidth; outputX++) {
        const x = outputX * d.strideX - d.padLeft + patch.kx * d.dilationX;
        if (x < 0 || x >= d.inputWidth) continue;
        const pixel = y * d.inputWidth + x;
        const value = load<u8>(input + pixel * d.inputChannels + patch.input);
        const difference = patch.difference * (<i32>value - d.inputZeroPoint);
        if (difference == 0) continue;
        const position = outputY * d.outputWidth + outputX;
        const place = d.differences + ((<usize>(position * d.rowChannels + patch.output)) << 2);
        store<i32>(place, load<i32>(place) + difference);
        store<u8>(d.usedBlocks + position * (d.rowChannels >> 4) + (patch.output >> 4), 1);
      }
    }
  }
}

/** Fills `products`, sorted by output position; `starts[p]` becomes the end of those of position p. */
function collectProducts(d: DeltaConvolutionDescriptor, changes: usize, count: i32): void {
  const positions = d.outputHeight * d.outputWidth;
  memory.fill(d.starts, 0, (<usize>(positions + 1)) << 2);
  visitTaps(d, changes, count, false);
  for (let position = 0; position < positions; position++) {
    const place = d.starts + ((<usize>position) << 2);
    store<i32>(place, load<i32>(place, 4) + load<i32>(place), 4);
  }
  visitTaps(d, changes, count, true);
}

/** Counts the products of position p in `starts[p + 1]`, or stores them from `starts[p]` on, which grows. */
function visitTaps(d: DeltaConvolutionDescriptor, changes: usize, count: i32, storing: bool): void {
  const tapBytes = (<usize>(d.inputChannels * d.rowChannels)) << 1;
  for (let index = 0; index < count; index++) {
    const change = changetype<Change>(changes + <usize>index * CHANGE_BYTES);
    const y = change.position / d.inputWidth + d.padTop;
    const x = (change.position % d.inputWidth) + d.padLeft;
    const column = d.weights + ((<usize>(change.channel * d.rowChannels)) << 1);
    for (let ky = 0; ky < d.kernelHeight; ky++) {
      const top = y - ky * d.dilationY;
      if (top < 0 || top % d.strideY != 0 || top / d.strideY >= d.outputHeight) continue;
      const line = (top / d.strideY) * d.outputWidth;
      for (let kx = 0; kx < d.kernelWidth; kx++) {
        const left = x - kx * d.dilationX;
        if (left < 0 || left % d.strideX != 0 || left / d.strideX >= d.outputWidth) continue;
        const place = d.starts + ((<usize>(line + left / d.strideX)) << 2);
        if (storing) {
          const end = load<i32>(place);
          const product = changetype<Product>(d.products + <usize>end * PRODUCT_BYTES);
          product.weights = column + <usize>(ky * d.kernelWidth + kx) * tapBytes;
          product.difference = change.difference;
          store<i32>(place, end + 1);
        } else {
          store<i32>(place, load<i32>(place, 4) + 1, 4);
        }
      }
    }
  }
}

/** Recomputes 16 output channels of one position; returns where the next change goes. */
function updateBlock(
  d: DeltaConvolutionDescriptor,
  position: i32,
  block: i32,
  begin: usize,
  end: usize,
  accumulators: usize,
  output: usize,
  target: usize,
): usize {
  const channel = block << 4;
  const offset = (<usize>(position * d.rowChannels + channel)) << 2;
  const recorded = accumulators + offset;
  let s0 = v128.load(recorded);
  let s1 = v128.load(recorded, 16);
  let s2 = v128.load(recorded, 32);
  let s3 = v128.load(recorded, 48);
  const flag = d.usedBlocks + position * (d.rowChannels >> 4) + block;
  if (load<u8>(flag)) {
    const extra = d.differences + offset;
    s0 = i32x4.add(s0, v128.load(extra));
    s1 = i32x4.add(s1, v128.load(extra, 16));
    s2 = i32x4.add(s2, v128.load(extra, 32));
    s3 = i32x4.add(s3, v128.load(extra, 48));
    memory.fill(extra, 0, 64);
    store<u8>(flag, 0);
  }
  const column = (<usize>channel) << 1;
  for (; begin < end; begin += 2 * PRODUCT_BYTES) {
    const one = changetype<Product>(begin);
    // An odd number of products ends with one that counts for nothing.
    const pair = begin + PRODUCT_BYTES < end;
    const other = pair ? changetype<Product>(begin + PRODUCT_BYTES) : one;
    const differences = i32x4.splat(
      (one.difference & 0xffff) | (pair ? other.difference << 16 : 0),
    );
    let a = v128.load(one.weights + column);
    let b = v128.load(other.weights + column);
    s0 = i32x4.add(s0, i32x4.dot_i16x8_s(interleaveLow(a, b), differences));
    s1 = i32x4.add(s1, i32x4.dot_i16x8_s(interleaveHigh(a, b), differences));
    a = v128.load(one.weights + column, 16);
    b = v128.load(other.weights + column, 16);
    s2 = i32x4.add(s2, i32x4.dot_i16x8_s(interleaveLow(a, b), differences));
    s3 = i32x4.add(s3, i32x4.dot_i16x8_s(interleaveHigh(a, b), differences));
  }
  v128.store(scratch, s0);
  v128.store(scratch, s1, 16);
  v128.store(scratch, s2, 32);
  v128.store(scratch, s3, 48);
  return storeBlock(d, position, channel, output, target);
}

/** Requantises the accumulators in `scratch`, stores what differs, and lists it. */
function storeBlock(
  d: DeltaConvolutionDescriptor,
  position: i32,
  channel: i32,
  output: usize,
  target: usize,
): usize {
  requantizeRow(d.finish, scratch, position, (<usize>channel) << 2, 16, scratch + 64);
  const stored = output + position * d.outputChannels + channel;
  let differing = i8x16.bitmask(i8x16.ne(v128.load(scratch, 64), v128.load(stored)));
  const count = d.outputChannels - channel;
  if (count < 16) differing &= (1 << count) - 1;
  if (differing == 0) return target;
  for (; differing != 0; differing &= differing - 1) {
    const index = ctz(differing);
    const value = load<u8>(scratch + index, 64);
    const change = changetype<Change>(target);
    change.position = position;
    change.channel = channel + index;
    change.difference = <i32>value - <i32>load<u8>(stored + index);
    store<u8>(stored + index, value);
    target += CHANGE_BYTES;
  }
  return target;
}

/** The lower four int16 of two vectors, in pairs. */
function interleaveLow(a: v128, b: v128): v128 {
  return i16x8.shuffle(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}

/** The upper four int16 of two vectors, in pairs. */
function interleaveHigh(a: v128, b: v128): v128 {
  return i16x8.shuffle(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}

/** As `deltaConvolution`, for the maximum over windows. */
export function deltaMaxPool(
  d: PoolingDescriptor,
  changes: usize,
  changeCount: i32,
  input: usize,
  output: usize,
  target: usize,
): i32 {
  const first = target;
  for (let index = 0; index < changeCount; index++) {
    const change = changetype<Change>(changes + <usize>index * CHANGE_BYTES);
    const y = change.position / d.inputWidth + d.padTop;
    const x = (change.position % d.inputWidth) + d.padLeft;
    const lastY = min(y / d.strideY, d.outputHeight - 1);
    const lastX = min(x / d.strideX, d.outputWidth - 1);
    for (let outputY = firstWindow(y, d.kernelHeight, d.strideY); outputY <= lastY; outputY++) {
      for (let outputX = firstWindow(x, d.kernelWidth, d.strideX); outputX <= lastX; outputX++) {
        const position = outputY * d.outputWidth + outputX;
        const stored = output + position * d.channels + change.channel;
        const value = largest(d, input + change.channel, outputY, outputX);
        const before = load<u8>(stored);
        if (value == before) continue;
        store<u8>(stored, value);
        const next = changetype<Change>(target);
        next.position = position;
        next.channel = change.channel;
        next.difference = <i32>value - <i32>before;
        target += CHANGE_BYTES;
      }
    }
  }
  return <i32>((target - first) / CHANGE_BYTES);
}

/** The first window along one axis that reaches a padded coordinate. */
function firstWindow(coordinate: i32, kernel: i32, stride: i32): i32 {
  return coordinate < kernel ? 0 : (coordinate - kernel) / stride + 1;
}

function largest(d: PoolingDescriptor, channel: usize, outputY: i32, outputX: i32): u8 {
  const top = outputY * d.strideY - d.padTop;
  const left = outputX * d.strideX - d.padLeft;
  let value: u8 = 0;
  for (let y = max(top, 0); y < min(top + d.kernelHeight, d.inputHeight); y++) {
    for (let x = max(left, 0); x < min(left + d.kernelWidth, d.inputWidth); x++) {
      value = max(value, load<u8>(channel + (y * d.inputWidth + x) * d.channels));
    }
  }
  return value;
}
