import { Tile, TransformDescriptor } from './transform';

/**
 * A 3×3 convolution of a 2×2 map with a padding of 1 by 9 products a pair of channels, not 16: along each
 * axis y0 = w1 x0 + w2 x1 and y1 = w0 x0 + w1 x1 is a 2×2 Toeplitz matrix times a vector, which Karatsuba's
 * identity computes from m0 = w1 (x0 + x1), m1 = (w2 − w1) x1, m2 = (w0 − w1) x0 as m0 + m1 and m0 + m2.
 * Nothing is divided: it is exact modulo 2^32 for any weights. Element 3i + j belongs to row i, column j.
 */
/** Transforms the inputs of `tiles` images, each one tile. */
export function transformInputs2x2(
  d: TransformDescriptor,
  input: usize,
  firstTile: i32,
  tiles: i32,
): void {
  const zeroPoint = i16x8.splat(<i16>d.inputZeroPoint);
  const channels = <usize>d.inputChannels;
  const element = <usize>d.inputElement;
  let source = input + <usize>firstTile * 4 * channels;
  let row = d.inputs;
  for (let tile = 0; tile < tiles; tile++) {
    for (let c: usize = 0; c < channels; c += 8) {
      const x00 = Tile.loadCentred(source + c, zeroPoint);
      const x01 = Tile.loadCentred(source + channels + c, zeroPoint);
      const x10 = Tile.loadCentred(source + 2 * channels + c, zeroPoint);
      const x11 = Tile.loadCentred(source + 3 * channels + c, zeroPoint);
      const target = row + (c << 1);
      Inline.transformPair(i16x8.add(x00, x10), i16x8.add(x01, x11), target, element);
      Inline.transformPair(x10, x11, target + 3 * element, element);
      Inline.transformPair(x00, x01, target + 6 * element, element);
    }
    source += 4 * channels;
    row += d.inputRow;
  }
}

/** Functions whose code is copied to each call: constants then fold into it. */
class Inline {
  @inline
  static transformPair(x0: v128, x1: v128, target: usize, element: usize): void {
    v128.store(target, i16x8.add(x0, x1));
    v128.store(target + element, x1);
    v128.store(target + 2 * element, x0);
  }

  @inline
  static difference(line: usize, column: usize, zeroPoint: i32): i32 {
    const middle = <i32>load<i8>(line, 1);
    return column == 1 ? middle - zeroPoint : <i32>load<i8>(line + column) - middle;
  }
}

/** Accumulators [4 positions][`channels`, padded to 16] of one tile; `products` is its element 0. */
export function transformOutput2x2(
  d: TransformDescriptor,
  products: usize,
  bias: usize,
  channels: i32,
  accumulators: usize,
): void {
  const element = <usize>d.productElement;
  const row = <usize>d.accumulatorRow;
  for (let c: usize = 0; c < (<usize>channels) << 2; c += 16) {
    const b = v128.load(bias + c);
    const m00 = i32x4.add(v128.load(products + c), b);
    const m01 = v128.load(products + element + c);
    const m02 = v128.load(products + 2 * element + c);
    const middle = products + 3 * element + c;
    const last = products + 6 * element + c;
    const top0 = i32x4.add(m00, v128.load(middle));
    const top1 = i32x4.add(m01, v128.load(middle + element));
    const top2 = i32x4.add(m02, v128.load(middle + 2 * element));
    const bottom0 = i32x4.add(m00, v128.load(last));
    const bottom1 = i32x4.add(m01, v128.load(last + element));
    const bottom2 = i32x4.add(m02, v128.load(last + 2 * element));
    const target = accumulators + c;
    v128.store(target, i32x4.add(top0, top1));
    v128.store(target + row, i32x4.add(top0, top2));
    v128.store(target + 2 * row, i32x4.add(bottom0, bottom1));
    v128.store(target + 3 * row, i32x4.add(bottom0, bottom2));
  }
}

/** Like `transformKernels4x4`. */
export function transformKernels2x2(taps: usize, target: usize, stride: usize): void {
  for (let ky: usize = 0; ky < 3; ky++) {
    // Rows of weights in the order of the elements: 1, 2 and 0, the latter two less row 1.
    const row = ky == 0 ? taps + 48 : ky == 1 ? taps + 96 : taps;
    let w0 = v128.load(row);
    let w1 = v128.load(row, 16);
    let w2 = v128.load(row, 32);
    if (ky > 0) {
      w0 = i16x8.sub(w0, v128.load(taps, 48));
      w1 = i16x8.sub(w1, v128.load(taps, 64));
      w2 = i16x8.sub(w2, v128.load(taps, 80));
    }
    v128.store(target, w1);
    v128.store(target + stride, i16x8.sub(w2, w1));
    v128.store(target + 2 * stride, i16x8.sub(w0, w1));
    target += 3 * stride;
  }
}

/** Like `transformKernel4x4`. */
export function transformKernel2x2(
  d: TransformDescriptor,
  kernel: i32,
  target: usize,
  stride: usize,
): void {
  const zeroPoint = load<i32>(d.weightZeroPoints + ((<usize>(kernel / d.inputChannels)) << 2));
  const source = d.storedWeights + <usize>kernel * 9;
  for (let kx: usize = 0; kx < 3; kx++) {
    // Column kx of the transformed kernel is column 1, or column 2 or 0 less column 1.
    const column: usize = kx == 0 ? 1 : kx == 1 ? 2 : 0;
    const w0 = Inline.difference(source, column, zeroPoint);
    const w1 = Inline.difference(source + 3, column, zeroPoint);
    const w2 = Inline.difference(source + 6, column, zeroPoint);
    store<i16>(target + kx * stride, <i16>w1);
    store<i16>(target + (kx + 3) * stride, <i16>(w2 - w1));
    store<i16>(target + (kx + 6) * stride, <i16>(w0 - w1));
  }
}
