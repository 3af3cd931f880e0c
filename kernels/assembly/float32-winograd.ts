import { Float32FinishDescriptor, finishVector } from './float32-finish';

/** Fields in the order of `winogradDescriptor` in kernels/wasm/float32-descriptors.ts. */
@unmanaged
export class WinogradDescriptor {
  inputHeight: i32;
  inputWidth: i32;
  inputChannels: i32;
  outputHeight: i32;
  outputWidth: i32;
  outputChannels: i32;
  padTop: i32;
  padLeft: i32;
  tileRows: i32;
  tileColumns: i32;
  /** Bytes from one element to the next of the transformed inputs: tiles × input channels, or more. */
  inputPlane: i32;
  /** Bytes from one element to the next of the products: tiles × output channels, or more. */
  outputPlane: i32;
  /** Bytes from one element to the next of the transformed weights, packed [panel][input channel][16]. */
  weightPlane: i32;
  weights: usize;
  /** Weights packed [panel][ky, kx, input channel][16]. */
  packed: usize;
  bias: usize;
  /** As many zeros as one line of a tile has values. */
  zeros: usize;
  /** Room for one tile of four channels. */
  scratch: usize;
}

/** A line of the input, or zeros where it lies outside; `x` may lie outside. */
function linePointer(d: WinogradDescriptor, image: usize, y: i32, x: i32): usize {
  if (<u32>y >= <u32>d.inputHeight) return d.zeros;
  return image + ((<usize>((y * d.inputWidth + x) * d.inputChannels)) << 2);
}

function inputOfImage(d: WinogradDescriptor, input: usize, image: i32): usize {
  return input + ((<usize>(image * d.inputHeight * d.inputWidth * d.inputChannels)) << 2);
}

/** Bᵀ·d of F(4×4,3×3) along one axis; see kernels/float32/winograd.ts. */
function transformInput6(
  d0: v128,
  d1: v128,
  d2: v128,
  d3: v128,
  d4: v128,
  d5: v128,
  target: usize,
  step: usize,
): void {
  const four = f32x4.splat(4);
  const even = f32x4.sub(d4, f32x4.mul(four, d2));
  const odd = f32x4.sub(d3, f32x4.mul(four, d1));
  const evenHalf = f32x4.sub(d4, d2);
  const oddHalf = f32x4.sub(d3, d1);
  const oddTwice = f32x4.add(oddHalf, oddHalf);
  v128.store(target, f32x4.add(f32x4.mul(four, f32x4.sub(d0, d2)), evenHalf));
  v128.store(target + step, f32x4.add(even, odd));
  v128.store(target + 2 * step, f32x4.sub(even, odd));
  v128.store(target + 3 * step, f32x4.add(evenHalf, oddTwice));
  v128.store(target + 4 * step, f32x4.sub(evenHalf, oddTwice));
  v128.store(target + 5 * step, f32x4.sub(f32x4.sub(d5, d3), f32x4.mul(four, oddHalf)));
}

/** Transforms the inputs of `tiles` tiles, image-major from `firstTile` on, four channels at a time. */
export function transformFloat32Inputs4x4(
  d: WinogradDescriptor,
  input: usize,
  transformed: usize,
  firstTile: i32,
  tiles: i32,
): void {
  const tilesPerImage = d.tileRows * d.tileColumns;
  const pixel = (<usize>d.inputChannels) << 2;
  const plane = <usize>d.inputPlane;
  const scratch = d.scratch;
  for (let tile = firstTile; tile < firstTile + tiles; tile++) {
    const image = inputOfImage(d, input, tile / tilesPerImage);
    const place = tile % tilesPerImage;
    const y = (place / d.tileColumns) * 4 - d.padTop;
    const x = (place % d.tileColumns) * 4 - d.padLeft;
    const line0 = linePointer(d, image, y, x);
    const line1 = linePointer(d, image, y + 1, x);
    const line2 = linePointer(d, image, y + 2, x);
    const line3 = linePointer(d, image, y + 3, x);
    const line4 = linePointer(d, image, y + 4, x);
    const line5 = linePointer(d, image, y + 5, x);
    for (let channel: usize = 0; channel < pixel; channel += 16) {
      let offset = channel;
      for (let j = 0; j < 6; j++) {
        const target = scratch + ((<usize>j) << 4);
        if (<u32>(x + j) < <u32>d.inputWidth) {
          transformInput6(
            v128.load(line0 + offset),
            v128.load(line1 + offset),
            v128.load(line2 + offset),
            v128.load(line3 + offset),
            v128.load(line4 + offset),
            v128.load(line5 + offset),
            target,
            96,
          );
        } else {
          const zero = f32x4.splat(0);
          for (let i: usize = 0; i < 576; i += 96) v128.store(target + i, zero);
        }
        offset += pixel;
      }
      let target = transformed + channel;
      for (let row = scratch; row < scratch + 576; row += 96) {
        transformInput6(
          v128.load(row),
          v128.load(row, 16),
          v128.load(row, 32),
          v128.load(row, 48),
          v128.load(row, 64),
          v128.load(row, 80),
          target,
          plane,
        );
        target += 6 * plane;
      }
    }
    transformed += pixel;
  }
}

