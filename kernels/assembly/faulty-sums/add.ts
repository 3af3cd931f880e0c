import {
  EACH_AND,
  EACH_OR,
  EACH_PRODUCT,
  EACH_XOR,
  PLAIN,
  RUN_BYTES,
  SumRun,
  SumStretch,
} from './descriptors';

/** Bytes of one word of weights of 16 channels, and of 4. */
const PANEL_ROW: usize = 64;
const QUAD_ROW: usize = 16;

const CANONICAL_NAN: i32 = 0x7fc00000;

/** Adds the products of a stretch to the int32 sums of `rows` output positions. */
export function addFaultySumsInt16(stretch: SumStretch, rows: i32): void {
  addStretch<i16>(stretch, rows);
}

/** As `addFaultySumsInt16`; float32 products and sums are rounded one by one. */
export function addFaultySumsFloat32(stretch: SumStretch, rows: i32): void {
  addStretch<f32>(stretch, rows);
}

function addStretch<T>(d: SumStretch, rows: i32): void {
  let weights = d.weights;
  let sums = d.sums;
  let bias = d.bias;
  for (let panel = 0; panel < d.panels; panel++) {
    addPanel<T>(d, weights, sums, bias, rows);
    weights += <usize>d.words * PANEL_ROW;
    sums += <usize>rows * PANEL_ROW;
    if (bias) bias += PANEL_ROW;
  }
  for (let quad = 0; quad < d.quads; quad++) {
    for (let row = 0; row < rows; row += 4) addQuad<T>(d, weights, sums, bias, row, rows - 1);
    weights += <usize>d.words * QUAD_ROW;
    sums += <usize>rows * QUAD_ROW;
    if (bias) bias += QUAD_ROW;
  }
}

function addPanel<T>(d: SumStretch, weights: usize, sums: usize, bias: usize, rows: i32): void {
  let window = d.windows;
  if (!d.dense) {
    for (; rows >= 2; rows -= 2) {
      addRowPair<T>(d, window, weights, sums, bias);
      window += 2 * d.windowBytes;
      sums += 2 * PANEL_ROW;
    }
  }
  for (; rows > 0; rows--) {
    addRow<T>(d, window, weights, sums, bias);
    window += d.windowBytes;
    sums += PANEL_ROW;
  }
}

function multiply<T>(x: v128, w: v128): v128 {
  return isFloat<T>() ? f32x4.mul(x, w) : i32x4.dot_i16x8_s(x, w);
}

function add<T>(sum: v128, product: v128): v128 {
  return isFloat<T>() ? f32x4.add(sum, product) : i32x4.add(sum, product);
}

/** What is read of faulty registers. A NaN is replaced after the masks: comparing it takes as long as they do. */
function pass<T>(v: v128, and: v128, xor: v128): v128 {
  const read = v128.xor(v128.and(v, and), xor);
  if (!isFloat<T>()) return read;
  const nan = v128.xor(v128.and(i32x4.splat(CANONICAL_NAN), and), xor);
  return v128.bitselect(nan, read, f32x4.ne(v, v));
}

/** Bytes of a window between the products of two words that hold one each. */
function productBytes<T>(): usize {
  return isFloat<T>() ? 4 : 2;
}

