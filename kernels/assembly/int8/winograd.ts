import { CHANNEL_BLOCK, Tile, TransformDescriptor } from './transform';

/**
 * Winograd's F(4×4, 3×3) in integers modulo 2^32: kernels/reference/winograd.ts defines and proves it. A tile is
 * 4×4 outputs from 6×6 inputs by 36 products; element 6i + j belongs to row i and column j.
 */
/** Bytes of one of the 36 intermediate vectors of a block of channels. */
const LINE: usize = 128;

/** 9⁻¹ modulo 2^32. */
const INVERSE_OF_9: i32 = 0x38e38e39;

/** Transforms the inputs of `tiles` tiles, which count image-major from `firstTile`. */
export function transformInputs4x4(
  d: TransformDescriptor,
  input: usize,
  firstTile: i32,
  tiles: i32,
): void {
  const tilesPerImage = d.tilesY * d.tilesX;
  const imageBytes = <usize>(d.inputHeight * d.inputWidth * d.inputChannels);
  let image = input + <usize>(firstTile / tilesPerImage) * imageBytes;
  let tileY = (firstTile % tilesPerImage) / d.tilesX;
  let tileX = firstTile % d.tilesX;
  let target = d.inputs;
  for (let tile = 0; tile < tiles; tile++) {
    transformInput(d, image, tileY * 4 - d.padTop, tileX * 4 - d.padLeft, target);
    target += d.inputRow;
    if (++tileX == d.tilesX) {
      tileX = 0;
      if (++tileY == d.tilesY) {
        tileY = 0;
        image += imageBytes;
      }
    }
  }
}

function transformInput(d: TransformDescriptor, image: usize, y: i32, x: i32, target: usize): void {
  const zeroPoint = i16x8.splat(<i16>d.inputZeroPoint);
  const element = <usize>d.inputElement;
  for (let channel = 0; channel < d.inputChannels; channel += CHANNEL_BLOCK) {
    const count = min(d.inputChannels - channel, CHANNEL_BLOCK);
    let line = d.scratch;
    for (let i = 0; i < 6; i++, line += 6 * LINE) {
      let p0 = Tile.pixelAddress(d, image, y + i, x) + channel;
      let p1 = Tile.pixelAddress(d, image, y + i, x + 1) + channel;
      let p2 = Tile.pixelAddress(d, image, y + i, x + 2) + channel;
      let p3 = Tile.pixelAddress(d, image, y + i, x + 3) + channel;
      let p4 = Tile.pixelAddress(d, image, y + i, x + 4) + channel;
      let p5 = Tile.pixelAddress(d, image, y + i, x + 5) + channel;
      for (let c: usize = 0; c < <usize>count; c += 8) {
        Inline.transformLine(
          Tile.loadCentred(p0 + c, zeroPoint),
          Tile.loadCentred(p1 + c, zeroPoint),
          Tile.loadCentred(p2 + c, zeroPoint),
          Tile.loadCentred(p3 + c, zeroPoint),
          Tile.loadCentred(p4 + c, zeroPoint),
          Tile.loadCentred(p5 + c, zeroPoint),
          line + (c << 1),
          LINE,
        );
      }
    }
    line = d.scratch;
    let out = target + ((<usize>channel) << 1);
    for (let j = 0; j < 6; j++, line += LINE, out += element) {
      for (let c: usize = 0; c < (<usize>count) << 1; c += 16) {
        const source = line + c;
        Inline.transformLine(
          v128.load(source),
          v128.load(source, 6 * LINE),
          v128.load(source, 12 * LINE),
          v128.load(source, 18 * LINE),
          v128.load(source, 24 * LINE),
          v128.load(source, 30 * LINE),
          out + c,
          6 * element,
        );
      }
    }
  }
}