/** Bᵀ·d of F(2×2,3×3) along one axis. */
function transformInput4(d0: v128, d1: v128, d2: v128, d3: v128, target: usize, step: usize): void {
  v128.store(target, f32x4.sub(d0, d2));
  v128.store(target + step, f32x4.add(d1, d2));
  v128.store(target + 2 * step, f32x4.sub(d2, d1));
  v128.store(target + 3 * step, f32x4.sub(d1, d3));
}

/** As `transformFloat32Inputs4x4`, for F(2×2,3×3). */
export function transformFloat32Inputs2x2(
  d: WinogradDescriptor,
  input: usize,
  transformed: usize,
  firstTile: i32,
  tiles: i32,
): void {
  const tilesPerImage = d.tileRows * d.tileColumns;
  const pixel = (<usize>d.inputChannels) << 2;
  const plane = <usize>d.inputPlane;
  const scratch = d.scratch;
  for (let tile = firstTile; tile < firstTile + tiles; tile++) {
    const image = inputOfImage(d, input, tile / tilesPerImage);
    const place = tile % tilesPerImage;
    const y = (place / d.tileColumns) * 2 - d.padTop;
    const x = (place % d.tileColumns) * 2 - d.padLeft;
    const line0 = linePointer(d, image, y, x);
    const line1 = linePointer(d, image, y + 1, x);
    const line2 = linePointer(d, image, y + 2, x);
    const line3 = linePointer(d, image, y + 3, x);
    for (let channel: usize = 0; channel < pixel; channel += 16) {
      let offset = channel;
      for (let j = 0; j < 4; j++) {
        const target = scratch + ((<usize>j) << 4);
        if (<u32>(x + j) < <u32>d.inputWidth) {
          transformInput4(
            v128.load(line0 + offset),
            v128.load(line1 + offset),
            v128.load(line2 + offset),
            v128.load(line3 + offset),
            target,
            64,
          );
        } else {
          const zero = f32x4.splat(0);
          for (let i: usize = 0; i < 256; i += 64) v128.store(target + i, zero);
        }
        offset += pixel;
      }
      let target = transformed + channel;
      for (let row = scratch; row < scratch + 256; row += 64) {
        transformInput4(
          v128.load(row),
          v128.load(row, 16),
          v128.load(row, 32),
          v128.load(row, 48),
          target,
          plane,
        );
        target += 4 * plane;
      }
    }
    transformed += pixel;
  }
}

/** Aᵀ·m of F(4×4,3×3) along one axis. */
function transformOutput6(
  m0: v128,
  m1: v128,
  m2: v128,
  m3: v128,
  m4: v128,
  m5: v128,
  target: usize,
  step: usize,
): void {
  const sum1 = f32x4.add(m1, m2);
  const difference1 = f32x4.sub(m1, m2);
  const sum2 = f32x4.add(m3, m4);
  const difference2 = f32x4.sub(m3, m4);
  v128.store(target, f32x4.add(f32x4.add(m0, sum1), sum2));
  v128.store(target + step, f32x4.add(difference1, f32x4.add(difference2, difference2)));
  v128.store(target + 2 * step, f32x4.add(sum1, f32x4.mul(f32x4.splat(4), sum2)));
  v128.store(
    target + 3 * step,
    f32x4.add(f32x4.add(difference1, f32x4.mul(f32x4.splat(8), difference2)), m5),
  );
}

