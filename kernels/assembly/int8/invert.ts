/**
 * Inverts bits of the stored weights of output channels that follow each other, one byte for each weight, and stores what
 * the bounds of each channel are made of, as two i32 at `sums`: the sum of its weights less the zero point, and that of
 * their magnitudes.
 */
export function invertStored(
  stored: usize,
  bits: usize,
  count: i32,
  channels: i32,
  zeroPoints: usize,
  sums: usize,
): void {
  const ones = i16x8.splat(1);
  for (let channel = 0; channel < channels; channel++) {
    const zeroPoint = load<i32>(zeroPoints + ((<usize>channel) << 2));
    const zero = i16x8.splat(<i16>zeroPoint);
    let sum = i32x4.splat(0);
    let magnitude = i32x4.splat(0);
    let i = 0;
    for (; i <= count - 16; i += 16, stored += 16, bits += 16) {
      const bytes = v128.xor(v128.load(stored), v128.load(bits));
      v128.store(stored, bytes);
      const low = i16x8.sub(i16x8.extend_low_i8x16_s(bytes), zero);
      const high = i16x8.sub(i16x8.extend_high_i8x16_s(bytes), zero);
      // Differences of two int8 lie within ±255: no sum of two of them leaves 16 bits.
      sum = i32x4.add(sum, i32x4.dot_i16x8_s(i16x8.add(low, high), ones));
      magnitude = i32x4.add(
        magnitude,
        i32x4.dot_i16x8_s(i16x8.add(i16x8.abs(low), i16x8.abs(high)), ones),
      );
    }
    let total = lanes(sum);
    let all = lanes(magnitude);
    for (; i < count; i++, stored++, bits++) {
      const weight = load<i8>(stored) ^ load<i8>(bits);
      store<i8>(stored, weight);
      const centred = <i32>weight - zeroPoint;
      total += centred;
      all += abs(centred);
    }
    store<i32>(sums, total);
    store<i32>(sums, all, 4);
    sums += 8;
  }
}

/**
 * Lists 3×3 kernels with an inverted bit.
 *
 * @param first number of the first of `count` kernels
 * @param list where their numbers go
 * @param listed how many are there already
 * @param most room for so many
 * @returns how many are listed; more than the most where there is no room for all
 */
export function listInverted(
  bits: usize,
  first: i32,
  count: i32,
  list: usize,
  listed: i32,
  most: i32,
): i32 {
  for (let kernel = first; kernel < first + count && listed <= most; kernel++, bits += 9) {
    if (listed < most) store<i32>(list + ((<usize>listed) << 2), kernel);
    listed += i32((load<u64>(bits) | <u64>load<u8>(bits, 8)) != 0);
  }
  return listed;
}

function lanes(sums: v128): i32 {
  return (
    i32x4.extract_lane(sums, 0) +
    i32x4.extract_lane(sums, 1) +
    i32x4.extract_lane(sums, 2) +
    i32x4.extract_lane(sums, 3)
  );
}

/**
 * Inverts bits of the packed weights of an output channel, which are int16 less their zero point.
 *
 * @param packed the channel's first weight
 * @param bits one byte for each weight, in network order
 * @param taps weights of an input channel, which follow each other in that order
 * @param inputs input channels of the group
 * @param step bytes from a pair of values along k to the next
 */
export function invertPacked(
  packed: usize,
  bits: usize,
  count: i32,
  zeroPoint: i32,
  taps: i32,
  inputs: i32,
  step: i32,
): void {
  for (let i = 0; i < count; i++) {
    if (i <= count - 8 && load<u64>(bits + <usize>i) == 0) {
      i += 7;
      continue;
    }
    const inverted = load<i8>(bits + <usize>i);
    if (inverted == 0) continue;
    const k = (i % taps) * inputs + i / taps;
    const place = packed + <usize>((k >> 1) * step + ((k & 1) << 1));
    const weight = <i8>(<i32>load<i16>(place) + zeroPoint) ^ inverted;
    store<i16>(place, <i16>(<i32>weight - zeroPoint));
  }
}
