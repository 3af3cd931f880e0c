/**
 * Philox4x32-10 (see core/philox.ts) for four counters at a time, one in each lane.
 */

/** The even lanes of two vectors are their low, the odd ones their high words of 64-bit products. */
function lowWords(products01: v128, products23: v128): v128 {
  return v128.shuffle<i32>(products01, products23, 0, 2, 4, 6);
}

function highWords(products01: v128, products23: v128): v128 {
  return v128.shuffle<i32>(products01, products23, 1, 3, 5, 7);
}

/** The two leading words of the last outputs. */
let leading0: v128 = i32x4.splat(0);
let leading1: v128 = i32x4.splat(0);

/** The outputs of the counters (counter0, counter1, index, 0), of which the two leading words are kept. */
function philox(key0: u32, key1: u32, counter0: u32, counter1: u32, index: v128): void {
  const multiplier0 = i32x4.splat(0xd2511f53);
  const multiplier1 = i32x4.splat(0xcd9e8d57);
  const increment0 = i32x4.splat(0x9e3779b9);
  const increment1 = i32x4.splat(0xbb67ae85);
  let c0 = i32x4.splat(counter0);
  let c1 = i32x4.splat(counter1);
  let c2 = index;
  let c3 = i32x4.splat(0);
  let k0 = i32x4.splat(key0);
  let k1 = i32x4.splat(key1);
  for (let round = 0; round < 10; round++) {
    const a01 = i64x2.extmul_low_i32x4_u(c0, multiplier0);
    const a23 = i64x2.extmul_high_i32x4_u(c0, multiplier0);
    const b01 = i64x2.extmul_low_i32x4_u(c2, multiplier1);
    const b23 = i64x2.extmul_high_i32x4_u(c2, multiplier1);
    c0 = v128.xor(v128.xor(highWords(b01, b23), c1), k0);
    c2 = v128.xor(v128.xor(highWords(a01, a23), c3), k1);
    c1 = lowWords(b01, b23);
    c3 = lowWords(a01, a23);
    k0 = i32x4.add(k0, increment0);
    k1 = i32x4.add(k1, increment1);
  }
  leading0 = c0;
  leading1 = c1;
}

/** Stores the two leading words of the outputs of the counters (counter0, counter1, index, 0) of four indices. */
export function philoxWords(
  key0: u32,
  key1: u32,
  counter0: u32,
  counter1: u32,
  indices: usize,
  first: usize,
  second: usize,
): void {
  philox(key0, key1, counter0, counter1, v128.load(indices));
  v128.store(first, leading0);
  v128.store(second, leading1);
}

/**
 * Whole numbers in [0, bound) as unsigned 32-bit words: ⌊w · bound / 2⁶⁴⌋ of the two leading words of the outputs of
 * the counters (counter0, counter1, first, 0), (counter0, counter1, first + 1, 0) …
 *
 * @param count a multiple of 4; first + count ≤ 2³²
 */
export function integersBelow(
  key0: u32,
  key1: u32,
  counter0: u32,
  counter1: u32,
  first: u32,
  bound: u32,
  target: usize,
  count: u32,
): void {
  const bounds = i32x4.splat(bound);
  let index = i32x4.add(i32x4.splat(first), i32x4(0, 1, 2, 3));
  for (const end = target + ((<usize>count) << 2); target < end; target += 16) {
    philox(key0, key1, counter0, counter1, index);
    const c0 = leading0;
    const c1 = leading1;
    const s01 = i64x2.add(
      i64x2.extmul_low_i32x4_u(c0, bounds),
      i64x2.shr_u(i64x2.extmul_low_i32x4_u(c1, bounds), 32),
    );
    const s23 = i64x2.add(
      i64x2.extmul_high_i32x4_u(c0, bounds),
      i64x2.shr_u(i64x2.extmul_high_i32x4_u(c1, bounds), 32),
    );
    v128.store(target, highWords(s01, s23));
    index = i32x4.add(index, i32x4.splat(4));
  }
}
