const DIGIT_BITS = 11;
const BUCKETS = 1 << DIGIT_BITS;

/**
 * Sort cell indices below 2³², ascending: a least-significant-digit radix sort, linear in their number. The input may
 * be overwritten.
 *
 * @param largest no index is larger
 * @param other as long as the indices; the result is there or in their place
 */
export function radixSort(indices: Uint32Array, largest: number, other: Uint32Array): Uint32Array {
  let source = indices;
  let target = other;
  const next = new Uint32Array(BUCKETS);
  for (let shift = 0; shift < 32 && largest >>> shift > 0; shift += DIGIT_BITS) {
    next.fill(0);
    for (let place = 0; place < source.length; place += 1) {
      next[(source[place] >>> shift) & (BUCKETS - 1)] += 1;
    }
    let first = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
      const count = next[bucket];
      next[bucket] = first;
      first += count;
    }
    for (let place = 0; place < source.length; place += 1) {
      const index = source[place];
      const bucket = (index >>> shift) & (BUCKETS - 1);
      target[next[bucket]] = index;
      next[bucket] += 1;
    }
    [source, target] = [target, source];
  }
  return source;
}

/**
 * Distinct cells of two ascending lists, ascending.
 *
 * @param one without repetitions
 * @param union where they are written, as long as both together
 */
export function unionOfCells(
  one: Float64Array,
  other: Uint32Array | Float64Array,
  union: Float64Array = new Float64Array(one.length + other.length),
): Float64Array {
  let [size, ofOne, ofOther] = [0, 0, 0];
  while (ofOne < one.length || ofOther < other.length) {
    const takeOne = ofOther >= other.length || one[ofOne] <= other[ofOther];
    const cell = takeOne ? one[ofOne] : other[ofOther];
    if (takeOne) ofOne += 1;
    else ofOther += 1;
    if (size > 0 && union[size - 1] === cell) continue;
    union[size] = cell;
    size += 1;
  }
  return union.subarray(0, size);
}