/** Two rows × 16 channels: eight accumulators, as in ../multiply.ts. */
function addRowPair<T>(d: SumStretch, a0: usize, b: usize, c: usize, bias: usize): void {
  let a1 = a0 + d.windowBytes;
  const start0 = bias ? bias : c;
  const start1 = bias ? bias : c + PANEL_ROW;
  let s00 = v128.load(start0);
  let s01 = v128.load(start0, 16);
  let s02 = v128.load(start0, 32);
  let s03 = v128.load(start0, 48);
  let s10 = v128.load(start1);
  let s11 = v128.load(start1, 16);
  let s12 = v128.load(start1, 32);
  let s13 = v128.load(start1, 48);
  for (let address = d.runs; address < d.runsEnd; address += RUN_BYTES) {
    const run = changetype<SumRun>(address);
    const end = b + <usize>run.words * PANEL_ROW;
    let masks = run.masks;
    if (run.kind == PLAIN) {
      for (; b < end; a0 += 4, a1 += 4, b += PANEL_ROW) {
        const x0 = v128.load32_splat(a0);
        const x1 = v128.load32_splat(a1);
        let w = v128.load(b);
        s00 = add<T>(s00, multiply<T>(x0, w));
        s10 = add<T>(s10, multiply<T>(x1, w));
        w = v128.load(b, 16);
        s01 = add<T>(s01, multiply<T>(x0, w));
        s11 = add<T>(s11, multiply<T>(x1, w));
        w = v128.load(b, 32);
        s02 = add<T>(s02, multiply<T>(x0, w));
        s12 = add<T>(s12, multiply<T>(x1, w));
        w = v128.load(b, 48);
        s03 = add<T>(s03, multiply<T>(x0, w));
        s13 = add<T>(s13, multiply<T>(x1, w));
      }
      a0 -= run.excess;
      a1 -= run.excess;
      const and = v128.load32_splat(masks);
      const xor = v128.load32_splat(masks, 4);
      s00 = pass<T>(s00, and, xor);
      s01 = pass<T>(s01, and, xor);
      s02 = pass<T>(s02, and, xor);
      s03 = pass<T>(s03, and, xor);
      s10 = pass<T>(s10, and, xor);
      s11 = pass<T>(s11, and, xor);
      s12 = pass<T>(s12, and, xor);
      s13 = pass<T>(s13, and, xor);
      continue;
    }
    const masked = run.kind == EACH_PRODUCT;
    const sumMasks: usize = masked ? 8 : 0;
    let productAnd = i64x2.splat(-1);
    let productXor = i64x2.splat(0);
    for (; b < end; a0 += productBytes<T>(), a1 += productBytes<T>(), b += PANEL_ROW) {
      if (masked) {
        productAnd = v128.load32_splat(masks);
        productXor = v128.load32_splat(masks, 4);
      }
      const and = v128.load32_splat(masks + sumMasks);
      const xor = v128.load32_splat(masks + sumMasks, 4);
      const x0 = v128.load32_splat(a0);
      const x1 = v128.load32_splat(a1);
      let w = v128.load(b);
      s00 = pass<T>(add<T>(s00, pass<T>(multiply<T>(x0, w), productAnd, productXor)), and, xor);
      s10 = pass<T>(add<T>(s10, pass<T>(multiply<T>(x1, w), productAnd, productXor)), and, xor);
      w = v128.load(b, 16);
      s01 = pass<T>(add<T>(s01, pass<T>(multiply<T>(x0, w), productAnd, productXor)), and, xor);
      s11 = pass<T>(add<T>(s11, pass<T>(multiply<T>(x1, w), productAnd, productXor)), and, xor);
      w = v128.load(b, 32);
      s02 = pass<T>(add<T>(s02, pass<T>(multiply<T>(x0, w), productAnd, productXor)), and, xor);
      s12 = pass<T>(add<T>(s12, pass<T>(multiply<T>(x1, w), productAnd, productXor)), and, xor);
      w = v128.load(b, 48);
      s03 = pass<T>(add<T>(s03, pass<T>(multiply<T>(x0, w), productAnd, productXor)), and, xor);
      s13 = pass<T>(add<T>(s13, pass<T>(multiply<T>(x1, w), productAnd, productXor)), and, xor);
      masks += run.maskBytes;
    }
  }
  v128.store(c, s00);
  v128.store(c, s01, 16);
  v128.store(c, s02, 32);
  v128.store(c, s03, 48);
  v128.store(c, s10, 64);
  v128.store(c, s11, 80);
  v128.store(c, s12, 96);
  v128.store(c, s13, 112);
}

