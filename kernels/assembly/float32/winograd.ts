/**
 * The transforms of F(2×2,3×3) and F(4×4,3×3), four channels at a time, along y and then along x.
 * kernels/float32/winograd.ts states the order of every rounding. An element of a tile lies one plane
 * after the previous element; a plane is [tile][channel].
 */
import { Float32FinishDescriptor, finishTileLine, finishTileLinePerNeuron } from './finish';

/** Laid out as in kernels/layouts.ts. */
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
  /** Outputs along one side of a tile: 2 or 4. */
  tileOutputs: i32;
  tileRows: i32;
  tileColumns: i32;
  /** Bytes from one element to the next of the transformed inputs. */
  inputPlane: i32;
  /** Bytes from one element to the next of the products. */
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

/** Bytes from one line of a tile to the next in the scratch memory. */
const SCRATCH_LINE: usize = 96;

/** The line of the image on which a line of a tile starts at x (maybe outside), or zeros. */
function linePointer(d: WinogradDescriptor, image: usize, y: i32, x: i32): usize {
  if (<u32>y >= <u32>d.inputHeight) return d.zeros;
  return image + ((<usize>((y * d.inputWidth + x) * d.inputChannels)) << 2);
}

/** Transforms the inputs of `tiles` tiles, numbered image-major from `firstTile` on. */
export function transformFloat32Inputs(
  d: WinogradDescriptor,
  input: usize,
  transformed: usize,
  firstTile: i32,
  tiles: i32,
): void {
  const outputs = d.tileOutputs;
  const size = outputs + 2;
  const pixel = (<usize>d.inputChannels) << 2;
  const imageBytes = <usize>(d.inputHeight * d.inputWidth) * pixel;
  const plane = <usize>d.inputPlane;
  const scratch = d.scratch;
  for (let tile = firstTile; tile < firstTile + tiles; tile++) {
    const tilesPerImage = d.tileRows * d.tileColumns;
    const place = tile % tilesPerImage;
    const image = input + <usize>(tile / tilesPerImage) * imageBytes;
    const y = (place / d.tileColumns) * outputs - d.padTop;
    const x = (place % d.tileColumns) * outputs - d.padLeft;
    const line0 = linePointer(d, image, y, x);
    const line1 = linePointer(d, image, y + 1, x);
    const line2 = linePointer(d, image, y + 2, x);
    const line3 = linePointer(d, image, y + 3, x);
    const line4 = linePointer(d, image, y + 4, x);
    const line5 = linePointer(d, image, y + 5, x);
    for (let channel: usize = 0; channel < pixel; channel += 16) {
      let offset = channel;
      for (let j = 0; j < size; j++) {
        const target = scratch + ((<usize>j) << 4);
        if (<u32>(x + j) >= <u32>d.inputWidth) {
          clearColumn(target);
        } else if (outputs == 4) {
          transformInput6(
            v128.load(line0 + offset),
            v128.load(line1 + offset),
            v128.load(line2 + offset),
            v128.load(line3 + offset),
            v128.load(line4 + offset),
            v128.load(line5 + offset),
            target,
            SCRATCH_LINE,
          );
        } else {
          transformInput4(
            v128.load(line0 + offset),
            v128.load(line1 + offset),
            v128.load(line2 + offset),
            v128.load(line3 + offset),
            target,
            SCRATCH_LINE,
          );
        }
        offset += pixel;
      }
      let line = scratch;
      let target = transformed + channel;
      for (let i = 0; i < size; i++) {
        if (outputs == 4) {
          transformInput6(
            v128.load(line),
            v128.load(line, 16),
            v128.load(line, 32),
            v128.load(line, 48),
            v128.load(line, 64),
            v128.load(line, 80),
            target,
            plane,
          );
        } else {
          transformInput4(
            v128.load(line),
            v128.load(line, 16),
            v128.load(line, 32),
            v128.load(line, 48),
            target,
            plane,
          );
        }
        line += SCRATCH_LINE;
        target += <usize>size * plane;
      }
    }
    transformed += pixel;
  }
}

