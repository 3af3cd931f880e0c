/** Faults drawn without replacement from the cells of lines of equal length. */
export interface UniformFaults {
  readonly faults: number;
  readonly lines: number;
  readonly cellsPerLine: number;
}

/** Of the number of pairs of uniform faults on one line. */
export interface PairMoments {
  readonly mean: number;
  readonly deviation: number;
  /** Third central moment over the cube of the deviation. */
  readonly skewness: number;
}

/**
 * Mean, standard deviation and skewness of Σ c(c − 1)/2 over the counts c of the lines. Powers of c(c − 1)/2 are sums
 * of falling factorials (c)ₐ, whose expectations for N of T cells and lines of k cells are
 * E[(c₁)ₐ (c₂)ᵦ …] = (k)ₐ (k)ᵦ … · (N)ₐ₊ᵦ₊…/(T)ₐ₊ᵦ₊…. In whole numbers, because a central moment is the small
 * difference of large ones.
 */
export function pairMoments({ faults, lines, cellsPerLine }: UniformFaults): PairMoments {
  const n = BigInt(lines);
  const [, , k2, k3, k4, k5, k6] = fallingFactorials(BigInt(cellsPerLine));
  const all = fallingFactorials(n * BigInt(cellsPerLine));
  // The common denominator is 8 (T)₆. With fewer than six cells (T)₆ is 0, and so are the terms that have it.
  const last = all.findLastIndex((value) => value > 0n);
  const [, , f2, f3, f4, f5, f6] = fallingFactorials(BigInt(faults)).map((drawn, order) =>
    order > last ? 0n : (drawn * all[last]) / all[order],
  );
  const denominator = 8n * all[last];
  const first = 4n * n * k2 * f2;
  const second = 2n * n * (k4 * f4 + 4n * k3 * f3 + 2n * k2 * f2 + (n - 1n) * k2 * k2 * f4);
  const third =
    n * (k6 * f6 + 12n * k5 * f5 + 38n * k4 * f4 + 32n * k3 * f3 + 4n * k2 * f2) +
    3n * n * (n - 1n) * k2 * (k4 * f6 + 4n * k3 * f5 + 2n * k2 * f4) +
    n * (n - 1n) * (n - 2n) * k2 ** 3n * f6;
  const variance = second * denominator - first ** 2n;
  const thirdCentral =
    third * denominator ** 2n - 3n * first * second * denominator + 2n * first ** 3n;
  const sign = thirdCentral < 0n ? -1 : 1;
  return {
    mean: quotient(first, denominator),
    deviation: Math.sqrt(quotient(variance, denominator ** 2n)),
    skewness: sign * Math.sqrt(quotient(thirdCentral ** 2n, variance ** 3n)),
  };
}

/** (value)₀ … (value)₆ for value ≥ 0. */
function fallingFactorials(value: bigint): bigint[] {
  const falling = [1n];
  for (let order = 0n; order < 6n; order += 1n) {
    falling.push(falling[Number(order)] * (value > order ? value - order : 0n));
  }
  return falling;
}

/** To double precision; 0 by 0 is 0. */
function quotient(numerator: bigint, denominator: bigint): number {
  if (numerator === 0n) return 0;
  const missing = 64 + bitLength(denominator) - bitLength(numerator);
  const shift = Math.max(0, missing);
  return Number((numerator << BigInt(shift)) / denominator) / 2 ** shift;
}

function bitLength(value: bigint): number {
  return value.toString(2).length;
}
