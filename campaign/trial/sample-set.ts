/**
 * A set of places below `length` as hexadecimal digits, four places a digit, the first place being the lowest bit of
 * the first digit.
 */
export function encodeImageSet(places: readonly number[], length: number): string {
  const digits = new Uint8Array(Math.ceil(length / 4));
  for (const place of places) digits[place >> 2] |= 1 << (place & 3);
  return Array.from(digits, (digit) => digit.toString(16)).join('');
}

/** The places of a set, ascending; the inverse of `encodeImageSet`. */
export function decodeImageSet(text: string): number[] {
  return [...text].flatMap((digit, index) => {
    const bits = Number.parseInt(digit, 16);
    return [0, 1, 2, 3].filter((bit) => (bits >> bit) & 1).map((bit) => 4 * index + bit);
  });
}
