const DIGIT_BITS = 11;
const BUCKETS = 1 << DIGIT_BITS;

interface KeyedValues {
  readonly keys: Uint32Array;
  readonly values: Uint32Array;
}

/**
 * Keys in ascending order, each with its value; equal keys keep their order. Both inputs may be overwritten.
 * A least-significant-digit radix sort: linear, where the comparison sort of pairs would
 * dominate the application of a large fault map.
 */
export function sortByKey(keys: Uint32Array, values: Uint32Array): KeyedValues {
  let largest = 0;
  for (let index = 0; index < keys.length; index++) largest = Math.max(largest, keys[index]);
  let source: KeyedValues = { keys, values };
  let target: KeyedValues = {
    keys: new Uint32Array(keys.length),
    values: new Uint32Array(keys.length),
  };
  const next = new Uint32Array(BUCKETS);
  for (let shift = 0; shift < 32 && largest >>> shift > 0; shift += DIGIT_BITS) {
    next.fill(0);
    for (let index = 0; index < keys.length; index++) {
      next[(source.keys[index] >>> shift) & (BUCKETS - 1)]++;
    }
    let first = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const count = next[bucket];
      next[bucket] = first;
      first += count;
    }
    for (let index = 0; index < keys.length; index++) {
      const key = source.keys[index];
      const place = next[(key >>> shift) & (BUCKETS - 1)]++;
      target.keys[place] = key;
      target.values[place] = source.values[index];
    }
    [source, target] = [target, source];
  }
  return source;
}
