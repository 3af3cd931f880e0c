/**
 * The number that a text writes in decimal digits, perhaps with a sign, a point and an exponent (`-1.5e-3`);
 * undefined for anything else, such as `0x10`, `0b1`, `1_0`, `Infinity` or nothing, and for numbers too large for
 * float64.
 */
export function parseDecimal(text: string): number | undefined {
  if (!/^\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?\s*$/i.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** A fault rate with at most three digits, such as `1.25e-5`. */
export function rateText(rate: number): string {
  return rate === 0 ? '0' : Number(rate.toPrecision(3)).toExponential();
}
