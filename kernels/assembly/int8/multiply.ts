import { TransformDescriptor } from './transform';

/** Bytes of a pair of input channels of one packed panel: 16 columns of two int16. */
const PANEL_ROW: usize = 64;

/** Pairs along K of one pass: their panel is half of a level-1 cache of 32 KiB. */
const DEPTH_BLOCK: i32 = 256;

/**
 * The products of `tiles` transformed tiles with `panels` panels of transformed weights, one matrix
 * product an element. A panel's block stays in the level-1 cache while all tiles pass.
 */
export function multiplyElements(
  d: TransformDescriptor,
  elements: i32,
  tiles: i32,
  firstPanel: i32,
  panels: i32,
): void {
  const depth = (d.inputChannels + 1) >> 1;
  const panelBytes = <usize>d.panelBytes;
  let a = d.inputs;
  let c = d.products;
  for (let element = 0; element < elements; element++) {
    let b = d.weights + <usize>(firstPanel * elements + element) * panelBytes;
    for (let panel = 0; panel < panels; panel++) {
      for (let k = 0; k < depth; k += DEPTH_BLOCK) {
        multiplyTile(
          a + ((<usize>k) << 2),
          d.inputRow,
          b + <usize>k * PANEL_ROW,
          c + ((<usize>panel) << 6),
          d.productRow,
          tiles,
          min(depth - k, DEPTH_BLOCK),
          k > 0,
        );
      }
      b += <usize>elements * panelBytes;
    }
    a += d.inputElement;
    c += d.productElement;
  }
}

function multiplyTile(
  a: usize,
  aStride: usize,
  b: usize,
  c: usize,
  cStride: usize,
  rows: i32,
  depth: i32,
  add: bool,
): void {
  for (; rows >= 2; rows -= 2) {
    multiplyRowPair(a, a + aStride, b, c, c + cStride, depth, add);
    a += 2 * aStride;
    c += 2 * cStride;
  }
  if (rows) multiplyRow(a, b, c, depth, add);
}

/** Functions whose code is copied to each call: constants then fold into it. */
class Inline {
  @inline
  static accumulate(sum: v128, x: v128, w: v128): v128 {
    return i32x4.add(sum, i32x4.dot_i16x8_s(x, w));
  }
}

/** Two rows × 16 columns: eight accumulators, the most that x86-64's 16 registers hold without spills. */
function multiplyRowPair(
  a0: usize,
  a1: usize,
  b: usize,
  c0: usize,
  c1: usize,
  depth: i32,
  add: bool,
): void {
  let s00 = i64x2.splat(0);
  let s01 = s00;
  let s02 = s00;
  let s03 = s00;
  let s10 = s00;
  let s11 = s00;
  let s12 = s00;
  let s13 = s00;
  if (add) {
    s00 = v128.load(c0);
    s01 = v128.load(c0, 16);
    s02 = v128.load(c0, 32);
    s03 = v128.load(c0, 48);
    s10 = v128.load(c1);
    s11 = v128.load(c1, 16);
    s12 = v128.load(c1, 32);
    s13 = v128.load(c1, 48);
  }
  const last = a0 + ((<usize>depth) << 2);
  const last1 = last - 4;
  for (;;) {
    let x0 = v128.load32_splat(a0);
    let x1 = v128.load32_splat(a1);
    let w = v128.load(b);
    s00 = Inline.accumulate(s00, x0, w);
    s10 = Inline.accumulate(s10, x1, w);
    w = v128.load(b, 16);
    s01 = Inline.accumulate(s01, x0, w);
    s11 = Inline.accumulate(s11, x1, w);
    w = v128.load(b, 32);
    s02 = Inline.accumulate(s02, x0, w);
    s12 = Inline.accumulate(s12, x1, w);
    w = v128.load(b, 48);
    s03 = Inline.accumulate(s03, x0, w);
    s13 = Inline.accumulate(s13, x1, w);
    if (a0 == last1) break;
    x0 = v128.load32_splat(a0, 4);
    x1 = v128.load32_splat(a1, 4);
    w = v128.load(b, 64);
    s00 = Inline.accumulate(s00, x0, w);
    s10 = Inline.accumulate(s10, x1, w);
    w = v128.load(b, 80);
    s01 = Inline.accumulate(s01, x0, w);
    s11 = Inline.accumulate(s11, x1, w);
    w = v128.load(b, 96);
    s02 = Inline.accumulate(s02, x0, w);
    s12 = Inline.accumulate(s12, x1, w);
    w = v128.load(b, 112);
    s03 = Inline.accumulate(s03, x0, w);
    s13 = Inline.accumulate(s13, x1, w);
    a0 += 8;
    if (a0 == last) break;
    a1 += 8;
    b += 2 * PANEL_ROW;
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

function multiplyRow(a: usize, b: usize, c: usize, depth: i32, add: bool): void {
  let s0 = i64x2.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  if (add) {
    s0 = v128.load(c);
    s1 = v128.load(c, 16);
    s2 = v128.load(c, 32);
    s3 = v128.load(c, 48);
  }
  for (const end = a + ((<usize>depth) << 2); a < end; a += 4, b += PANEL_ROW) {
    const x = v128.load32_splat(a);
    s0 = Inline.accumulate(s0, x, v128.load(b));
    s1 = Inline.accumulate(s1, x, v128.load(b, 16));
    s2 = Inline.accumulate(s2, x, v128.load(b, 32));
    s3 = Inline.accumulate(s3, x, v128.load(b, 48));
  }
  v128.store(c, s0);
  v128.store(c, s1, 16);
  v128.store(c, s2, 32);
  v128.store(c, s3, 48);
}
