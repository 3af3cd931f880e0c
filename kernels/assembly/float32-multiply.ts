/** Bytes of one row of a packed panel: 16 columns. */
const PANEL_ROW: usize = 64;

/** Fields in the order of `productDescriptor` in kernels/wasm/float32-descriptors.ts. */
@unmanaged
class ProductDescriptor {
  /** Bytes from one row of A to the next. */
  rowBytes: i32;
  /** Bytes from one panel of B to the next. */
  panelBytes: i32;
  panels: i32;
  /** Bytes from one row of C to the next. */
  sumBytes: i32;
}

/**
 * C = A·B in float32: `rows` rows times panels [depth][16 columns]. Products and sums are rounded
 * separately and added in ascending k. The sums start at `start` (one row of C), or, when it is 0, at what
 * C holds.
 */
export function multiplyFloat32Panels(
  d: ProductDescriptor,
  a: usize,
  b: usize,
  c: usize,
  rows: i32,
  depth: i32,
  start: usize,
): void {
  for (let panel = 0; panel < d.panels; panel++) {
    multiplyPanel(a, d.rowBytes, b, c, d.sumBytes, rows, depth, start);
    b += d.panelBytes;
    c += PANEL_ROW;
    if (start) start += PANEL_ROW;
  }
}

function multiplyPanel(
  a: usize,
  aStride: usize,
  b: usize,
  c: usize,
  cStride: usize,
  rows: i32,
  depth: i32,
  start: usize,
): void {
  for (; rows >= 2; rows -= 2) {
    multiplyRowPair(a, a + aStride, b, c, c + cStride, depth, start);
    a += 2 * aStride;
    c += 2 * cStride;
  }
  if (rows) multiplyRow(a, b, c, depth, start);
}

function accumulate(sum: v128, x: v128, w: v128): v128 {
  return f32x4.add(sum, f32x4.mul(x, w));
}

/** Two rows × 16 columns: eight accumulators were the fastest of all shapes tried with 6 to 12. */
function multiplyRowPair(
  a0: usize,
  a1: usize,
  b: usize,
  c0: usize,
  c1: usize,
  depth: i32,
  start: usize,
): void {
  const start0 = start ? start : c0;
  const start1 = start ? start : c1;
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
    s00 = accumulate(s00, x0, w);
    s10 = accumulate(s10, x1, w);
    w = v128.load(b, 16);
    s01 = accumulate(s01, x0, w);
    s11 = accumulate(s11, x1, w);
    w = v128.load(b, 32);
    s02 = accumulate(s02, x0, w);
    s12 = accumulate(s12, x1, w);
    w = v128.load(b, 48);
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

function multiplyRow(a: usize, b: usize, c: usize, depth: i32, start: usize): void {
  const first = start ? start : c;
  let s0 = v128.load(first);
  let s1 = v128.load(first, 16);
  let s2 = v128.load(first, 32);
  let s3 = v128.load(first, 48);
  for (const end = a + ((<usize>depth) << 2); a < end; a += 4, b += PANEL_ROW) {
    const x = v128.load32_splat(a);
    s0 = accumulate(s0, x, v128.load(b));
    s1 = accumulate(s1, x, v128.load(b, 16));
    s2 = accumulate(s2, x, v128.load(b, 32));
    s3 = accumulate(s3, x, v128.load(b, 48));
  }
  v128.store(c, s0);
  v128.store(c, s1, 16);
  v128.store(c, s2, 32);
  v128.store(c, s3, 48);
}