/** Functions whose code is copied to each call: constants then fold into it. */
class Inline {
  /** Bᵀ times six vectors; the six results are `stride` bytes apart. */
  @inline
  static transformLine(
    d0: v128,
    d1: v128,
    d2: v128,
    d3: v128,
    d4: v128,
    d5: v128,
    target: usize,
    stride: usize,
  ): void {
    const even = i16x8.sub(d4, d2);
    const odd = i16x8.sub(d3, d1);
    const odd2 = i16x8.add(odd, odd);
    v128.store(target, i16x8.add(i16x8.shl(i16x8.sub(d0, d2), 2), even));
    const sum = i16x8.sub(d4, i16x8.shl(d2, 2));
    const difference = i16x8.sub(d3, i16x8.shl(d1, 2));
    v128.store(target + stride, i16x8.add(sum, difference));
    v128.store(target + 2 * stride, i16x8.sub(sum, difference));
    v128.store(target + 3 * stride, i16x8.add(even, odd2));
    v128.store(target + 4 * stride, i16x8.sub(even, odd2));
    v128.store(target + 5 * stride, i16x8.sub(i16x8.sub(d5, d3), i16x8.shl(odd, 2)));
  }

  /** Aᵀ times six vectors, the division by 576, and the bias. The four rows of Aᵀ hold 1, 2, 4 and 4 times. */
  @inline
  static outputLine(source: usize, shift: i32, bias: v128, target: usize, row: usize): void {
    const m1 = v128.load(source, 16);
    const m2 = v128.load(source, 32);
    const m3 = v128.load(source, 48);
    const m4 = v128.load(source, 64);
    const s12 = i32x4.add(m1, m2);
    const d12 = i32x4.sub(m1, m2);
    const s34 = i32x4.add(m3, m4);
    const d34 = i32x4.sub(m3, m4);
    const y0 = i32x4.add(i32x4.add(v128.load(source), s34), i32x4.shl(s12, 2));
    const y1 = i32x4.add(i32x4.add(d12, d12), d34);
    const y2 = i32x4.add(s12, s34);
    const y3 = i32x4.add(i32x4.add(d12, v128.load(source, 80)), i32x4.add(d34, d34));
    v128.store(target, Inline.divide(y0, shift, bias));
    v128.store(target + row, Inline.divide(y1, shift - 1, bias));
    v128.store(target + 2 * row, Inline.divide(y2, shift - 2, bias));
    v128.store(target + 3 * row, Inline.divide(y3, shift - 2, bias));
  }

  @inline
  static divide(scaled: v128, shift: i32, bias: v128): v128 {
    const inverse = i32x4.splat(INVERSE_OF_9);
    return i32x4.add(i32x4.shr_s(i32x4.mul(scaled, inverse), shift), bias);
  }

  /** `transformTriple` of eight kernels, one a lane; the three vectors of weights are `step` bytes apart. */
  @inline
  static transformLanes(weights: usize, step: usize, target: usize, stride: usize): void {
    const w0 = v128.load(weights);
    const w1 = v128.load(weights + step);
    const w2 = v128.load(weights + 2 * step);
    const six = i16x8.splat(6);
    const outer = i16x8.add(w0, w2);
    const far = i16x8.add(w0, i16x8.shl(w2, 2));
    const twice = i16x8.add(w1, w1);
    v128.store(target, i16x8.mul(w0, six));
    v128.store(target + stride, i16x8.neg(i16x8.add(outer, w1)));
    v128.store(target + 2 * stride, i16x8.sub(w1, outer));
    v128.store(target + 3 * stride, i16x8.add(far, twice));
    v128.store(target + 4 * stride, i16x8.sub(far, twice));
    v128.store(target + 5 * stride, i16x8.mul(w2, six));
  }

  /** The scaled G times three weights; the six results are `stride` bytes apart. */
  @inline
  static transformTriple<T>(w0: i32, w1: i32, w2: i32, target: usize, stride: usize): void {
    const outer = w0 + w2;
    const far = w0 + (w2 << 2);
    store<T>(target, <T>(6 * w0));
    store<T>(target + stride, <T>(-outer - w1));
    store<T>(target + 2 * stride, <T>(w1 - outer));
    store<T>(target + 3 * stride, <T>(far + (w1 << 1)));
    store<T>(target + 4 * stride, <T>(far - (w1 << 1)));
    store<T>(target + 5 * stride, <T>(6 * w2));
  }
}