function clearColumn(target: usize): void {
  const end = target + 6 * SCRATCH_LINE;
  for (; target < end; target += SCRATCH_LINE) v128.store(target, f32x4.splat(0));
}

/** Bᵀ·d of F(4×4,3×3) along one axis. */
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

/** Bᵀ·d of F(2×2,3×3) along one axis. */
function transformInput4(d0: v128, d1: v128, d2: v128, d3: v128, target: usize, step: usize): void {
  v128.store(target, f32x4.sub(d0, d2));
  v128.store(target + step, f32x4.add(d1, d2));
  v128.store(target + 2 * step, f32x4.sub(d2, d1));
  v128.store(target + 3 * step, f32x4.sub(d1, d3));
}

/** Transforms the products of `tiles` tiles back, adds the bias, finishes and stores the outputs. */
export function transformFloat32Outputs(
  d: WinogradDescriptor,
  finish: Float32FinishDescriptor,
  products: usize,
  output: usize,
  firstTile: i32,
  tiles: i32,
): void {
  const outputs = d.tileOutputs;
  const size = outputs + 2;
  const pixel = (<usize>d.outputChannels) << 2;
  const lineBytes = <usize>d.outputWidth * pixel;
  const plane = <usize>d.outputPlane;
  const scratch = d.scratch;
  const perNeuron = finish.thresholdStride != 0;
  for (let tile = firstTile; tile < firstTile + tiles; tile++) {
    const tilesPerImage = d.tileRows * d.tileColumns;
    const place = tile % tilesPerImage;
    const y = (place / d.tileColumns) * outputs;
    const x = (place % d.tileColumns) * outputs;
    const rows = min(d.outputHeight - y, outputs);
    const columns = min(d.outputWidth - x, outputs);
    const firstLine = (tile / tilesPerImage) * d.outputHeight + y;
    const corner = output + <usize>firstLine * lineBytes + <usize>x * pixel;
    for (let channel: usize = 0; channel < pixel; channel += 16) {
      let source = products + channel;
      const row = plane * size;
      for (let j = 0; j < size; j++) {
        const target = scratch + ((<usize>j) << 4);
        if (outputs == 4) {
          transformOutput6(
            v128.load(source),
            v128.load(source + row),
            v128.load(source + 2 * row),
            v128.load(source + 3 * row),
            v128.load(source + 4 * row),
            v128.load(source + 5 * row),
            target,
            SCRATCH_LINE,
          );
        } else {
          transformOutput4(
            v128.load(source),
            v128.load(source + row),
            v128.load(source + 2 * row),
            v128.load(source + 3 * row),
            target,
            SCRATCH_LINE,
          );
        }
        source += plane;
      }
      let line = scratch;
      let target = corner + channel;
      for (let i = 0; i < rows; i++) {
        if (outputs == 4) {
          transformOutput6(
            v128.load(line),
            v128.load(line, 16),
            v128.load(line, 32),
            v128.load(line, 48),
            v128.load(line, 64),
            v128.load(line, 80),
            line,
            16,
          );
        } else {
          transformOutput4(
            v128.load(line),
            v128.load(line, 16),
            v128.load(line, 32),
            v128.load(line, 48),
            line,
            16,
          );
        }
        if (perNeuron) {
          const position = (y + i) * d.outputWidth + x;
          finishTileLinePerNeuron(finish, d.bias, position, channel, line, target, columns);
        } else {
          finishTileLine(finish, d.bias, channel, line, target, columns);
        }
        line += SCRATCH_LINE;
        target += lineBytes;
      }
    }
    products += pixel;
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
  const eightfold = f32x4.mul(f32x4.splat(8), difference2);
  v128.store(target, f32x4.add(f32x4.add(m0, sum1), sum2));
  v128.store(target + step, f32x4.add(difference1, f32x4.add(difference2, difference2)));
  v128.store(target + 2 * step, f32x4.add(sum1, f32x4.mul(f32x4.splat(4), sum2)));
  v128.store(target + 3 * step, f32x4.add(f32x4.add(difference1, eightfold), m5));
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