/** One row × 16 channels. Four chains of dependent operations keep the vector units busy where masks lengthen them. */
function addRow<T>(d: SumStretch, a: usize, b: usize, c: usize, bias: usize): void {
  const start = bias ? bias : c;
  let s0 = v128.load(start);
  let s1 = v128.load(start, 16);
  let s2 = v128.load(start, 32);
  let s3 = v128.load(start, 48);
  for (let address = d.runs; address < d.runsEnd; address += RUN_BYTES) {
    const run = changetype<SumRun>(address);
    const end = b + <usize>run.words * PANEL_ROW;
    let masks = run.masks;
    if (run.kind == PLAIN) {
      for (; b < end; a += 4, b += PANEL_ROW) {
        const x = v128.load32_splat(a);
        s0 = add<T>(s0, multiply<T>(x, v128.load(b)));
        s1 = add<T>(s1, multiply<T>(x, v128.load(b, 16)));
        s2 = add<T>(s2, multiply<T>(x, v128.load(b, 32)));
        s3 = add<T>(s3, multiply<T>(x, v128.load(b, 48)));
      }
      a -= run.excess;
      const and = v128.load32_splat(masks);
      const xor = v128.load32_splat(masks, 4);
      s0 = pass<T>(s0, and, xor);
      s1 = pass<T>(s1, and, xor);
      s2 = pass<T>(s2, and, xor);
      s3 = pass<T>(s3, and, xor);
    } else if (run.kind == EACH_PRODUCT) {
      for (; b < end; a += productBytes<T>(), b += PANEL_ROW) {
        const x = v128.load32_splat(a);
        const productAnd = v128.load32_splat(masks);
        const productXor = v128.load32_splat(masks, 4);
        const and = v128.load32_splat(masks, 8);
        const xor = v128.load32_splat(masks, 12);
        let p = multiply<T>(x, v128.load(b));
        s0 = pass<T>(add<T>(s0, pass<T>(p, productAnd, productXor)), and, xor);
        p = multiply<T>(x, v128.load(b, 16));
        s1 = pass<T>(add<T>(s1, pass<T>(p, productAnd, productXor)), and, xor);
        p = multiply<T>(x, v128.load(b, 32));
        s2 = pass<T>(add<T>(s2, pass<T>(p, productAnd, productXor)), and, xor);
        p = multiply<T>(x, v128.load(b, 48));
        s3 = pass<T>(add<T>(s3, pass<T>(p, productAnd, productXor)), and, xor);
        masks += run.maskBytes;
      }
    } else if (!isFloat<T>() && run.kind == EACH_AND) {
      const mask = v128.load32_splat(masks);
      for (; b < end; a += productBytes<T>(), b += PANEL_ROW) {
        const x = v128.load32_splat(a);
        s0 = v128.and(add<T>(s0, multiply<T>(x, v128.load(b))), mask);
        s1 = v128.and(add<T>(s1, multiply<T>(x, v128.load(b, 16))), mask);
        s2 = v128.and(add<T>(s2, multiply<T>(x, v128.load(b, 32))), mask);
        s3 = v128.and(add<T>(s3, multiply<T>(x, v128.load(b, 48))), mask);
      }
    } else if (!isFloat<T>() && run.kind == EACH_OR) {
      const mask = v128.load32_splat(masks, 4);
      for (; b < end; a += productBytes<T>(), b += PANEL_ROW) {
        const x = v128.load32_splat(a);
        s0 = v128.or(add<T>(s0, multiply<T>(x, v128.load(b))), mask);
        s1 = v128.or(add<T>(s1, multiply<T>(x, v128.load(b, 16))), mask);
        s2 = v128.or(add<T>(s2, multiply<T>(x, v128.load(b, 32))), mask);
        s3 = v128.or(add<T>(s3, multiply<T>(x, v128.load(b, 48))), mask);
      }
    } else if (!isFloat<T>() && run.kind == EACH_XOR) {
      const mask = v128.load32_splat(masks, 4);
      for (; b < end; a += productBytes<T>(), b += PANEL_ROW) {
        const x = v128.load32_splat(a);
        s0 = v128.xor(add<T>(s0, multiply<T>(x, v128.load(b))), mask);
        s1 = v128.xor(add<T>(s1, multiply<T>(x, v128.load(b, 16))), mask);
        s2 = v128.xor(add<T>(s2, multiply<T>(x, v128.load(b, 32))), mask);
        s3 = v128.xor(add<T>(s3, multiply<T>(x, v128.load(b, 48))), mask);
      }
    } else {
      for (; b < end; a += productBytes<T>(), b += PANEL_ROW) {
        const x = v128.load32_splat(a);
        const and = v128.load32_splat(masks);
        const xor = v128.load32_splat(masks, 4);
        s0 = pass<T>(add<T>(s0, multiply<T>(x, v128.load(b))), and, xor);
        s1 = pass<T>(add<T>(s1, multiply<T>(x, v128.load(b, 16))), and, xor);
        s2 = pass<T>(add<T>(s2, multiply<T>(x, v128.load(b, 32))), and, xor);
        s3 = pass<T>(add<T>(s3, multiply<T>(x, v128.load(b, 48))), and, xor);
        masks += run.maskBytes;
      }
    }
  }
  v128.store(c, s0);
  v128.store(c, s1, 16);
  v128.store(c, s2, 32);
  v128.store(c, s3, 48);
}