/** Accumulators [16 positions][`channels`, padded to 16] of one tile; `products` is its element 0. */
export function transformOutput4x4(
  d: TransformDescriptor,
  products: usize,
  bias: usize,
  channels: i32,
  accumulators: usize,
): void {
  const element = <usize>d.productElement;
  const row = <usize>d.accumulatorRow;
  const scratch = d.scratch;
  for (let c: usize = 0; c < (<usize>channels) << 2; c += 16) {
    let source = products + c;
    for (let line = scratch; line < scratch + 6 * 16; line += 16, source += element) {
      const m0 = v128.load(source);
      const m1 = v128.load(source + 6 * element);
      const m2 = v128.load(source + 12 * element);
      const m3 = v128.load(source + 18 * element);
      const m4 = v128.load(source + 24 * element);
      const m5 = v128.load(source + 30 * element);
      const s12 = i32x4.add(m1, m2);
      const d12 = i32x4.sub(m1, m2);
      const s34 = i32x4.add(m3, m4);
      const d34 = i32x4.sub(m3, m4);
      v128.store(line, i32x4.add(i32x4.add(m0, s34), i32x4.shl(s12, 2)));
      v128.store(line, i32x4.add(i32x4.add(d12, d12), d34), 96);
      v128.store(line, i32x4.add(s12, s34), 192);
      v128.store(line, i32x4.add(i32x4.add(d12, m5), i32x4.add(d34, d34)), 288);
    }
    const b = v128.load(bias + c);
    const target = accumulators + c;
    Inline.outputLine(scratch, 6, b, target, row);
    Inline.outputLine(scratch + 96, 5, b, target + 4 * row, row);
    Inline.outputLine(scratch + 192, 4, b, target + 8 * row, row);
    Inline.outputLine(scratch + 288, 4, b, target + 12 * row, row);
  }
}

/**
 * Transforms eight 3×3 kernels, one a lane.
 * @param scratch room for 18 vectors
 * @param taps nine vectors of weights less their zero points
 * @param target where the vectors of the elements go, `stride` bytes apart
 */
export function transformKernels4x4(
  scratch: usize,
  taps: usize,
  target: usize,
  stride: usize,
): void {
  for (let kx: usize = 0; kx < 48; kx += 16) {
    Inline.transformLanes(taps + kx, 48, scratch + kx, 48);
  }
  for (let line = scratch; line < scratch + 6 * 48; line += 48, target += 6 * stride) {
    Inline.transformLanes(line, 16, target, stride);
  }
}

/** Transforms one 3×3 kernel; its elements are `stride` bytes apart. */
export function transformKernel4x4(
  d: TransformDescriptor,
  kernel: i32,
  target: usize,
  stride: usize,
): void {
  const scratch = d.scratch;
  const zeroPoint = load<i32>(d.weightZeroPoints + ((<usize>(kernel / d.inputChannels)) << 2));
  const source = d.storedWeights + <usize>kernel * 9;
  for (let kx: usize = 0; kx < 3; kx++) {
    const w0 = <i32>load<i8>(source + kx) - zeroPoint;
    const w1 = <i32>load<i8>(source + kx, 3) - zeroPoint;
    const w2 = <i32>load<i8>(source + kx, 6) - zeroPoint;
    Inline.transformTriple<i32>(w0, w1, w2, scratch + (kx << 2), 12);
  }
  for (let i: usize = 0; i < 6; i++) {
    const line = scratch + i * 12;
    const w0 = load<i32>(line);
    const w1 = load<i32>(line, 4);
    const w2 = load<i32>(line, 8);
    Inline.transformTriple<i16>(w0, w1, w2, target + i * 6 * stride, stride);
  }
}