/** Transforms the products of `tiles` tiles to outputs: bias, clip, ReLU. */
export function transformFloat32Outputs4x4(
  d: WinogradDescriptor,
  finish: Float32FinishDescriptor,
  products: usize,
  output: usize,
  firstTile: i32,
  tiles: i32,
): void {
  const pixel = (<usize>d.outputChannels) << 2;
  const plane = <usize>d.outputPlane;
  const scratch = d.scratch;
  const lineBytes = <usize>d.outputWidth * pixel;
  for (let tile = firstTile; tile < firstTile + tiles; tile++) {
    const tilesPerImage = d.tileRows * d.tileColumns;
    const place = tile % tilesPerImage;
    const y = (place / d.tileColumns) * 4;
    const x = (place % d.tileColumns) * 4;
    const rows = min(d.outputHeight - y, 4);
    const columns = min(d.outputWidth - x, 4);
    const firstLine = (tile / tilesPerImage) * d.outputHeight + y;
    const corner = output + <usize>firstLine * lineBytes + <usize>x * pixel;
    for (let channel: usize = 0; channel < pixel; channel += 16) {
      let source = products + channel;
      const row: usize = plane * 6;
      for (let target = scratch; target < scratch + 96; target += 16) {
        transformOutput6(
          v128.load(source),
          v128.load(source + row),
          v128.load(source + 2 * row),
          v128.load(source + 3 * row),
          v128.load(source + 4 * row),
          v128.load(source + 5 * row),
          target,
          96,
        );
        source += plane;
      }
      let line = corner + channel;
      for (let i = 0; i < rows; i++) {
        const target = scratch + <usize>i * 96;
        transformOutput6(
          v128.load(target),
          v128.load(target, 16),
          v128.load(target, 32),
          v128.load(target, 48),
          v128.load(target, 64),
          v128.load(target, 80),
          target,
          16,
        );
        storeOutputs(d, finish, target, line, channel, columns, pixel);
        line += lineBytes;
      }
    }
    products += pixel;
  }
}

/** Aᵀ·m of F(2×2,3×3) along one axis. */
function transformOutput4(
  m0: v128,
  m1: v128,
  m2: v128,
  m3: v128,
  target: usize,
  step: usize,
): void {
  v128.store(target, f32x4.add(f32x4.add(m0, m1), m2));
  v128.store(target + step, f32x4.sub(f32x4.sub(m1, m2), m3));
}

/** As `transformFloat32Outputs4x4`, for F(2×2,3×3). */
export function transformFloat32Outputs2x2(
  d: WinogradDescriptor,
  finish: Float32FinishDescriptor,
  products: usize,
  output: usize,
  firstTile: i32,
  tiles: i32,
): void {
  const pixel = (<usize>d.outputChannels) << 2;
  const plane = <usize>d.outputPlane;
  const scratch = d.scratch;
  const lineBytes = <usize>d.outputWidth * pixel;
  for (let tile = firstTile; tile < firstTile + tiles; tile++) {
    const tilesPerImage = d.tileRows * d.tileColumns;
    const place = tile % tilesPerImage;
    const y = (place / d.tileColumns) * 2;
    const x = (place % d.tileColumns) * 2;
    const rows = min(d.outputHeight - y, 2);
    const columns = min(d.outputWidth - x, 2);
    const firstLine = (tile / tilesPerImage) * d.outputHeight + y;
    const corner = output + <usize>firstLine * lineBytes + <usize>x * pixel;
    for (let channel: usize = 0; channel < pixel; channel += 16) {
      let source = products + channel;
      const row: usize = plane * 4;
      for (let target = scratch; target < scratch + 64; target += 16) {
        transformOutput4(
          v128.load(source),
          v128.load(source + row),
          v128.load(source + 2 * row),
          v128.load(source + 3 * row),
          target,
          64,
        );
        source += plane;
      }
      let line = corner + channel;
      for (let i = 0; i < rows; i++) {
        const target = scratch + <usize>i * 64;
        transformOutput4(
          v128.load(target),
          v128.load(target, 16),
          v128.load(target, 32),
          v128.load(target, 48),
          target,
          16,
        );
        storeOutputs(d, finish, target, line, channel, columns, pixel);
        line += lineBytes;
      }
    }
    products += pixel;
  }
}

/** Adds the bias to `columns` neighbouring sums, finishes and stores them. */
function storeOutputs(
  d: WinogradDescriptor,
  finish: Float32FinishDescriptor,
  sums: usize,
  output: usize,
  channel: usize,
  columns: i32,
  pixel: usize,
): void {
  const bias = v128.load(d.bias + channel);
  const threshold = v128.load(finish.thresholds + channel);
  const clip = finish.clip;
  const relu = finish.relu;
  for (let j = 0; j < columns; j++) {
    const sum = f32x4.add(v128.load(sums), bias);
    v128.store(output, finishVector(sum, threshold, clip, relu));
    sums += 16;
    output += pixel;
  }
}
