/**
 * A small generator of uniform numbers in [0, 1), by Tommy Ettinger's constants.
 * @param {number} seed
 */
export function mulberry32(seed) {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Some of the numbers below `count`, each at most once.
 * @param {number} count
 * @param {number} wanted
 * @param {() => number} random
 */
export function sample(count, wanted, random) {
  const numbers = Uint32Array.from({ length: count }, (_, index) => index);
  for (let place = 0; place < wanted; place += 1) {
    const other = place + Math.floor(random() * (count - place));
    const number = numbers[other];
    numbers[other] = numbers[place];
    numbers[place] = number;
  }
  return numbers.subarray(0, wanted);
}