/** Four rows × 4 channels. Rows past `lastRow` repeat it, and store the same sums. */
function addQuad<T>(
  d: SumStretch,
  weights: usize,
  sums: usize,
  bias: usize,
  row: i32,
  lastRow: i32,
): void {
  const row1 = min(row + 1, lastRow);
  const row2 = min(row + 2, lastRow);
  const row3 = min(row + 3, lastRow);
  let a0 = d.windows + <usize>row * d.windowBytes;
  let a1 = d.windows + <usize>row1 * d.windowBytes;
  let a2 = d.windows + <usize>row2 * d.windowBytes;
  let a3 = d.windows + <usize>row3 * d.windowBytes;
  const c0 = sums + <usize>row * QUAD_ROW;
  const c1 = sums + <usize>row1 * QUAD_ROW;
  const c2 = sums + <usize>row2 * QUAD_ROW;
  const c3 = sums + <usize>row3 * QUAD_ROW;
  let b = weights;
  let s0 = v128.load(bias ? bias : c0);
  let s1 = v128.load(bias ? bias : c1);
  let s2 = v128.load(bias ? bias : c2);
  let s3 = v128.load(bias ? bias : c3);
  for (let address = d.runs; address < d.runsEnd; address += RUN_BYTES) {
    const run = changetype<SumRun>(address);
    const end = b + <usize>run.words * QUAD_ROW;
    let masks = run.masks;
    if (run.kind == PLAIN) {
      for (; b < end; a0 += 4, a1 += 4, a2 += 4, a3 += 4, b += QUAD_ROW) {
        const w = v128.load(b);
        s0 = add<T>(s0, multiply<T>(v128.load32_splat(a0), w));
        s1 = add<T>(s1, multiply<T>(v128.load32_splat(a1), w));
        s2 = add<T>(s2, multiply<T>(v128.load32_splat(a2), w));
        s3 = add<T>(s3, multiply<T>(v128.load32_splat(a3), w));
      }
      a0 -= run.excess;
      a1 -= run.excess;
      a2 -= run.excess;
      a3 -= run.excess;
      const and = v128.load32_splat(masks);
      const xor = v128.load32_splat(masks, 4);
      s0 = pass<T>(s0, and, xor);
      s1 = pass<T>(s1, and, xor);
      s2 = pass<T>(s2, and, xor);
      s3 = pass<T>(s3, and, xor);
      continue;
    }
    const step = productBytes<T>();
    if (run.kind == EACH_PRODUCT) {
      for (; b < end; a0 += step, a1 += step, a2 += step, a3 += step, b += QUAD_ROW) {
        const w = v128.load(b);
        const productAnd = v128.load32_splat(masks);
        const productXor = v128.load32_splat(masks, 4);
        const and = v128.load32_splat(masks, 8);
        const xor = v128.load32_splat(masks, 12);
        let p = multiply<T>(v128.load32_splat(a0), w);
        s0 = pass<T>(add<T>(s0, pass<T>(p, productAnd, productXor)), and, xor);
        p = multiply<T>(v128.load32_splat(a1), w);
        s1 = pass<T>(add<T>(s1, pass<T>(p, productAnd, productXor)), and, xor);
        p = multiply<T>(v128.load32_splat(a2), w);
        s2 = pass<T>(add<T>(s2, pass<T>(p, productAnd, productXor)), and, xor);
        p = multiply<T>(v128.load32_splat(a3), w);
        s3 = pass<T>(add<T>(s3, pass<T>(p, productAnd, productXor)), and, xor);
        masks += run.maskBytes;
      }
    } else if (!isFloat<T>() && run.kind == EACH_AND) {
      const mask = v128.load32_splat(masks);
      for (; b < end; a0 += step, a1 += step, a2 += step, a3 += step, b += QUAD_ROW) {
        const w = v128.load(b);
        s0 = v128.and(add<T>(s0, multiply<T>(v128.load32_splat(a0), w)), mask);
        s1 = v128.and(add<T>(s1, multiply<T>(v128.load32_splat(a1), w)), mask);
        s2 = v128.and(add<T>(s2, multiply<T>(v128.load32_splat(a2), w)), mask);
        s3 = v128.and(add<T>(s3, multiply<T>(v128.load32_splat(a3), w)), mask);
      }
    } else if (!isFloat<T>() && run.kind == EACH_OR) {
      const mask = v128.load32_splat(masks, 4);
      for (; b < end; a0 += step, a1 += step, a2 += step, a3 += step, b += QUAD_ROW) {
        const w = v128.load(b);
        s0 = v128.or(add<T>(s0, multiply<T>(v128.load32_splat(a0), w)), mask);
        s1 = v128.or(add<T>(s1, multiply<T>(v128.load32_splat(a1), w)), mask);
        s2 = v128.or(add<T>(s2, multiply<T>(v128.load32_splat(a2), w)), mask);
        s3 = v128.or(add<T>(s3, multiply<T>(v128.load32_splat(a3), w)), mask);
      }
    } else if (!isFloat<T>() && run.kind == EACH_XOR) {
      const mask = v128.load32_splat(masks, 4);
      for (; b < end; a0 += step, a1 += step, a2 += step, a3 += step, b += QUAD_ROW) {
        const w = v128.load(b);
        s0 = v128.xor(add<T>(s0, multiply<T>(v128.load32_splat(a0), w)), mask);
        s1 = v128.xor(add<T>(s1, multiply<T>(v128.load32_splat(a1), w)), mask);
        s2 = v128.xor(add<T>(s2, multiply<T>(v128.load32_splat(a2), w)), mask);
        s3 = v128.xor(add<T>(s3, multiply<T>(v128.load32_splat(a3), w)), mask);
      }
    } else {
      for (; b < end; a0 += step, a1 += step, a2 += step, a3 += step, b += QUAD_ROW) {
        const w = v128.load(b);
        const and = v128.load32_splat(masks);
        const xor = v128.load32_splat(masks, 4);
        s0 = pass<T>(add<T>(s0, multiply<T>(v128.load32_splat(a0), w)), and, xor);
        s1 = pass<T>(add<T>(s1, multiply<T>(v128.load32_splat(a1), w)), and, xor);
        s2 = pass<T>(add<T>(s2, multiply<T>(v128.load32_splat(a2), w)), and, xor);
        s3 = pass<T>(add<T>(s3, multiply<T>(v128.load32_splat(a3), w)), and, xor);
        masks += run.maskBytes;
      }
    }
  }
  v128.store(c0, s0);
  v128.store(c1, s1);
  v128.store(c2, s2);
  v128.store(c3, s3);
}
