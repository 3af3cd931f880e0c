import { multiplyInt16 } from '../multiply';

/** Bytes of a pair of one panel in int8: 16 columns of two weights. */
const PAIR: usize = 32;

/** Most rows for which weights are widened as they are read; for more they are widened once. */
const MOST_WIDENING_ROWS: i32 = 4;

/**
 * `multiplyInt16` with weights of int8, [depth][16 columns][2].
 * @param widened room for the panel in int16
 */
export function multiplyInt8Weights(
  a: usize,
  aStride: usize,
  b: usize,
  c: usize,
  cStride: usize,
  rows: i32,
  depth: i32,
  bias: usize,
  widened: usize,
): void {
  if (rows > MOST_WIDENING_ROWS) {
    widen(b, widened, depth);
    multiplyInt16(a, aStride, widened, c, cStride, rows, depth, bias);
    return;
  }
  for (; rows >= 2; rows -= 2) {
    multiplyRowPair(a, a + aStride, b, c, c + cStride, depth, bias);
    a += 2 * aStride;
    c += 2 * cStride;
  }
  if (rows) multiplyRow(a, b, c, depth, bias);
}

function widen(b: usize, widened: usize, depth: i32): void {
  for (const end = b + <usize>depth * PAIR; b < end; b += PAIR, widened += 2 * PAIR) {
    v128.store(widened, v128.load8x8_s(b));
    v128.store(widened, v128.load8x8_s(b, 8), 16);
    v128.store(widened, v128.load8x8_s(b, 16), 32);
    v128.store(widened, v128.load8x8_s(b, 24), 48);
  }
}

function accumulate(sum: v128, x: v128, w: v128): v128 {
  return i32x4.add(sum, i32x4.dot_i16x8_s(x, w));
}

function multiplyRowPair(
  a0: usize,
  a1: usize,
  b: usize,
  c0: usize,
  c1: usize,
  depth: i32,
  bias: usize,
): void {
  const start0 = bias ? bias : c0;
  const start1 = bias ? bias : c1;
  let s00 = v128.load(start0);
  let s01 = v128.load(start0, 16);
  let s02 = v128.load(start0, 32);
  let s03 = v128.load(start0, 48);
  let s10 = v128.load(start1);
  let s11 = v128.load(start1, 16);
  let s12 = v128.load(start1, 32);
  let s13 = v128.load(start1, 48);
  for (const end = a0 + ((<usize>depth) << 2); a0 < end; a0 += 4, a1 += 4, b += PAIR) {
    const x0 = v128.load32_splat(a0);
    const x1 = v128.load32_splat(a1);
    let w = v128.load8x8_s(b);
    s00 = accumulate(s00, x0, w);
    s10 = accumulate(s10, x1, w);
    w = v128.load8x8_s(b, 8);
    s01 = accumulate(s01, x0, w);
    s11 = accumulate(s11, x1, w);
    w = v128.load8x8_s(b, 16);
    s02 = accumulate(s02, x0, w);
    s12 = accumulate(s12, x1, w);
    w = v128.load8x8_s(b, 24);
    s03 = accumulate(s03, x0, w);
    s13 = accumulate(s13, x1, w);
  }
  v128.store(c0, s00);
  v128.store(c0, s01, 16);
  v128.store(c0, s02, 32);
  v128.store(c0, s03, 48);
  v128.store(c1, s10);
  v128.store(c1, s11, 16);
  v128.store(c1, s12, 32);
  v128.store(c1, s13, 48);
}

function multiplyRow(a: usize, b: usize, c: usize, depth: i32, bias: usize): void {
  const start = bias ? bias : c;
  let s0 = v128.load(start);
  let s1 = v128.load(start, 16);
  let s2 = v128.load(start, 32);
  let s3 = v128.load(start, 48);
  for (const end = a + ((<usize>depth) << 2); a < end; a += 4, b += PAIR) {
    const x = v128.load32_splat(a);
    s0 = accumulate(s0, x, v128.load8x8_s(b));
    s1 = accumulate(s1, x, v128.load8x8_s(b, 8));
    s2 = accumulate(s2, x, v128.load8x8_s(b, 16));
    s3 = accumulate(s3, x, v128.load8x8_s(b, 24));
  }
  v128.store(c, s0);
  v128.store(c, s1, 16);
  v128.store(c, s2, 32);
  v128.store(c, s3, 48);
}

/**
 * What weight zero points make of the sums of `rows` windows: −zero point · Σ x for each channel, modulo 2^32.
 * @param count values of a window
 * @param zeroPoints one int32 a channel, padded to a multiple of four as the accumulators are
 */
export function subtractZeroPoints(
  windows: usize,
  windowBytes: usize,
  count: i32,
  accumulators: usize,
  rowStride: usize,
  rows: i32,
  zeroPoints: usize,
  channels: i32,
): void {
  for (let row = 0; row < rows; row++) {
    const sum = i32x4.splat(sumOf(windows, count));
    for (let offset: usize = 0; offset < (<usize>channels) << 2; offset += 16) {
      const product = i32x4.mul(sum, v128.load(zeroPoints + offset));
      const place = accumulators + offset;
      v128.store(place, i32x4.sub(v128.load(place), product));
    }
    windows += windowBytes;
    accumulators += rowStride;
  }
}

function sumOf(values: usize, count: i32): i32 {
  const end = values + ((<usize>count) << 1);
  let four = i32x4.splat(0);
  for (; values + 16 <= end; values += 16) {
    four = i32x4.add(four, i32x4.dot_i16x8_s(v128.load(values), i16x8.splat(1)));
  }
  let sum =
    i32x4.extract_lane(four, 0) +
    i32x4.extract_lane(four, 1) +
    i32x4.extract_lane(four, 2) +
    i32x4.extract_lane(four, 3);
  for (; values < end; values += 2) sum += <i32>load<i16>(values);
  return sum;
}
