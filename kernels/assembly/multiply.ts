/** Bytes of one row of a packed panel: 16 columns of an int16 pair, or of one float32. */
const PANEL_ROW: usize = 64;

/**
 * One tile of C = A·B in wrap-around int32: `rows` rows of int16 pairs times one panel
 * [depth][16 columns][2]. The sums start at `bias` (16 values), or, when it is 0, at what C holds.
 * @param depth pairs along K
 */
export function multiplyInt16(
  a: usize,
  aStride: usize,
  b: usize,
  c: usize,
  cStride: usize,
  rows: i32,
  depth: i32,
  bias: usize,
): void {
  multiplyTile<i16>(a, aStride, b, c, cStride, rows, depth, bias);
}

/** As `multiplyInt16`, for either type; float32 products and sums are rounded one by one, in ascending k. */
export function multiplyTile<T>(
  a: usize,
  aStride: usize,
  b: usize,
  c: usize,
  cStride: usize,
  rows: i32,
  depth: i32,
  bias: usize,
): void {
  for (; rows >= 2; rows -= 2) {
    multiplyRowPair<T>(a, a + aStride, b, c, c + cStride, depth, bias);
    a += 2 * aStride;
    c += 2 * cStride;
  }
  if (rows) multiplyRow<T>(a, b, c, depth, bias);
}

function accumulate<T>(sum: v128, x: v128, w: v128): v128 {
  return isFloat<T>() ? f32x4.add(sum, f32x4.mul(x, w)) : i32x4.add(sum, i32x4.dot_i16x8_s(x, w));
}

/** Two rows × 16 columns: eight accumulators, the most that x86-64's 16 registers hold without spills. */
function multiplyRowPair<T>(
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
  for (const end = a0 + ((<usize>depth) << 2); a0 < end; a0 += 4, a1 += 4, b += PANEL_ROW) {
    const x0 = v128.load32_splat(a0);
    const x1 = v128.load32_splat(a1);
    let w = v128.load(b);
    s00 = accumulate<T>(s00, x0, w);
    s10 = accumulate<T>(s10, x1, w);
    w = v128.load(b, 16);
    s01 = accumulate<T>(s01, x0, w);
    s11 = accumulate<T>(s11, x1, w);
    w = v128.load(b, 32);
    s02 = accumulate<T>(s02, x0, w);
    s12 = accumulate<T>(s12, x1, w);
    w = v128.load(b, 48);
    s03 = accumulate<T>(s03, x0, w);
    s13 = accumulate<T>(s13, x1, w);
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

function multiplyRow<T>(a: usize, b: usize, c: usize, depth: i32, bias: usize): void {
  const start = bias ? bias : c;
  let s0 = v128.load(start);
  let s1 = v128.load(start, 16);
  let s2 = v128.load(start, 32);
  let s3 = v128.load(start, 48);
  for (const end = a + ((<usize>depth) << 2); a < end; a += 4, b += PANEL_ROW) {
    const x = v128.load32_splat(a);
    s0 = accumulate<T>(s0, x, v128.load(b));
    s1 = accumulate<T>(s1, x, v128.load(b, 16));
    s2 = accumulate<T>(s2, x, v128.load(b, 32));
    s3 = accumulate<T>(s3, x, v128.load(b, 48));
  }
  v128.store(c, s0);
  v128.store(c, s1, 16);
  v128.store(c, s2, 32);
  v128.store(c, s3, 48);
}
